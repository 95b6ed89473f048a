package readmodel

import (
	"context"

	"github.com/jackc/pgx/v5"

	"waybill/events"
)

// Statements queues what writes the rows of records, for the benchmark that runs
// the statements alone.
func (m *Model) Statements(ctx context.Context, records []events.Record, b *pgx.Batch) error {
	f := newFold()
	if err := m.fold(ctx, records, f); err != nil {
		return err
	}
	f.Queue(b)
	return nil
}
