package consume_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/events"
	"waybill/events/consume"
	"waybill/events/store"
	"waybill/events/store/storetest"
)

// BenchmarkCatchUp consumes b.N events with a handler and a unit that do
// nothing, and reports the rate against a bare subscription to the same events
// in the same run.
func BenchmarkCatchUp(b *testing.B) {
	s := storetest.Open(b, store.Config{URL: storetest.URL(b)})
	category := storetest.Category()
	fill(b, s, category, b.N)
	var bare, whole time.Duration
	b.ResetTimer()
	for range 2 {
		b.StopTimer()
		began := time.Now()
		sub := s.Subscribe(b.Context(), store.SubscribeConfig{Prefixes: []string{category}})
		nextRecords(b, sub, b.N)
		bare += time.Since(began)
		sub.Close()
		b.StartTimer()
		began = time.Now()
		consumeAll(b, s, category, b.N)
		whole += time.Since(began)
	}
	b.StopTimer()
	b.ReportMetric(2*float64(b.N)/bare.Seconds(), "subscribed/s")
	b.ReportMetric(2*float64(b.N)/whole.Seconds(), "consumed/s")
	b.ReportMetric(bare.Seconds()/whole.Seconds(), "of-subscription")
}

// BenchmarkAcknowledgedToCommitted measures the time from an append's answer to
// the commit of a unit that does nothing, on an idle store.
func BenchmarkAcknowledgedToCommitted(b *testing.B) {
	s := storetest.Open(b, store.Config{URL: storetest.URL(b)})
	category := storetest.Category()
	if _, err := s.Append(b.Context(), category+"first", events.NoStream, storetest.Events(1)); err != nil {
		b.Fatal(err)
	}
	committed := make(chan events.Position, 16)
	stop := runIdle(b, s, category, func(p events.Position) { committed <- p })
	defer stop()
	<-committed
	var took []time.Duration
	b.ResetTimer()
	for i := range b.N {
		at, err := s.Append(b.Context(), fmt.Sprint(category, i), events.NoStream, storetest.Events(1))
		if err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		for at.After(<-committed) {
		}
		took = append(took, time.Since(began))
	}
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-us")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-us")
}

// idleLog keeps a position and does nothing.
type idleLog struct{ at events.Position }

func (l *idleLog) Load(context.Context) (consume.Checkpoint, error) {
	return consume.Checkpoint{Position: l.at}, nil
}
func (l *idleLog) Begin() consume.Unit { return (*idleUnit)(l) }
func (l *idleLog) SetState(context.Context, consume.State, string, events.Position) error {
	return nil
}

type idleUnit idleLog

func (*idleUnit) Reset()                    {}
func (*idleUnit) Park(events.Record, error) {}
func (u *idleUnit) Commit(_ context.Context, _, last events.Position) error {
	u.at = last
	return nil
}

func runIdle(b *testing.B, s *store.Store, category string, committed func(events.Position)) (stop func()) {
	b.Helper()
	c, err := consume.New(consume.Config{
		Name: "idle", Prefixes: []string{category}, Store: s, Log: new(idleLog), Committed: committed,
		Handler: func(context.Context, *consume.Run) error { return nil },
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- c.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ran; err != nil {
			b.Error(err)
		}
	}
}

func consumeAll(b *testing.B, s *store.Store, category string, n int) {
	done := make(chan struct{})
	seen := 0
	c, err := consume.New(consume.Config{
		Name: "idle", Prefixes: []string{category}, Store: s, Log: new(idleLog),
		Handler: func(_ context.Context, run *consume.Run) error {
			if seen += len(run.Records); seen == n {
				close(done)
			}
			return nil
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- c.Run(ctx) }()
	<-done
	cancel()
	if err := <-ran; err != nil {
		b.Error(err)
	}
}

func nextRecords(b *testing.B, sub *store.Subscription, n int) {
	for n > 0 {
		m, err := sub.Next(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if m.Record != nil {
			n--
		}
	}
}

// fill writes n events of about 600 bytes.
func fill(b *testing.B, s *store.Store, category string, n int) {
	w, err := s.Bulk(b.Context(), store.BulkConfig{})
	if err != nil {
		b.Fatal(err)
	}
	var pending []*store.Pending
	for i := 0; n > 0; i++ {
		evs := make([]events.Proposed, min(n, 20))
		for j := range evs {
			evs[j] = events.Proposed{ID: uuid.New(), Type: "Happened", Metadata: []byte(`{"m":1}`), Data: []byte(`{"x":"` + strings.Repeat("d", 542) + `"}`)}
		}
		n -= len(evs)
		pending = append(pending, w.Append(b.Context(), fmt.Sprint(category, i), events.NoStream, evs))
	}
	for _, p := range pending {
		if _, err := p.Wait(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(b.Context()); err != nil {
		b.Fatal(err)
	}
}
