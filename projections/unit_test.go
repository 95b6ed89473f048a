package projections_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/events"
	"waybill/events/consume"
	"waybill/projections"
)

// vehicles is the rows of a small consumer: it registers vehicles, and fails in
// the database for one without a name.
type vehicles struct{ names []string }

func (v *vehicles) Reset() { v.names = nil }

func (v *vehicles) Queue(b *pgx.Batch) {
	for _, n := range v.names {
		b.Queue(`INSERT INTO read.vehicles VALUES (gen_random_uuid(), gen_random_uuid(), nullif($1, ''), '', 1)`, n)
	}
}

func at(n uint64) events.Position { return events.Position{Commit: n, Prepare: n + 1} }

func newLog(t testing.TB, pools *projections.Pools, name string) *projections.Log {
	t.Helper()
	log, err := projections.NewLog(projections.LogConfig{
		Name: name, Pool: pools.Projector, Owner: t.Name(),
		NewRows: func() projections.Rows { return &vehicles{} },
		Now:     func() time.Time { return time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return log
}

func unit(log *projections.Log, names ...string) *projections.Unit {
	u := log.Begin().(*projections.Unit)
	u.Reset()
	u.Rows().(*vehicles).names = names
	return u
}

func load(t testing.TB, log *projections.Log) consume.Checkpoint {
	t.Helper()
	c, err := log.Load(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func countVehicles(t testing.TB, pools *projections.Pools) (n int) {
	t.Helper()
	if err := pools.Projector.QueryRow(context.Background(), `SELECT count(*) FROM read.vehicles`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestRowsAndCheckpointAreCommittedTogetherOrNotAtAll(t *testing.T) {
	t.Parallel()
	pools := open(t)
	log := newLog(t, pools, "p")
	if c := load(t, log); !c.Position.IsZero() || len(c.Parked) != 0 {
		t.Fatalf("a consumer that never committed is at %v", c)
	}
	if err := unit(log, "a", "b").Commit(t.Context(), events.Position{}, at(10)); err != nil {
		t.Fatal(err)
	}
	if err := unit(log, "c", "", "d").Commit(t.Context(), at(10), at(20)); err == nil || errors.Is(err, consume.ErrFenced) {
		t.Fatalf("a unit with a row that cannot be: %v", err)
	}
	if c, n := load(t, log), countVehicles(t, pools); c.Position != at(10) || n != 2 {
		t.Fatalf("after a failed unit: at %v with %d rows, want %v with 2", c.Position, n, at(10))
	}
	if err := unit(log).Commit(t.Context(), at(10), at(30)); err != nil {
		t.Fatalf("an empty unit: %v", err)
	}
	if c := load(t, log); c.Position != at(30) {
		t.Fatalf("an empty unit moved the checkpoint to %v, want %v", c.Position, at(30))
	}
}

func TestOfTwoOwnersExactlyOneCommitsAndTheOtherWritesNothing(t *testing.T) {
	t.Parallel()
	pools := open(t)
	for round := range uint64(20) {
		after := events.Position{}
		if round > 0 {
			after = at(round * 10)
		}
		var wg sync.WaitGroup
		errs := make([]error, 4)
		for i := range errs {
			wg.Go(func() {
				errs[i] = unit(newLog(t, pools, "p"), "x").Commit(t.Context(), after, at(round*10+10))
			})
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if !errors.Is(err, consume.ErrFenced) {
				t.Fatalf("the loser got %v, want ErrFenced", err)
			}
		}
		if n := countVehicles(t, pools); won != 1 || n != int(round)+1 {
			t.Fatalf("round %d: %d owners won, %d rows are there; want 1 and %d", round, won, n, round+1)
		}
	}
}

func TestParkedEventsAreWrittenWithTheCheckpointAndNameTheirStreams(t *testing.T) {
	t.Parallel()
	pools := open(t)
	log := newLog(t, pools, "p")
	rec := events.Record{Stream: "Delivery-o.1", Revision: 3, ID: uuid.New(), Type: "DeliveryTagged", Position: at(15),
		Created: time.Now(), Metadata: []byte("{}"), Data: []byte{0, 0xff}}
	fenced := unit(log, "a")
	fenced.Park(rec, errors.New("x"))
	if err := fenced.Commit(t.Context(), at(5), at(15)); !errors.Is(err, consume.ErrFenced) {
		t.Fatalf("got %v, want ErrFenced", err)
	}
	if c := load(t, log); len(c.Parked) != 0 {
		t.Fatalf("a fenced unit parked %v", c.Parked)
	}
	u := unit(log, "a")
	u.Park(rec, errors.New("no such\x00thing \xff "+strings.Repeat("é", 3000)))
	rec.Revision++
	u.Park(rec, nil)
	if err := u.Commit(t.Context(), events.Position{}, at(15)); err != nil {
		t.Fatal(err)
	}
	if c := load(t, log); len(c.Parked) != 1 || c.Parked[0] != rec.Stream || c.Position != at(15) {
		t.Fatalf("loaded %+v, want one parked stream at %v", c, at(15))
	}
	if c := load(t, newLog(t, pools, "another")); len(c.Parked) != 0 {
		t.Fatalf("another projection has parked %v", c.Parked)
	}
	var n, causes int
	if err := pools.Projector.QueryRow(t.Context(), `SELECT count(*), count(*) FILTER (WHERE cause LIKE 'no such%') FROM ops.parked
		WHERE data = '\x00ff' AND position = 15 AND prepare_position = 16`).Scan(&n, &causes); err != nil || n != 2 || causes != 1 {
		t.Fatalf("parked rows: %d, %d of them with their cause (%v)", n, causes, err)
	}
	u.Reset()
	if err := u.Commit(t.Context(), at(15), at(25)); err != nil {
		t.Fatal(err)
	}
	if n := countVehicles(t, pools); n != 1 {
		t.Fatalf("%d rows: a reset unit must be empty", n)
	}
}

func TestClearingFencesTheOwnerAndStartsOver(t *testing.T) {
	t.Parallel()
	pools := open(t)
	log := newLog(t, pools, "p")
	u := unit(log, "a")
	u.Park(events.Record{Stream: "s", Metadata: []byte{}, Data: []byte{}}, nil)
	if err := u.Commit(t.Context(), events.Position{}, at(10)); err != nil {
		t.Fatal(err)
	}
	if err := log.Clear(t.Context(), "read.vehicles"); err != nil {
		t.Fatal(err)
	}
	if c := load(t, log); !c.Position.IsZero() || len(c.Parked) != 0 || countVehicles(t, pools) != 0 {
		t.Fatalf("after clearing: %+v and %d rows", c, countVehicles(t, pools))
	}
	if err := unit(log, "b").Commit(t.Context(), at(10), at(20)); !errors.Is(err, consume.ErrFenced) {
		t.Fatalf("the owner of before: %v, want ErrFenced", err)
	}
	if err := unit(log, "b").Commit(t.Context(), events.Position{}, at(20)); err != nil {
		t.Fatal(err)
	}
}

func TestTheStateOfAConsumerCanBeReadWhenItIsDown(t *testing.T) {
	t.Parallel()
	pools := open(t)
	log := newLog(t, pools, "p")
	if err := log.SetState(t.Context(), consume.Failed, "broken\x00", at(7)); err != nil {
		t.Fatal(err)
	}
	if err := unit(log).Commit(t.Context(), events.Position{}, at(10)); err != nil {
		t.Fatalf("a state recorded before the first commit stands in its way: %v", err)
	}
	var state, reason, owner string
	var position int64
	err := pools.Reader.QueryRow(t.Context(), `SELECT state, reason, owner, state_position FROM ops.projections WHERE name = 'p'`).
		Scan(&state, &reason, &owner, &position)
	if err != nil || state != "failed" || reason != "broken\uFFFD" || owner != t.Name() || position != 7 {
		t.Fatalf("read %s %q %s %d (%v)", state, reason, owner, position, err)
	}
}
