package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"waybill/events"
	"waybill/events/store"
	"waybill/events/store/storetest"
)

func TestAStoreThatIsKilledAndPausedLosesAndDoublesNothingAcknowledged(t *testing.T) {
	p := storetest.StartProcess(t)
	s := storetest.Open(t, store.Config{URL: p.URL(), AttemptTimeout: time.Second})
	category := storetest.Category()
	sub := s.Subscribe(t.Context(), store.SubscribeConfig{Prefixes: []string{category}})
	defer sub.Close()

	const writers = 4
	ctx, cancel := context.WithCancel(t.Context())
	var acknowledged [writers]int
	var wrote sync.WaitGroup
	for w := range writers {
		wrote.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				_, err := s.Append(ctx, fmt.Sprint(category, w), events.Expected(2*i-1), storetest.Events(2))
				if errors.Is(err, context.Canceled) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				acknowledged[w]++
			}
		})
	}
	seen := make(map[string]uint64)
	follow := func(n int) {
		for _, r := range nextRecords(t, sub, n) {
			if r.Revision != seen[r.Stream] {
				t.Fatalf("stream %s: revision %d when %d is next", r.Stream, r.Revision, seen[r.Stream])
			}
			seen[r.Stream]++
		}
	}
	for range 3 {
		follow(200)
		p.Kill()
		p.Start()
		follow(200)
		p.Pause()
		storetest.Eventually(t, "the pause is felt", func() bool {
			short, stop := context.WithTimeout(ctx, 50*time.Millisecond)
			defer stop()
			_, err := s.Head(short)
			return err != nil
		})
		paused := time.AfterFunc(1500*time.Millisecond, p.Resume) // longer than a try has
		follow(200)
		paused.Stop()
	}
	cancel()
	wrote.Wait()
	for w, n := range acknowledged {
		records, err := s.Read(t.Context(), fmt.Sprint(category, w), 0, 100000)
		if err != nil || len(records) < 2*n || len(records) > 2*n+2 || len(records)%2 != 0 {
			t.Errorf("writer %d: %d events (%v) for %d acknowledged appends of two, and one more under way", w, len(records), err, n)
		}
	}
}
