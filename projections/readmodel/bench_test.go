package readmodel_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/events"
	"waybill/events/consume"
	"waybill/events/store"
	"waybill/events/store/storetest"
	"waybill/projections"
	"waybill/projections/postgres"
	"waybill/projections/readmodel"
)

var benchDeliveries = flag.Int("bench.deliveries", 20_000, "deliveries in the benchmarks' log, four events each")

// durableBench is a read model on a private Postgres that syncs to disk, as in
// production.
func durableBench(b *testing.B, codec *events.Codec) *bench {
	b.Helper()
	dir, err := os.MkdirTemp("", "waybill-bench-")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = os.RemoveAll(dir) })
	server, err := postgres.Start(context.Background(), postgres.Config{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = server.Stop(context.Background()) })
	url := server.URL("")
	if _, err := projections.Migrate(context.Background(), url); err != nil {
		b.Fatal(err)
	}
	pools, err := projections.Open(context.Background(), projections.Config{URL: url})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pools.Close)
	out := &bench{url: url, pools: pools}
	out.use(codec)
	return out
}

// busyHistory is a log as a busy day makes it: deliveries of 150 groups with two
// items and personal data, then put on a vehicle, dispatched and completed, three
// of four events being changes, neighbours in the log being different deliveries.
func busyHistory(deliveries int) *history {
	h := newHistory()
	const wave = 1000
	for from := 0; from < deliveries; from += wave {
		ids := make([]uuid.UUID, min(wave, deliveries-from))
		for i := range ids {
			ids[i] = uuid.New()
			h.happens(events.CategoryDelivery, org, ids[i], &events.DeliveryCreated{
				DONumber: fmt.Sprintf("DO-%07d", from+i), Type: events.TypeDelivery, Date: fmt.Sprintf("2026-03-%02d", 1+(from+i)%28),
				Group: number(100 + (from+i)%150), Attempt: 1,
				Address:   events.PersonalText(ids[i], "12 Long Street, Some Town 049213"),
				Recipient: events.PersonalText(ids[i], "Somebody Receiving"),
				Items: []events.Item{{ID: "1", SKU: "SKU-1", Description: "A thing in a box", Quantity: 4, Unit: "box"},
					{ID: "2", SKU: "SKU-2", Description: "Another thing", Quantity: 1, Unit: "pallet"}},
			})
		}
		for _, p := range []events.Payload{&events.DeliveryAssigned{Vehicle: vans["van of none"]}, &events.DeliveryDispatched{}, &events.DeliveryCompleted{}} {
			for _, id := range ids {
				h.happens(events.CategoryDelivery, org, id, p)
			}
		}
	}
	return h
}

// fill writes a history to a store and returns it as the store has it.
func fill(b *testing.B, s *store.Store, h *history) {
	b.Helper()
	ctx := context.Background()
	bulk, err := s.Bulk(ctx, store.BulkConfig{})
	if err != nil {
		b.Fatal(err)
	}
	streams := map[string]*store.Pending{}
	for i := range h.records {
		r := &h.records[i]
		if before := streams[r.Stream]; before != nil {
			if _, err := before.Wait(ctx); err != nil {
				b.Fatal(err)
			}
		}
		streams[r.Stream] = bulk.Append(ctx, r.Stream, events.Expected(int64(r.Revision)-1),
			[]events.Proposed{{ID: r.ID, Type: r.Type, Metadata: r.Metadata, Data: r.Data}})
	}
	if err := bulk.Close(ctx); err != nil {
		b.Fatal(err)
	}
	h.records = h.records[:0]
	for r, err := range s.ReadAll(ctx, events.Position{}, store.Forwards) {
		if err != nil {
			b.Fatal(err)
		}
		h.records = append(h.records, r)
	}
}

