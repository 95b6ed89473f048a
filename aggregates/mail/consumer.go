package mail

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/events"
	"waybill/events/consume"
)

// ConsumerConfig says what the outbox is filled with.
type ConsumerConfig struct {
	Codec *events.Codec // required

	// Rows returns the rows of a unit of work that [NewRows] made for the
	// consumer's log; false when it holds others. Required.
	Rows func(consume.Unit) (*Rows, bool)

	// Lasting is how long an event is worth telling that does not say so itself.
	// Defaults to 7 days.
	Lasting time.Duration

	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
}

// Consumer fills the outbox: give its Handle to a consume.Consumer of [Prefixes]
// whose log writes [Rows].
type Consumer struct{ cfg ConsumerConfig }

// NewConsumer returns the consumer; it does no I/O.
func NewConsumer(cfg ConsumerConfig) (*Consumer, error) {
	if cfg.Codec == nil || cfg.Rows == nil {
		return nil, errors.New("mail: ConsumerConfig.Codec and Rows are required")
	}
	if cfg.Lasting <= 0 {
		cfg.Lasting = 7 * 24 * time.Hour
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Consumer{cfg}, nil
}

// Handle folds a run into its unit. It is a [consume.Config.Handler].
func (c *Consumer) Handle(_ context.Context, run *consume.Run) error {
	rows, ok := c.cfg.Rows(run.Unit)
	if !ok {
		return fmt.Errorf("mail: the run's unit is a %T that holds no rows of the outbox", run.Unit)
	}
	for _, r := range run.Records {
		if !concerns(r.Type) {
			continue // most events; not even decoded
		}
		e, err := c.cfg.Codec.Decode(r)
		if err != nil {
			return consume.Permanent(err)
		}
		kind, expires, told := occasion(e, c.cfg.Lasting)
		if !told {
			continue
		}
		rows.add(row{
			event: r.ID, org: e.Stream.Org, kind: kind, stream: e.Stream, position: r.Position,
			happened: e.Metadata.RecordedAt, expires: expires, made: c.cfg.Now().UTC(),
		})
	}
	return nil
}

// row is what is to be told, as the outbox gets it.
type row struct {
	event, org        uuid.UUID
	kind              string
	stream            events.StreamID
	position          events.Position
	happened, expires time.Time
	made              time.Time
}

// Rows are the rows of one unit of work. They are written in the transaction that
// moves the consumer's checkpoint.
type Rows struct{ rows []row }

// NewRows returns no rows.
func NewRows() *Rows { return &Rows{} }

func (r *Rows) add(one row) { r.rows = append(r.rows, one) }

// Reset forgets the rows.
func (r *Rows) Reset() { r.rows = r.rows[:0] }

// Queue adds the statements that write the rows. A row that is there already, from
// an earlier run through the log, stays as it is.
func (r *Rows) Queue(b *pgx.Batch) {
	for _, one := range r.rows {
		var user, client *uuid.UUID
		id := one.stream.UUID()
		if one.stream.Category == events.CategoryUser {
			user = &id
		} else {
			client = &id
		}
		b.Queue(`
			INSERT INTO mail.outbox (event_id, org_id, kind, user_id, client_id, position, happened_at, expires_at, created_at, next_attempt_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
			ON CONFLICT (event_id) DO NOTHING`,
			one.event, one.org, one.kind, user, client, int64(one.position.Commit), one.happened, one.expires, one.made)
	}
}
