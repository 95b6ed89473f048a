package consume_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"waybill/events"
	"waybill/events/consume"
	"waybill/events/fault"
	"waybill/events/store"
	"waybill/events/store/storetest"
)

// Watermill's suite subscribes fifty times through a multiplier of its own and
// leaves that behind.
func TestMain(m *testing.M) {
	const watermill = "github.com/ThreeDotsLabs/watermill/" // what its suite leaves behind by itself
	storetest.Main(m,
		goleak.IgnoreAnyFunction(watermill+"internal/subscriber.(*multiplier).Subscribe.func2"),
		goleak.IgnoreAnyFunction(watermill+"internal/subscriber.(*multiplier).Subscribe.func3"),
		goleak.IgnoreAnyFunction(watermill+"pubsub/tests.TestReconnect.func2"))
}

func TestConsumerCommitsEveryEventOnceInOrderInRuns(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	want := b.write(t, 10, 120)
	var runs, largest atomic.Int64
	stop := b.run(t, func(ctx context.Context, run *consume.Run) error {
		runs.Add(1)
		largest.Store(max(largest.Load(), int64(len(run.Records))))
		if !run.Last.After(run.After) || run.Records[0].Position.Compare(run.After) <= 0 ||
			run.Last.Compare(run.Records[len(run.Records)-1].Position) < 0 {
			return consume.Permanent(fmt.Errorf("run (%v, %v] does not cover its events", run.After, run.Last))
		}
		return foldAll(ctx, run)
	})
	b.log.until(t, func() bool { return len(b.log.rows) >= 600 })
	more := b.write(t, 5, 20)
	b.log.until(t, func() bool { return len(b.log.rows) >= len(want)+len(more) })
	stop()
	b.expect(t, append(want, more...), nil)
	if largest.Load() > 100 || runs.Load() < 13 {
		t.Errorf("%d runs, the largest of %d events; no run may have more than 100", runs.Load(), largest.Load())
	}
}

func TestConsumerContinuesFromItsCheckpoint(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	want := b.write(t, 3, 10)
	stop := b.run(t, foldAll)
	b.log.until(t, func() bool { return len(b.log.rows) == len(want) })
	stop()
	want = append(want, b.write(t, 3, 10)...)
	stop = b.run(t, foldAll)
	b.log.until(t, func() bool { return len(b.log.rows) == len(want) })
	stop()
	b.expect(t, want, nil)
}

func TestAFailingEventParksItselfAndItsStreamAndNothingElse(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func() error{
		"permanent": func() error { return consume.Permanent(errors.New("cannot decode")) },
		"invalid":   func() error { return fault.New(fault.Invalid, "bad", "Bad.") },
		"panic":     func() error { panic("broken handler") },
		"unknown":   func() error { return errors.New("something") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			all := b.write(t, 7, 60)
			culprit := all[3*60+17] // the 18th event of the 4th stream
			stop := b.run(t, func(ctx context.Context, run *consume.Run) error {
				for _, r := range run.Records {
					if r.ID == culprit.ID {
						return fail()
					}
				}
				return foldAll(ctx, run)
			})
			b.log.until(t, func() bool { return len(b.log.rows)+len(b.log.parked) == len(all) })
			stop()
			b.expect(t, append(append([]events.Proposed{}, all[:3*60+17]...), all[4*60:]...), all[3*60+17:4*60])
			if b.log.states[len(b.log.states)-1] != consume.Parked {
				t.Errorf("states: %v", b.log.states)
			}

			// A new start knows the parked stream.
			later := storetest.Events(2)
			b.append(t, 3, 60, later)
			fresh := b.write(t, 1, 3)
			stop = b.run(t, foldAll)
			b.log.until(t, func() bool { return len(b.log.rows)+len(b.log.parked) == len(all)+5 })
			stop()
			if n := len(b.log.parked); b.log.parked[n-1].record.ID != later[1].ID {
				t.Errorf("the parked stream's later events are not parked")
			}
			if n := len(b.log.rows); b.log.rows[n-1].ID != fresh[2].ID {
				t.Errorf("other streams' events are not handled")
			}
		})
	}
}

