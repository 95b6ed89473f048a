package deadlines

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/events"
)

// fold is the rows of one run. It implements projections.Rows.
type fold struct {
	changed map[place]*deadline // nil: it ends
	cleared map[place]bool      // everything of a kind that an aggregate has; key = the aggregate
}

type deadline struct {
	events.Deadline
	position int64
}

func newFold() *fold { return &fold{map[place]*deadline{}, map[place]bool{}} }

// Reset implements projections.Rows.
func (f *fold) Reset() {
	clear(f.changed)
	clear(f.cleared)
}

// concerns reports whether events of a type set or end a deadline.
func concerns(eventType string) bool {
	switch eventType {
	case "GroupAccessGranted", "GroupAccessRevoked", "GroupAccessExpired",
		"UserInvited", "UserInvitationResent", "UserInvitationAccepted", "UserInvitationRevoked", "UserInvitationExpired", "UserRemoved",
		"ClientInvited", "ClientInvitationResent", "ClientInvitationAccepted", "ClientInvitationDeclined",
		"ClientInvitationRevoked", "ClientInvitationExpired", "ClientAccountCreated":
		return true
	}
	return false
}

func (f *fold) apply(e events.Event) {
	switch p := e.Payload.(type) {
	case *events.GroupAccessGranted:
		f.set(e, events.DeadlineGrant, p.Grant, p.ExpiresAt)
	case *events.GroupAccessRevoked:
		f.end(events.DeadlineGrant, p.Grant)
	case *events.GroupAccessExpired:
		f.end(events.DeadlineGrant, p.Grant)
	case *events.UserInvited:
		f.set(e, events.DeadlineUserInvitation, p.Invitation, p.ExpiresAt)
	case *events.UserInvitationResent:
		f.set(e, events.DeadlineUserInvitation, p.Invitation, p.ExpiresAt)
	case *events.UserInvitationAccepted, *events.UserInvitationRevoked, *events.UserInvitationExpired, *events.UserRemoved:
		f.clear(events.DeadlineUserInvitation, e.Stream.UUID())
	case *events.ClientInvited:
		f.set(e, events.DeadlineClientInvitation, p.Invitation, p.ExpiresAt)
	case *events.ClientInvitationResent:
		f.set(e, events.DeadlineClientInvitation, p.Invitation, p.ExpiresAt)
	case *events.ClientInvitationAccepted, *events.ClientInvitationDeclined, *events.ClientInvitationRevoked,
		*events.ClientInvitationExpired, *events.ClientAccountCreated:
		f.clear(events.DeadlineClientInvitation, e.Stream.UUID())
	}
}

// set takes a deadline; what never ends has none.
func (f *fold) set(e events.Event, kind string, key uuid.UUID, at time.Time) {
	if at.IsZero() {
		f.end(kind, key)
		return
	}
	f.changed[place{kind, key}] = &deadline{
		events.Deadline{Kind: kind, Key: key, Org: e.Stream.Org, Aggregate: e.Stream.UUID(), DueAt: at, Event: e.Record.ID},
		int64(e.Record.Position.Commit),
	}
}

func (f *fold) end(kind string, key uuid.UUID) { f.changed[place{kind, key}] = nil }

// clear ends everything of a kind that an aggregate has so far.
func (f *fold) clear(kind string, aggregate uuid.UUID) {
	f.cleared[place{kind, aggregate}] = true
	for at, d := range f.changed {
		if d != nil && d.Kind == kind && d.Aggregate == aggregate {
			f.changed[at] = nil
		}
	}
}

// Queue implements projections.Rows. What was set after an aggregate was cleared
// comes after it here too.
func (f *fold) Queue(b *pgx.Batch) {
	for _, of := range sorted(f.cleared) {
		b.Queue(`DELETE FROM ops.deadlines WHERE kind = $1 AND aggregate = $2`, of.kind, of.key)
	}
	for _, at := range sorted(f.changed) {
		d := f.changed[at]
		if d == nil {
			b.Queue(`DELETE FROM ops.deadlines WHERE kind = $1 AND key = $2`, at.kind, at.key)
			continue
		}
		b.Queue(`
			INSERT INTO ops.deadlines (kind, key, org_id, aggregate, due_at, event_id, position)
			VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (kind, key) DO UPDATE
			SET due_at = excluded.due_at, event_id = excluded.event_id, position = excluded.position`,
			d.Kind, d.Key, d.Org, d.Aggregate, d.DueAt, d.Event, d.position)
	}
}

func sorted[V any](m map[place]V) []place {
	return slices.SortedFunc(maps.Keys(m), func(a, b place) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), bytes.Compare(a.key[:], b.key[:]))
	})
}
