package readmodel

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"waybill/events"
	"waybill/events/consume"
	"waybill/projections"
)

// Name is the projection's name, its key in ops.projections.
const Name = "readmodel"

// tables are all that the projection writes.
var tables = [...]string{
	"read.organisations", "read.groups", "read.customer_codes", "read.vehicles", "read.group_vehicles",
	"read.users", "read.grants", "read.access_requests", "read.clients",
	"read.deliveries", "read.delivery_items", "read.delivery_timeline", "read.delivery_search", "read.progress",
}

// Config says what the read model is built with.
type Config struct {
	// Codec decodes events and opens personal data. Required.
	Codec *events.Codec

	// Pool connects as waybill_projector. Required.
	Pool *pgxpool.Pool

	// Owner names this process to operators. Defaults to empty.
	Owner string

	// Now is the clock of the operators' columns; what stands in the read model
	// comes from the events alone. Defaults to time.Now.
	Now func() time.Time
}

// Model is the projection: give its Log and Handle to a consume.Consumer of
// events.AggregatePrefixes.
type Model struct {
	codec *events.Codec
	log   *projections.Log
}

// New returns the read model; it does no I/O.
func New(cfg Config) (*Model, error) {
	if cfg.Codec == nil {
		return nil, errors.New("readmodel: a codec is required")
	}
	log, err := projections.NewLog(projections.LogConfig{
		Name: Name, Pool: cfg.Pool, Owner: cfg.Owner, Now: cfg.Now,
		NewRows: func() projections.Rows { return newFold() },
	})
	if err != nil {
		return nil, err
	}
	return &Model{codec: cfg.Codec, log: log}, nil
}

// Log returns where the projection's progress lives.
func (m *Model) Log() *projections.Log { return m.log }

// Clear empties the read model, so that a consumer builds it anew from the start
// of the log. A running consumer is fenced.
func (m *Model) Clear(ctx context.Context) error { return m.log.Clear(ctx, tables[:]...) }

// Handle folds a run into its unit. It is the consumer's handler.
func (m *Model) Handle(ctx context.Context, run *consume.Run) error {
	unit, ok := run.Unit.(*projections.Unit)
	if !ok {
		return fmt.Errorf("readmodel: the run's unit is a %T, not one of the read model's log", run.Unit)
	}
	f, ok := unit.Rows().(*fold)
	if !ok {
		return fmt.Errorf("readmodel: the unit's rows are %T, not those of the read model's log", unit.Rows())
	}
	return m.fold(ctx, run.Records, f)
}

// fold decodes, opens and applies records.
func (m *Model) fold(ctx context.Context, records []events.Record, f *fold) error {
	evs := make([]events.Event, len(records))
	for i, r := range records {
		e, err := m.codec.Decode(r)
		if err != nil {
			return consume.Permanent(err)
		}
		evs[i] = e
	}
	if err := m.codec.Open(ctx, evs); err != nil {
		return err
	}
	for _, e := range evs {
		if err := f.apply(e); err != nil {
			return err
		}
	}
	return nil
}