func TestAnOutageOfWhatTheHandlerNeedsParksNothing(t *testing.T) {
	t.Parallel()
	for name, outage := range map[string]error{
		"unavailable":   fault.New(fault.Unavailable, "away", "Away."),
		"network":       &net.OpError{Op: "dial", Err: errors.New("connection refused")},
		"deadline":      fmt.Errorf("query: %w", context.DeadlineExceeded),
		"serialization": sqlError("40001"),
		"shutting down": sqlError("57P01"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			want := b.write(t, 2, 20)
			var tries atomic.Int64
			stop := b.run(t, func(ctx context.Context, run *consume.Run) error {
				if tries.Add(1) < 12 {
					foldAll(ctx, run) // what a failed try has folded must be forgotten
					return outage
				}
				return foldAll(ctx, run)
			})
			b.log.until(t, func() bool { return len(b.log.rows) == len(want) })
			stop()
			b.expect(t, want, nil)
		})
	}
}

func TestNothingIsParkedWhileProgressCannotBeRead(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	want := b.write(t, 1, 5)
	var tries atomic.Int64
	stop := b.run(t, func(ctx context.Context, run *consume.Run) error {
		switch n := tries.Add(1); {
		case n == 1:
			b.log.set(func() { b.log.away = true })
		case n >= 40: // both are there again
			b.log.set(func() { b.log.away = false })
			return foldAll(ctx, run)
		}
		return errors.New("cannot query") // nothing says that this is an outage
	})
	b.log.until(t, func() bool { return len(b.log.rows) == len(want) })
	stop()
	b.expect(t, want, nil)
}

func TestAFailedCommitIsRepeatedFromTheCheckpointWithoutDoubling(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	want := b.write(t, 10, 100)
	var runs atomic.Int64
	stop := b.run(t, func(ctx context.Context, run *consume.Run) error {
		switch runs.Add(1) {
		case 2, 9:
			b.log.set(func() { b.log.loseAnswer = true })
		case 5:
			b.log.set(func() { b.log.away = true })
			time.AfterFunc(30*time.Millisecond, func() { b.log.set(func() { b.log.away = false }) })
		}
		return foldAll(ctx, run)
	})
	b.log.until(t, func() bool { return len(b.log.rows) >= len(want) })
	stop()
	b.expect(t, want, nil)
}

func TestAConsumerThatIsFencedStops(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.write(t, 1, 10)
	c := b.consumer(t, func(ctx context.Context, run *consume.Run) error {
		b.log.set(func() { b.log.at.Commit++; b.log.at.Prepare++ }) // somebody else was here
		return foldAll(ctx, run)
	})
	if err := c.Run(t.Context()); !errors.Is(err, consume.ErrFenced) {
		t.Errorf("Run returned %v, want ErrFenced", err)
	}
	if len(b.log.rows) != 0 {
		t.Error("a fenced consumer wrote rows")
	}
}

func TestEventsOfOthersMoveTheCheckpointToo(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	other := storetest.Category()
	var head events.Position
	for i := range 3 {
		at, err := b.store.Append(t.Context(), fmt.Sprint(other, i), events.NoStream, storetest.Events(500))
		if err != nil {
			t.Fatal(err)
		}
		head = at
	}
	var called atomic.Bool
	stop := b.run(t, func(context.Context, *consume.Run) error { called.Store(true); return nil })
	b.log.until(t, func() bool { return !head.After(b.log.at) })
	stop()
	if called.Load() {
		t.Error("the handler was called without events")
	}
}

func TestConsumerSurvivesOutagesOfTheStore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := storetest.Start(t, dir, "")
	p := storetest.NewProxy(t, n.ConnectionString())
	b := &bench{
		store:    storetest.Open(t, store.Config{URL: p.URL(), AttemptTimeout: time.Second}),
		log:      newMemoryLog(),
		category: storetest.Category(),
	}
	stop := b.run(t, foldAll)
	var want []events.Proposed
	for i := range 7 {
		want = append(want, b.write(t, 3, 40)...)
		switch i {
		case 1, 3:
			p.Cut()
		case 2:
			p.Refuse()
			time.AfterFunc(100*time.Millisecond, p.Pass)
		case 4:
			address := n.Addr()
			n.Stop()
			n = storetest.Start(t, dir, address)
		case 5:
			p.Stall()
			time.AfterFunc(1500*time.Millisecond, p.Pass) // longer than a try has
		}
	}
	b.log.until(t, func() bool { return len(b.log.rows) >= len(want) })
	stop()
	b.expect(t, want, nil)
}

