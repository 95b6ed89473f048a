package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"waybill/events"
	"waybill/events/store"
	"waybill/events/store/storetest"
)

func TestSubscriptionYieldsItsPrefixesInLogOrderThenCatchesUp(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Config{URL: storetest.URL(t)})
	a, b, other := storetest.Category(), storetest.Category(), storetest.Category()
	var want []events.Proposed
	for i := range 50 {
		for _, category := range []string{a, other, b} {
			evs := storetest.Events(2)
			mustAppend(t, s, category+"1", events.Expected(2*i-1), evs)
			if category != other {
				want = append(want, evs...)
			}
		}
	}
	tail := mustAppend(t, s, other+"2", events.NoStream, storetest.Events(3))

	sub := s.Subscribe(t.Context(), store.SubscribeConfig{Prefixes: []string{a, b}})
	defer sub.Close()
	got, caughtUp := untilCaughtUp(t, sub)
	sameEvents(t, got, want)
	if tail.After(caughtUp) {
		t.Errorf("caught up at %v, before the unwanted events at %v", caughtUp, tail)
	}

	live := storetest.Events(3)
	mustAppend(t, s, b+"live", events.NoStream, live)
	sameEvents(t, nextRecords(t, sub, 3), live)
}

func TestSubscriptionContinuesAfterAPositionExclusively(t *testing.T) {
	t.Parallel()
	s, category := storetest.Open(t, store.Config{URL: storetest.URL(t)}), storetest.Category()
	mustAppend(t, s, category+"1", events.NoStream, storetest.Events(3))
	from := mustAppend(t, s, category+"1", 2, storetest.Events(1))
	rest := storetest.Events(2)
	mustAppend(t, s, category+"1", 3, rest)

	sub := s.Subscribe(t.Context(), store.SubscribeConfig{Prefixes: []string{category}, From: from})
	defer sub.Close()
	got, _ := untilCaughtUp(t, sub)
	sameEvents(t, got, rest)
}

func TestSubscriptionOfAnEmptyPrefixStillGetsACheckpoint(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Config{URL: storetest.URL(t)})
	head := mustAppend(t, s, storetest.Category()+"1", events.NoStream, storetest.Events(1))
	sub := s.Subscribe(t.Context(), store.SubscribeConfig{Prefixes: []string{storetest.Category()}})
	defer sub.Close()
	if got, at := untilCaughtUp(t, sub); len(got) != 0 || head.After(at) {
		t.Errorf("caught up at %v with %d events, want none and at least %v", at, len(got), head)
	}
}

func TestStreamSubscriptionWaitsForItsStreamAndStartsWhereTold(t *testing.T) {
	t.Parallel()
	s, category := storetest.Open(t, store.Config{URL: storetest.URL(t)}), storetest.Category()
	evs := storetest.Events(5)
	early := s.SubscribeStream(t.Context(), category+"1", 0)
	defer early.Close()
	untilCaughtUp(t, early)
	mustAppend(t, s, category+"1", events.NoStream, evs)
	mustAppend(t, s, category+"10", events.NoStream, storetest.Events(2))
	sameEvents(t, nextRecords(t, early, 5), evs)

	late := s.SubscribeStream(t.Context(), category+"1", 3)
	defer late.Close()
	got, _ := untilCaughtUp(t, late)
	sameEvents(t, got, evs[3:])
}

func TestSubscriptionsLoseAndDoubleNothingOverCutsAndRestarts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := storetest.Start(t, dir, "")
	p := storetest.NewProxy(t, n.ConnectionString())
	s := storetest.Open(t, store.Config{URL: p.URL(), AttemptTimeout: 2 * time.Second})
	category := storetest.Category()

	const total = 1200
	var want []events.Proposed
	wrote := make(chan error, 1)
	for range total {
		want = append(want, storetest.Events(1)...)
	}
	go func() {
		for i := 0; i < total; i += 4 {
			if _, err := s.Append(context.Background(), category+"1", events.Expected(i-1), want[i:i+4]); err != nil {
				wrote <- err
				return
			}
		}
		wrote <- nil
	}()

	all := s.Subscribe(t.Context(), store.SubscribeConfig{Prefixes: []string{category}, Buffer: 8})
	defer all.Close()
	one := s.SubscribeStream(t.Context(), category+"1", 0)
	defer one.Close()
	var got []events.Record
	for len(got) < total {
		got = append(got, nextRecords(t, all, 100)...)
		switch len(got) / 100 {
		case 2, 5, 9:
			p.Cut()
		case 7:
			address := n.Addr()
			n.Stop()
			n = storetest.Start(t, dir, address)
		}
	}
	if err := <-wrote; err != nil {
		t.Fatal(err)
	}
	sameEvents(t, got, want)
	sameEvents(t, nextRecords(t, one, total), want)
}

func TestNextReturnsWithItsContextAndAfterClose(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Config{URL: storetest.URL(t)})
	sub := s.Subscribe(t.Context(), store.SubscribeConfig{Prefixes: []string{storetest.Category()}})
	untilCaughtUp(t, sub)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := sub.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with nothing to come: %v", err)
	}
	sub.Close()
	if _, err := sub.Next(t.Context()); !errors.Is(err, context.Canceled) {
		t.Errorf("after Close: %v", err)
	}
	sub = s.Subscribe(t.Context(), store.SubscribeConfig{})
	s.Close()
	for {
		if _, err := sub.Next(t.Context()); err != nil {
			if !errors.Is(err, store.ErrClosed) {
				t.Errorf("after the store's Close: %v", err)
			}
			break
		}
	}
	if _, err := s.Head(t.Context()); !errors.Is(err, store.ErrClosed) {
		t.Errorf("a call after the store's Close: %v", err)
	}
}

// untilCaughtUp returns the events before the first CaughtUp, and its position.
func untilCaughtUp(t testing.TB, sub *store.Subscription) ([]events.Record, events.Position) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), storetest.Patience)
	defer cancel()
	var records []events.Record
	var last events.Position
	for {
		m, err := sub.Next(ctx)
		if err != nil {
			t.Fatalf("after %d events: %v", len(records), err)
		}
		switch {
		case m.Record != nil:
			if !m.Record.Position.After(last) {
				t.Fatalf("position %v comes after %v", m.Record.Position, last)
			}
			records, last = append(records, *m.Record), m.Record.Position
		case m.CaughtUp:
			return records, m.Checkpoint
		case last.After(m.Checkpoint):
			t.Fatalf("checkpoint %v comes after %v", m.Checkpoint, last)
		}
	}
}

// nextRecords returns the next n events, whatever else comes between.
func nextRecords(t testing.TB, sub *store.Subscription, n int) []events.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), storetest.Patience)
	defer cancel()
	var records []events.Record
	for len(records) < n {
		m, err := sub.Next(ctx)
		if err != nil {
			t.Fatalf("after %d of %d events: %v", len(records), n, err)
		}
		if m.Record != nil {
			records = append(records, *m.Record)
		}
	}
	return records
}

func sameEvents(t testing.TB, got []events.Record, want []events.Proposed) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d events, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i].ID != want[i].ID {
			t.Fatalf("event %d is another one than was written %dth", i, i)
		}
	}
}
