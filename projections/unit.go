package projections

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"waybill/events"
	"waybill/events/consume"
)

// The SQLSTATEs that ops.advance raises.
const (
	lostRace    = "WB001"
	whilePaused = "WB002"
)

// maxCause bounds the stored text of what went wrong with a parked event, in bytes.
const maxCause = 2000

// Unit is the work of one run of events: rows, parked events and the checkpoint,
// written in one round trip and one transaction. It implements [consume.Unit].
type Unit struct {
	log    *Log
	rows   Rows
	parked []parked
}

type parked struct {
	record events.Record
	cause  string
}

// Rows returns what the handler folds into, as made by LogConfig.NewRows; nil
// for a log without rows.
func (u *Unit) Rows() Rows { return u.rows }

// Reset implements [consume.Unit].
func (u *Unit) Reset() {
	if u.rows != nil {
		u.rows.Reset()
	}
	u.parked = u.parked[:0]
}

// Park implements [consume.Unit].
func (u *Unit) Park(rec events.Record, cause error) {
	text := "no cause given"
	if cause != nil {
		text = sanitise(cause.Error())
	}
	if len(text) > maxCause {
		text = strings.ToValidUTF8(text[:maxCause], "")
	}
	u.parked = append(u.parked, parked{record: rec, cause: text})
}

// Commit implements [consume.Unit].
func (u *Unit) Commit(ctx context.Context, after, last events.Position) error {
	cfg := u.log.cfg
	batch := &pgx.Batch{}
	batch.Queue(`SELECT ops.advance($1, $2, $3, $4, $5, $6, $7)`, cfg.Name,
		after.Commit, after.Prepare, last.Commit, last.Prepare, cfg.Owner, cfg.Now().UTC())
	if u.rows != nil {
		u.rows.Queue(batch)
	}
	u.queueParked(batch)
	if err := send(ctx, cfg, batch); err != nil {
		var pg *pgconn.PgError
		if errors.As(err, &pg) && pg.Code == lostRace {
			return fmt.Errorf("projection %s, after %s: %w", cfg.Name, after, consume.ErrFenced)
		}
		if pg != nil && pg.Code == whilePaused {
			return fmt.Errorf("projection %s, after %s: %w", cfg.Name, after, consume.ErrPaused)
		}
		return fmt.Errorf("commit projection %s from %s to %s: %w", cfg.Name, after, last, err)
	}
	return nil
}

// send runs the batch: everything, or nothing.
func send(ctx context.Context, cfg LogConfig, batch *pgx.Batch) error {
	results := cfg.Pool.SendBatch(ctx, batch)
	for range batch.Len() {
		if _, err := results.Exec(); err != nil {
			_ = results.Close() // repeats the same error
			return err
		}
	}
	return results.Close()
}

func (u *Unit) queueParked(batch *pgx.Batch) {
	if len(u.parked) == 0 {
		return
	}
	cfg := u.log.cfg
	at := cfg.Now().UTC()
	for _, p := range u.parked {
		r := p.record
		batch.Queue(`
			INSERT INTO ops.parked (projection, stream, revision, position, prepare_position, event_id, type,
			                        cause, parked_at, created, metadata, data)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
			ON CONFLICT (projection, stream, revision) DO NOTHING`,
			cfg.Name, r.Stream, r.Revision, r.Position.Commit, r.Position.Prepare, [16]byte(r.ID), r.Type,
			p.cause, at, r.Created.UTC(), r.Metadata, r.Data)
	}
}

// sanitise makes a text storable: Postgres takes no NUL and no broken UTF-8.
func sanitise(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\uFFFD"), "\uFFFD")
}