func TestCommittedPositionsAreAnnouncedInOrder(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var announced []events.Position
	b.committed = func(p events.Position) { announced = append(announced, p) }
	want := b.write(t, 5, 100)
	stop := b.run(t, foldAll)
	b.log.until(t, func() bool { return len(b.log.rows) == len(want) })
	stop()
	for i := 1; i < len(announced); i++ {
		if !announced[i].After(announced[i-1]) {
			t.Fatalf("position %v was announced after %v", announced[i], announced[i-1])
		}
	}
	if n := len(announced); n == 0 || announced[n-1] != b.log.at {
		t.Errorf("announced %d positions, not up to %v", n, b.log.at)
	}
}

// bench is a store, a consumer's log, and streams to consume.
type bench struct {
	store     *store.Store
	log       *memoryLog
	category  string
	streams   int
	committed func(events.Position)
	registry  *prometheus.Registry
}

func newBench(t testing.TB) *bench {
	return &bench{
		store:    storetest.Open(t, store.Config{URL: storetest.URL(t)}),
		log:      newMemoryLog(),
		category: storetest.Category(),
		registry: prometheus.NewRegistry(),
	}
}

func (b *bench) consumer(t testing.TB, handler func(context.Context, *consume.Run) error) *consume.Consumer {
	t.Helper()
	cfg := consume.Config{
		Name: "tested", Prefixes: []string{b.category}, Store: b.store, Log: b.log, Handler: handler, MaxRun: 100,
		Retries: 3, MinBackoff: time.Millisecond, MaxBackoff: 4 * time.Millisecond, Progress: 50 * time.Millisecond, Look: time.Millisecond,
		Committed: b.committed,
	}
	if b.registry != nil {
		cfg.Registry = b.registry
	}
	c, err := consume.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// run runs a consumer; the returned function ends it and waits for that.
func (b *bench) run(t testing.TB, handler func(context.Context, *consume.Run) error) (stop func()) {
	t.Helper()
	c := b.consumer(t, handler)
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- c.Run(ctx) }()
	var once atomic.Bool
	stop = func() {
		cancel()
		if once.Swap(true) {
			return
		}
		if err := <-ran; err != nil {
			t.Errorf("Run returned %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}

// write appends n events to each of some new streams.
func (b *bench) write(t testing.TB, streams, n int) []events.Proposed {
	t.Helper()
	var all []events.Proposed
	for range streams {
		evs := storetest.Events(n)
		if _, err := b.store.Append(t.Context(), fmt.Sprint(b.category, b.streams), events.NoStream, evs); err != nil {
			t.Fatal(err)
		}
		b.streams++
		all = append(all, evs...)
	}
	return all
}

func (b *bench) append(t testing.TB, stream, has int, evs []events.Proposed) {
	t.Helper()
	if _, err := b.store.Append(t.Context(), fmt.Sprint(b.category, stream), events.Expected(has-1), evs); err != nil {
		t.Fatal(err)
	}
}

// expect compares what was committed.
func (b *bench) expect(t testing.TB, rows, parked []events.Proposed) {
	t.Helper()
	if len(b.log.rows) != len(rows) || len(b.log.parked) != len(parked) {
		t.Fatalf("%d rows and %d parked events, want %d and %d", len(b.log.rows), len(b.log.parked), len(rows), len(parked))
	}
	for i, want := range rows {
		if b.log.rows[i].ID != want.ID {
			t.Fatalf("row %d is of another event", i)
		}
	}
	for i, want := range parked {
		if b.log.parked[i].record.ID != want.ID || b.log.parked[i].cause == nil {
			t.Fatalf("parked event %d is another one, or has no cause (%v)", i, b.log.parked[i].cause)
		}
	}
}

type sqlError string

func (e sqlError) Error() string    { return "database: " + string(e) }
func (e sqlError) SQLState() string { return string(e) }
