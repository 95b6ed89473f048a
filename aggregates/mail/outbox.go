package mail

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"waybill/aggregates/access"
	"waybill/events"
	"waybill/events/fault"
)

// States of a mail.
const (
	StateQueued  = "queued"  // to be sent
	StateSending = "sending" // handed to the server, which has not answered; or a process died then
	StateSent    = "sent"    // accepted by the server
	StateFailed  = "failed"  // given up
	StateDropped = "dropped" // it had lost its meaning before it was sent
)

// channel is notified when somebody puts a failed mail back.
const channel = "waybill_mail"

// Outbox is what is to be sent and what became of it. It is safe for concurrent
// use.
type Outbox struct {
	Pool *pgxpool.Pool // connects as waybill_identity
	Now  func() time.Time
}

// Entry is one mail, without text and recipient.
type Entry struct {
	Event      uuid.UUID `json:"id"` // of the event that it is about
	Org        uuid.UUID `json:"organisation_id"`
	Kind       string    `json:"kind"`
	User       uuid.UUID `json:"user,omitzero"`     // whose event it is, or
	Client     uuid.UUID `json:"client,omitzero"`   // this one's
	Identity   uuid.UUID `json:"identity,omitzero"` // who got it; zero = not sent
	HappenedAt time.Time `json:"happened_at"`
	ExpiresAt  time.Time `json:"expires_at"` // not worth sending from then on
	State      string    `json:"state"`
	Attempts   int       `json:"attempts"`
	Reason     string    `json:"reason,omitzero"`
	NextAt     time.Time `json:"next_attempt_at"` // meaningful while it is queued
	SentAt     time.Time `json:"sent_at,omitzero"`
}

// stream is where the event is.
func (e Entry) stream() events.StreamID {
	if e.User != uuid.Nil {
		return events.Stream(events.CategoryUser, e.Org, e.User)
	}
	return events.Stream(events.CategoryClientAccount, e.Org, e.Client)
}

const columns = `event_id, org_id, kind, coalesce(user_id, '00000000-0000-0000-0000-000000000000'),
	coalesce(client_id, '00000000-0000-0000-0000-000000000000'), coalesce(identity_id, '00000000-0000-0000-0000-000000000000'),
	happened_at, expires_at, state, attempts, reason, next_attempt_at, coalesce(sent_at, '0001-01-01Z')`

func (o *Outbox) entries(ctx context.Context, sql string, args ...any) ([]Entry, error) {
	rows, err := o.Pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, access.Storage(fmt.Errorf("read the outbox: %w", err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Entry])
	if err != nil {
		return nil, access.Storage(fmt.Errorf("read the outbox: %w", err))
	}
	return list, nil
}

// List returns the latest mails first, at most so many, in one state or (empty) in
// all.
func (o *Outbox) List(ctx context.Context, state string, most int) ([]Entry, error) {
	return o.entries(ctx, `
		SELECT `+columns+` FROM mail.outbox
		WHERE $1 = '' OR state = $1
		ORDER BY created_at DESC, event_id
		LIMIT $2`, state, most)
}

// Find returns one mail. Errors: NotFound.
func (o *Outbox) Find(ctx context.Context, event uuid.UUID) (Entry, error) {
	list, err := o.entries(ctx, `SELECT `+columns+` FROM mail.outbox WHERE event_id = $1`, event)
	if err != nil {
		return Entry{}, err
	}
	if len(list) == 0 {
		return Entry{}, fault.New(fault.NotFound, "mail-not-found", "There is no mail %s", event)
	}
	return list[0], nil
}

// Retry puts a failed mail back into the queue, as if it had never been tried, and
// wakes whoever sends. Errors: NotFound; Conflict when it has not failed.
func (o *Outbox) Retry(ctx context.Context, event uuid.UUID) error {
	tag, err := o.Pool.Exec(ctx, `
		UPDATE mail.outbox SET state = 'queued', attempts = 0, next_attempt_at = $2
		WHERE event_id = $1 AND state = 'failed'`, event, o.Now())
	if err != nil {
		return access.Storage(fmt.Errorf("put mail %s back: %w", event, err))
	}
	if tag.RowsAffected() == 0 {
		e, err := o.Find(ctx, event)
		if err != nil {
			return err
		}
		return fault.New(fault.Conflict, "mail-not-failed", "The mail %s is %s; only a failed one is put back", event, e.State)
	}
	_, err = o.Pool.Exec(ctx, `SELECT pg_notify('`+channel+`', '')`)
	return access.Storage(err)
}

// due returns queued mails whose time has come, the longest due first, and when
// the next one after them is; zero when there is none.
func (o *Outbox) due(ctx context.Context, most int) (list []Entry, next time.Time, err error) {
	now := o.Now()
	list, err = o.entries(ctx, `
		SELECT `+columns+` FROM mail.outbox
		WHERE state = 'queued' AND next_attempt_at <= $1
		ORDER BY next_attempt_at, event_id
		LIMIT $2`, now, most)
	if err != nil {
		return nil, next, err
	}
	var first *time.Time
	err = o.Pool.QueryRow(ctx, `SELECT min(next_attempt_at) FROM mail.outbox WHERE state = 'queued' AND next_attempt_at > $1`, now).Scan(&first)
	if err == nil && first != nil {
		next = *first
	}
	return list, next, access.Storage(err)
}

// recover puts back what a process that is gone was sending.
func (o *Outbox) recover(ctx context.Context) (int64, error) {
	tag, err := o.Pool.Exec(ctx, `UPDATE mail.outbox SET state = 'queued', next_attempt_at = $1 WHERE state = 'sending'`, o.Now())
	return tag.RowsAffected(), access.Storage(err)
}

// expire drops what is not worth sending any more, however much that is.
func (o *Outbox) expire(ctx context.Context) (int64, error) {
	tag, err := o.Pool.Exec(ctx, `UPDATE mail.outbox SET state = 'dropped', reason = $2 WHERE state = 'queued' AND expires_at <= $1`, o.Now(), reasonExpired)
	return tag.RowsAffected(), access.Storage(err)
}

// errTaken says that a mail is not queued any more.
var errTaken = errors.New("somebody else has taken the mail")

// claim marks a mail as being sent, which counts as an attempt.
func (o *Outbox) claim(ctx context.Context, e Entry) (Entry, error) {
	list, err := o.entries(ctx, `
		UPDATE mail.outbox SET state = 'sending', attempts = attempts + 1
		WHERE event_id = $1 AND state = 'queued'
		RETURNING `+columns, e.Event)
	switch {
	case err != nil:
		return e, err
	case len(list) == 0:
		return e, errTaken
	}
	return list[0], nil
}

// outcome is what became of an attempt.
type outcome struct {
	state     string
	reason    string
	identity  uuid.UUID // of a mail that was sent
	next      time.Time // of one that is queued again
	uncounted bool      // it was no attempt
}

// settle records what became of a mail that was claimed.
func (o *Outbox) settle(ctx context.Context, event uuid.UUID, out outcome) error {
	now := o.Now()
	if out.next.IsZero() {
		out.next = now
	}
	back := 0
	if out.uncounted {
		back = 1
	}
	var identity *uuid.UUID
	var sent *time.Time
	if out.state == StateSent {
		identity, sent = &out.identity, &now
	}
	_, err := o.Pool.Exec(ctx, `
		UPDATE mail.outbox
		SET state = $2, reason = $3, identity_id = $4, sent_at = $5, next_attempt_at = $6, attempts = attempts - $7
		WHERE event_id = $1 AND state = 'sending'`,
		event, out.state, out.reason, identity, sent, out.next, back)
	return access.Storage(err)
}