// BenchmarkCatchUp measures a projection catching up from the start of the log,
// rows and checkpoint durable, against the limit: the same statements with the
// same rows, made beforehand, sent to the same Postgres with no event store, no
// decoding and no folding. Both run in turns; the medians are reported. Catching
// up from an empty read model is what a rebuild is.
func BenchmarkCatchUp(b *testing.B) {
	h := busyHistory(*benchDeliveries)
	s := storetest.Open(b, store.Config{URL: storetest.Start(b, b.TempDir(), "").ConnectionString()})
	fill(b, s, h)
	last := h.records[len(h.records)-1].Position
	m := durableBench(b, h.codec)
	var bare, live []float64
	for b.Loop() {
		clearModel(b, m)
		bare = append(bare, float64(len(h.records))/bareStatements(b, m, h.records).Seconds())
		clearModel(b, m)
		live = append(live, float64(len(h.records))/catchUp(b, m, s, last).Seconds())
	}
	slices.Sort(bare)
	slices.Sort(live)
	b.ReportMetric(bare[len(bare)/2], "bare-events/s")
	b.ReportMetric(live[len(live)/2], "events/s")
	b.ReportMetric(live[len(live)/2]/bare[len(bare)/2], "ratio")
	b.ReportMetric(0, "ns/op")
}

func clearModel(b *testing.B, m *bench) {
	if err := m.model.Clear(b.Context()); err != nil {
		b.Fatal(err)
	}
	if _, err := m.owner(b).Exec(b.Context(), `CHECKPOINT`); err != nil {
		b.Fatal(err)
	}
}

func bareStatements(b *testing.B, m *bench, records []events.Record) time.Duration {
	b.Helper()
	ctx := context.Background()
	var batches []*pgx.Batch
	after := events.Position{}
	for run := range slices.Chunk(records, 500) {
		batch := &pgx.Batch{}
		to := run[len(run)-1].Position
		batch.Queue(`SELECT ops.advance($1, $2, $3, $4, $5, $6, $7)`, readmodel.Name, after.Commit, after.Prepare, to.Commit, to.Prepare, "bare", time.Now())
		if err := m.model.Statements(ctx, run, batch); err != nil {
			b.Fatal(err)
		}
		batches, after = append(batches, batch), to
	}
	start := time.Now()
	for _, batch := range batches {
		if err := m.pools.Projector.SendBatch(ctx, batch).Close(); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start)
}

func catchUp(b *testing.B, m *bench, s *store.Store, last events.Position) time.Duration {
	b.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c, err := consume.New(consume.Config{Name: readmodel.Name, Prefixes: events.AggregatePrefixes(), Store: s, Log: m.model.Log(),
		Handler: m.model.Handle, Committed: func(at events.Position) {
			if !last.After(at) {
				cancel()
			}
		}})
	if err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	if err := c.Run(ctx); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

// BenchmarkVisible measures, on an idle system, from the acknowledgement of an
// append to the moment when a reader who waits for its position may query.
func BenchmarkVisible(b *testing.B) {
	h := busyHistory(1000)
	s := storetest.Open(b, store.Config{URL: storetest.Start(b, b.TempDir(), "").ConnectionString()})
	fill(b, s, h)
	last := h.records[len(h.records)-1].Position
	m := durableBench(b, h.codec)
	running := m.consume(b, s)
	ctx, cancel := context.WithCancel(context.Background())
	p := projections.NewProgress(projections.ProgressConfig{Name: readmodel.Name, Pool: m.pools.Reader})
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	defer func() { cancel(); <-done; running.stop() }()
	if err := p.Wait(ctx, last); err != nil {
		b.Fatal(err)
	}
	var took []time.Duration
	for b.Loop() {
		fresh := newHistory()
		fresh.happens(events.CategoryDelivery, org, uuid.New(), &events.DeliveryCreated{DONumber: "DO", Type: events.TypeDelivery,
			Date: "2026-03-01", Group: apple, Attempt: 1})
		r := fresh.records[0]
		at, err := s.Append(ctx, r.Stream, events.NoStream, []events.Proposed{{ID: uuid.New(), Type: r.Type, Metadata: r.Metadata, Data: r.Data}})
		if err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		if err := p.Wait(ctx, at); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}
