package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"waybill/events"
	"waybill/events/fault"
	"waybill/events/store"
	"waybill/events/store/storetest"
)

func TestBulkAppendsEveryStreamOnceOverCutsStallsAndRestarts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := storetest.Start(t, dir, "")
	p := storetest.NewProxy(t, n.ConnectionString())
	s := storetest.Open(t, store.Config{URL: p.URL(), AttemptTimeout: time.Second})
	b, err := s.Bulk(t.Context(), store.BulkConfig{InFlight: 64})
	if err != nil {
		t.Fatal(err)
	}
	category := storetest.Category()
	const writers, each = 4, 750

	var wrote sync.WaitGroup
	for w := range writers {
		wrote.Go(func() {
			var pending []*store.Pending
			for i := range each {
				pending = append(pending, b.Append(t.Context(), fmt.Sprintf("%s%d.%d", category, w, i), events.NoStream, storetest.Events(2)))
			}
			for i, one := range pending {
				if at, err := one.Wait(t.Context()); err != nil || at.IsZero() {
					t.Errorf("writer %d, append %d: %v, %v", w, i, at, err)
				}
			}
		})
	}
	sub := s.Subscribe(t.Context(), store.SubscribeConfig{Prefixes: []string{category}})
	defer sub.Close()
	seen := make(map[string]int)
	for total := 0; total < writers*each*2; total += 100 {
		for _, r := range nextRecords(t, sub, 100) {
			if r.Revision != uint64(seen[r.Stream]) {
				t.Fatalf("stream %s: revision %d after %d", r.Stream, r.Revision, seen[r.Stream])
			}
			seen[r.Stream]++
		}
		switch total {
		case 500, 1500, 1700, 1900:
			p.Cut()
		case 2500:
			p.Stall()
			time.AfterFunc(1500*time.Millisecond, p.Pass) // longer than a try has
		case 4000:
			address := n.Addr()
			n.Stop()
			n = storetest.Start(t, dir, address)
		}
	}
	wrote.Wait()
	if err := b.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for stream, events := range seen {
		if events != 2 {
			t.Errorf("stream %s has %d events, want 2", stream, events)
		}
	}
}

func TestBulkKeepsItsPlacesBounded(t *testing.T) {
	t.Parallel()
	p := storetest.NewProxy(t, storetest.ProxyableURL(t))
	s := storetest.Open(t, store.Config{URL: p.URL(), AttemptTimeout: time.Second})
	b, err := s.Bulk(t.Context(), store.BulkConfig{InFlight: 2})
	if err != nil {
		t.Fatal(err)
	}
	category := storetest.Category()
	p.Stall()
	first := b.Append(t.Context(), category+"1", events.NoStream, storetest.Events(1))
	b.Append(t.Context(), category+"2", events.NoStream, storetest.Events(1))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := b.Append(ctx, category+"3", events.NoStream, storetest.Events(1)).Wait(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a third append got %v, want to run out of its context's time", err)
	}
	if _, err := first.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting got %v, want to run out of its context's time", err)
	}
	p.Pass()
	if _, err := first.Wait(t.Context()); err != nil {
		t.Errorf("after the stall: %v", err)
	}
	if err := b.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Append(t.Context(), category+"4", events.NoStream, storetest.Events(1)).Wait(t.Context()); err == nil {
		t.Error("an append after Close succeeded")
	}
}

func TestBulkGivesUpInTimeAndSaysThatTheOutcomeIsUnknown(t *testing.T) {
	t.Parallel()
	p := storetest.NewProxy(t, storetest.ProxyableURL(t))
	s := storetest.Open(t, store.Config{URL: p.URL(), Timeout: 300 * time.Millisecond, AttemptTimeout: 100 * time.Millisecond})
	b, err := s.Bulk(t.Context(), store.BulkConfig{})
	if err != nil {
		t.Fatal(err)
	}
	p.Stall()
	_, err = b.Append(t.Context(), storetest.Category()+"1", events.NoStream, storetest.Events(1)).Wait(t.Context())
	var unknown *store.UnknownOutcomeError
	if !errors.As(err, &unknown) || !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v, want an unknown outcome of kind unavailable", err)
	}
	s = storetest.Open(t, store.Config{URL: p.URL()}) // one that would not give up so soon
	if b, err = s.Bulk(t.Context(), store.BulkConfig{}); err != nil {
		t.Fatal(err)
	}
	left := b.Append(t.Context(), storetest.Category()+"2", events.NoStream, storetest.Events(1))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := b.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Close got %v, want to run out of its context's time", err)
	}
	if _, err := left.Wait(t.Context()); !errors.As(err, &unknown) {
		t.Errorf("what was left at Close got %v, want an unknown outcome", err)
	}
}
