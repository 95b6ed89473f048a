package readmodel_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/events"
	"waybill/events/consume"
	"waybill/events/fault"
	"waybill/events/store"
	"waybill/events/store/storetest"
	"waybill/projections"
)

// patience is what a test may wait for: far above what a healthy machine needs,
// however busy it is and however slow its disk.
const patience = 5 * time.Minute

// newStore returns a store over an embedded node of the test's own.
func newStore(t testing.TB) *store.Store {
	t.Helper()
	return storetest.Open(t, store.Config{URL: storetest.Start(t, t.TempDir(), "").ConnectionString(), Timeout: patience, AttemptTimeout: patience / 2})
}

// appendTo writes records of a history, as far as they are not there, to a store.
func appendTo(t testing.TB, s *store.Store, records []events.Record) (last events.Position) {
	t.Helper()
	for _, r := range records {
		var err error
		last, err = s.Append(context.Background(), r.Stream, events.Expected(int64(r.Revision)-1),
			[]events.Proposed{{ID: r.ID, Type: r.Type, Metadata: r.Metadata, Data: r.Data}})
		if err != nil {
			t.Fatal(err)
		}
	}
	return last
}

// consuming runs the read model's consumer over a store until stopped.
type consuming struct {
	stop func()
	err  chan error // what Run returned, once it has
}

func (b *bench) consume(t testing.TB, s *store.Store) *consuming {
	t.Helper()
	c, err := consume.New(consume.Config{Name: "readmodel", Prefixes: events.AggregatePrefixes(), Store: s, Log: b.model.Log(),
		Handler: b.model.Handle, MaxRun: 20, Retries: 1, MinBackoff: time.Millisecond, MaxBackoff: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done, out := make(chan struct{}), make(chan error, 1)
	go func() { out <- c.Run(ctx); close(done) }()
	stop := func() { cancel(); <-done }
	t.Cleanup(stop)
	return &consuming{stop: stop, err: out}
}

// until waits for the read model to reach a position.
func (b *bench) until(t testing.TB, at events.Position) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	p := projections.NewProgress(projections.ProgressConfig{Name: "readmodel", Pool: b.pools.Reader, Poll: time.Millisecond})
	if err := p.Wait(ctx, at); err != nil {
		t.Fatal(err)
	}
}

func TestARebuildFromTheLogGivesTheLiveTables(t *testing.T) {
	t.Parallel()
	h := sample()
	b := newBench(t, h.codec)
	watch := b.owner(t)
	s := newStore(t)
	live := b.consume(t, s)
	b.until(t, appendTo(t, s, h.records[:20]))
	last := appendTo(t, s, h.records[20:])
	b.until(t, last)
	before := tablesOf(t, watch)
	if strings.Count(before["deliveries"], "\n") != 5 {
		t.Fatalf("the live tables hold\n%s", before["deliveries"])
	}

	if err := b.model.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	if empty := tablesOf(t, watch); empty["deliveries"]+empty["users"]+empty["progress"] != "" {
		t.Fatalf("after clearing there is still %v", empty)
	}
	// The owner of before learns of it with its next commit.
	last = appendTo(t, s, more(h))
	select {
	case err := <-live.err:
		if !errors.Is(err, consume.ErrFenced) {
			t.Fatalf("the consumer of before ended with %v, want ErrFenced", err)
		}
	case <-time.After(patience):
		t.Fatal("the consumer of before goes on")
	}
	again := b.consume(t, s)
	b.until(t, last)
	again.stop()
	after := tablesOf(t, watch)
	if n := strings.Count(after["deliveries"], "\n"); n != 6 {
		t.Fatalf("the rebuilt tables hold %d deliveries, want 7", n+1)
	}
	fresh := newBench(t, h.codec)
	third := fresh.consume(t, s)
	fresh.until(t, last)
	third.stop()
	differ(t, after, tablesOf(t, fresh.owner(t)))
	for _, table := range []string{"users", "grants", "clients", "groups", "organisations", "vehicles"} {
		if after[table] != before[table] {
			t.Errorf("read.%s differs after the rebuild\n got %s\nwant %s", table, after[table], before[table])
		}
	}
}

// more lets one more delivery happen and returns the new records.
func more(h *history) []events.Record {
	n := len(h.records)
	id := number(7000 + n)
	h.happens(events.CategoryDelivery, org, id, &events.DeliveryCreated{DONumber: fmt.Sprint("N", n), Type: events.TypeDelivery,
		Date: "2026-03-02", Group: apple, Attempt: 1, Recipient: events.PersonalText(id, "Rae")})
	h.happens(events.CategoryDelivery, org, id, &events.DeliveryDispatched{})
	return h.records[n:]
}

func TestAnEventThatCannotBeARowIsParkedWithItsStreamAndNothingElse(t *testing.T) {
	t.Parallel()
	good := `{"do_number":"B1","type":"delivery","date":"2026-03-01","attempt":1}`
	for name, spoil := range map[string]func(r *events.Record){
		"no JSON":              func(r *events.Record) { r.Data = []byte(`{"do_number":`) },
		"unknown event":        func(r *events.Record) { r.Type = "DeliveryTeleported" },
		"no metadata":          func(r *events.Record) { r.Metadata = []byte(`{}`) },
		"wrong date":           func(r *events.Record) { r.Data = []byte(strings.Replace(good, "03-01", "13-01", 1)) },
		"attempt out of range": func(r *events.Record) { r.Data = []byte(strings.Replace(good, ":1}", ":3000000000}", 1)) },
		"number too long": func(r *events.Record) {
			r.Data = []byte(strings.Replace(good, "B1", strings.Repeat("0123456789", 300), 1))
		},
		"foreign category": func(r *events.Record) { r.Type, r.Data = "UserBlocked", []byte(`{}`) },
		"sealed for another event": func(r *events.Record) {
			r.ID = uuid.New()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := sample()
			bad := more(h) // two events of one stream
			spoil(&h.records[len(h.records)-2])
			bad[0] = h.records[len(h.records)-2]
			more(h)
			b := newBench(t, h.codec)
			s := newStore(t)
			c := b.consume(t, s)
			b.until(t, appendTo(t, s, h.records))
			c.stop()
			if err := <-c.err; err != nil {
				t.Fatalf("the consumer ended with %v", err)
			}
			conn := b.owner(t)
			rows, err := conn.Query(t.Context(), `SELECT stream || '@' || revision FROM ops.parked WHERE cause <> '' ORDER BY 1`)
			if err != nil {
				t.Fatal(err)
			}
			parked, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if want := []string{bad[0].Stream + "@0", bad[0].Stream + "@1"}; err != nil || fmt.Sprint(parked) != fmt.Sprint(want) {
				t.Errorf("parked are %v, want %v (%v)", parked, want, err)
			}
			got := tablesOf(t, conn)
			if n := strings.Count(got["deliveries"], "delivery_id"); n != 7 {
				t.Errorf("%d deliveries, want 7: all but the parked one", n)
			}
			var state string
			if err := conn.QueryRow(t.Context(), `SELECT state FROM ops.projections`).Scan(&state); err != nil || state != "parked" {
				t.Errorf("the state is %q (%v), want parked", state, err)
			}
		})
	}
}

