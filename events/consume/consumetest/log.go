// Package consumetest checks that a consume.Log keeps its contract. Only tests
// may import it.
package consumetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/events"
	"waybill/events/consume"
)

// Log runs the checks against logs that open makes: fresh ones, each of a
// consumer that never committed. reopen returns another Log of the same
// consumer, as a second process would have it.
func Log(t *testing.T, open func(t *testing.T) consume.Log, reopen func(t *testing.T, log consume.Log) consume.Log) {
	for name, check := range map[string]func(t *testing.T, one, other consume.Log){
		"a new consumer is at the beginning":                 beginsAtZero,
		"a commit moves the checkpoint for everybody":        movesCheckpoint,
		"a commit elsewhere is fenced and writes nothing":    fences,
		"of concurrent commits exactly one wins":             oneWins,
		"a parked event's stream is named from then on":      namesParked,
		"Reset forgets what was parked":                      resets,
		"every state can be recorded, before any commit too": recordsStates,
	} {
		t.Run(name, func(t *testing.T) {
			one := open(t)
			check(t, one, reopen(t, one))
		})
	}
}

func at(n uint64) events.Position { return events.Position{Commit: n, Prepare: n - n/100} }

func beginsAtZero(t *testing.T, one, _ consume.Log) {
	expect(t, one, events.Position{})
}

func movesCheckpoint(t *testing.T, one, other consume.Log) {
	for i := range uint64(3) {
		after := events.Position{}
		if i > 0 {
			after = at(i * 1000)
		}
		commit(t, one.Begin(), after, at((i+1)*1000))
		expect(t, other, at((i+1)*1000))
	}
}

func fences(t *testing.T, one, other consume.Log) {
	commit(t, one.Begin(), events.Position{}, at(100))
	for _, after := range []events.Position{{}, at(99), at(101), {Commit: 100, Prepare: 100}} {
		u := other.Begin()
		u.Park(record("Delivery-fenced", 150), errors.New("cause"))
		if err := u.Commit(t.Context(), after, at(200)); !errors.Is(err, consume.ErrFenced) {
			t.Errorf("commit after %+v, when the checkpoint is at %+v: %v, want ErrFenced", after, at(100), err)
		}
	}
	expect(t, one, at(100))
}

func oneWins(t *testing.T, one, other consume.Log) {
	units := []consume.Unit{one.Begin(), other.Begin()}
	errs := make([]error, len(units))
	var all sync.WaitGroup
	for i, u := range units {
		all.Go(func() { errs[i] = u.Commit(t.Context(), events.Position{}, at(uint64(100*(i+1)))) })
	}
	all.Wait()
	winner := slices.Index(errs, nil)
	if winner < 0 || !errors.Is(errs[1-winner], consume.ErrFenced) {
		t.Fatalf("the commits returned %v; want one nil and one ErrFenced", errs)
	}
	expect(t, one, at(uint64(100*(winner+1))))
}

func namesParked(t *testing.T, one, other consume.Log) {
	u := one.Begin()
	u.Reset()
	for i, stream := range []string{"Delivery-a", "Delivery-b", "Delivery-a"} {
		u.Park(record(stream, uint64(101+i)), fmt.Errorf("cause %d", i))
	}
	commit(t, u, events.Position{}, at(103))
	expect(t, other, at(103), "Delivery-a", "Delivery-b")
	commit(t, one.Begin(), at(103), at(200))
	expect(t, other, at(200), "Delivery-a", "Delivery-b")
}

func resets(t *testing.T, one, other consume.Log) {
	u := one.Begin()
	u.Park(record("Delivery-a", 50), errors.New("cause"))
	u.Reset()
	commit(t, u, events.Position{}, at(100))
	expect(t, other, at(100))
}

func recordsStates(t *testing.T, one, _ consume.Log) {
	for _, s := range []consume.State{consume.Running, consume.Paused, consume.Parked, consume.Failed, consume.Rebuilding, consume.Running} {
		if err := one.SetState(t.Context(), s, "because", at(100)); err != nil {
			t.Errorf("state %s: %v", s, err)
		}
	}
	expect(t, one, events.Position{})
}

func commit(t *testing.T, u consume.Unit, after, last events.Position) {
	t.Helper()
	if err := u.Commit(t.Context(), after, last); err != nil {
		t.Fatalf("commit (%v, %v]: %v", after, last, err)
	}
}

func expect(t *testing.T, log consume.Log, position events.Position, parked ...string) {
	t.Helper()
	c, err := log.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(c.Parked)
	if c.Position != position || !slices.Equal(c.Parked, parked) {
		t.Errorf("the checkpoint is %+v with parked %q, want %+v with %q", c.Position, c.Parked, position, parked)
	}
}

func record(stream string, n uint64) events.Record {
	return events.Record{
		Stream: stream, Revision: n, ID: uuid.New(), Type: "Tested", Position: at(n), Created: time.Unix(1700000000, 0).UTC(),
		Metadata: []byte(`{}`), Data: []byte(`{}`),
	}
}
