package readapi_test

import (
	"sync"
	"testing"
	"time"

	"waybill/aggregates/access"
	"waybill/aggregates/command"
)

// clock is the clock of a process: the machine's, until it is set. It is the one by
// which everything ends that ends by itself, so nothing has to be waited for.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
	still time.Time // not zero: it stands still there
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.still.IsZero() {
		return c.still
	}
	return time.Now().Add(c.ahead)
}

// advance sets it ahead.
func (c *clock) advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += by
}

// stop lets it stand still at a time.
func (c *clock) stop(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.still = at
}

// beside returns another process on the same stores, with a clock of its own, which
// runs no consumers.
func (s *stack) beside(t testing.TB) *stack { return s.besideAs(t, nil) }

// besideAs is beside with something in place of what its commands know of people.
func (s *stack) besideAs(t testing.TB, identities func(*access.Service) command.Identities) *stack {
	t.Helper()
	o := &stack{logs: s.logs, clock: &clock{}, node: s.node, pools: s.pools, progress: s.progress}
	o.decide(t, access.Limits{}, identities)
	o.serve(t, plenty)
	return o
}

// at is the same person who asks another process.
func (p person) at(o *stack) person {
	p.s = o
	return p
}

// until waits for what is about to come to be.
func until(t testing.TB, holds func() bool) {
	t.Helper()
	eventually(t, "what is about to come to be", holds)
}

// eventually polls until a condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	late := time.NewTimer(plenty)
	defer late.Stop()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for !holds() {
		select {
		case <-look.C:
		case <-late.C:
			t.Fatalf("%s: not within %s", what, plenty)
		}
	}
}
