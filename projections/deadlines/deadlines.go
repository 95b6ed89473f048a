package deadlines

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"waybill/events"
	"waybill/events/consume"
	"waybill/projections"
)

// Name is the consumer's name, its key in ops.projections.
const Name = "deadlines"

// Prefixes are the stream prefixes that it follows.
func Prefixes() []string {
	return []string{events.CategoryUser + "-", events.CategoryClientAccount + "-"}
}

// Config says what deadlines are kept with.
type Config struct {
	Codec *events.Codec // required
	Pool  *pgxpool.Pool // connects as waybill_projector; required

	// Owner names this process to operators. Defaults to empty.
	Owner string
}

// Deadlines is the projection: give its Log and Handle to a consume.Consumer of
// [Prefixes].
type Deadlines struct {
	cfg Config
	log *projections.Log
}

// New returns the projection; it does no I/O.
func New(cfg Config) (*Deadlines, error) {
	if cfg.Codec == nil {
		return nil, errors.New("deadlines: a codec is required")
	}
	log, err := projections.NewLog(projections.LogConfig{
		Name: Name, Pool: cfg.Pool, Owner: cfg.Owner, NewRows: func() projections.Rows { return newFold() },
	})
	if err != nil {
		return nil, err
	}
	return &Deadlines{cfg, log}, nil
}

// Log returns where the progress lives.
func (d *Deadlines) Log() *projections.Log { return d.log }

// Handle folds a run into its unit. It is the consumer's handler.
func (d *Deadlines) Handle(_ context.Context, run *consume.Run) error {
	unit, ok := run.Unit.(*projections.Unit)
	if !ok {
		return fmt.Errorf("deadlines: the run's unit is a %T, not one of its log", run.Unit)
	}
	f, ok := unit.Rows().(*fold)
	if !ok {
		return fmt.Errorf("deadlines: the unit's rows are %T, not those of its log", unit.Rows())
	}
	for _, r := range run.Records {
		if !concerns(r.Type) {
			continue // most events; not even decoded
		}
		e, err := d.cfg.Codec.Decode(r)
		if err != nil {
			return consume.Permanent(err)
		}
		f.apply(e)
	}
	return nil
}

// Due returns the deadlines that are due at a time, the earliest first and at most
// so many, and when the next one after that time is; zero when there is none.
func (d *Deadlines) Due(ctx context.Context, at time.Time, most int) (due []events.Deadline, next time.Time, err error) {
	batch := &pgx.Batch{}
	batch.Queue(`
		SELECT kind, key, org_id, aggregate, due_at, event_id
		FROM ops.deadlines
		WHERE due_at <= $1
		ORDER BY due_at, kind, key
		LIMIT $2`, at, most).Query(func(rows pgx.Rows) (err error) {
		due, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (events.Deadline, error) {
			var l events.Deadline
			err := row.Scan(&l.Kind, &l.Key, &l.Org, &l.Aggregate, &l.DueAt, &l.Event)
			return l, err
		})
		return err
	})
	batch.Queue(`SELECT min(due_at) FROM ops.deadlines WHERE due_at > $1`, at).QueryRow(func(row pgx.Row) error {
		var first *time.Time
		err := row.Scan(&first)
		if first != nil {
			next = *first
		}
		return err
	})
	if err := d.cfg.Pool.SendBatch(ctx, batch).Close(); err != nil {
		return nil, time.Time{}, fmt.Errorf("deadlines that are due: %w", err)
	}
	return due, next, nil
}

// place names a deadline.
type place struct {
	kind string
	key  uuid.UUID
}