func TestOfTwoConsumersOneStopsAndTheTablesAreRight(t *testing.T) {
	t.Parallel()
	h := sample()
	for range 100 {
		more(h)
	}
	b := newBench(t, h.codec)
	s := newStore(t)
	one, two := b.consume(t, s), b.consume(t, s)
	last := appendTo(t, s, h.records)
	b.until(t, last)
	// One may have had everything before the other began: then they meet at what
	// comes next.
	for end, fenced := time.Now().Add(patience), false; !fenced; {
		select {
		case err := <-one.err:
			if fenced = true; !errors.Is(err, consume.ErrFenced) {
				t.Errorf("the first consumer ended with %v, want ErrFenced", err)
			}
		case err := <-two.err:
			if fenced = true; !errors.Is(err, consume.ErrFenced) {
				t.Errorf("the second consumer ended with %v, want ErrFenced", err)
			}
		default:
			if time.Now().After(end) {
				t.Fatal("both consumers go on")
			}
			last = appendTo(t, s, more(h))
			b.until(t, last)
		}
	}
	fresh := newBench(t, h.codec)
	c := fresh.consume(t, s)
	fresh.until(t, last)
	c.stop()
	differ(t, tablesOf(t, b.owner(t)), tablesOf(t, fresh.owner(t)))
}

func TestOutagesOfPostgresAndOfTheKeyRingParkNothing(t *testing.T) {
	t.Parallel()
	h := sample()
	b := newBench(t, h.codec)
	conn := b.owner(t)
	s := newStore(t)
	c := b.consume(t, s)
	h.ring.fail(fault.New(fault.Unavailable, "away", "Away."))
	var last events.Position
	for i := range 30 {
		last = appendTo(t, s, more(h)) // each with personal data
		if _, err := conn.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = 'waybill_projector'`); err != nil {
			t.Fatal(err)
		}
		if i == 20 {
			h.ring.fail(nil)
		}
	}
	b.until(t, last)
	c.stop()
	var parked, rows int
	if err := conn.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM ops.parked), (SELECT count(*) FROM read.deliveries
		WHERE status = 'dispatched' AND details LIKE '%"recipient":"Rae"%')`).Scan(&parked, &rows); err != nil || parked != 0 || rows != 30 {
		t.Fatalf("%d events are parked, %d deliveries are there (%v); want none and 30", parked, rows, err)
	}
}
