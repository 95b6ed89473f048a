package trail_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"waybill/aggregates"
	"waybill/aggregates/aggregatetest"
	"waybill/aggregates/trail"
	"waybill/events"
	"waybill/events/store"
)

var eventstore string

func TestMain(m *testing.M) { os.Exit(aggregatetest.Main(m, &eventstore)) }

var at = time.Date(2026, 3, 2, 23, 59, 0, 0, time.UTC)

type bundle struct {
	*trail.Recorder
	store    *store.Store
	codec    *events.Codec
	registry *prometheus.Registry
}

func setup(t *testing.T, queue int) *bundle {
	t.Helper()
	b := &bundle{store: aggregatetest.Open(t, eventstore), codec: aggregatetest.Codec(t), registry: prometheus.NewRegistry()}
	x, err := aggregates.New(aggregates.Config{Store: b.store, Codec: b.codec, Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	b.Recorder, err = trail.New(trail.Config{Executor: x, Store: b.store, Codec: b.codec, Registry: b.registry, Queue: queue})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// metric returns the value of a counter.
func (b *bundle) metric(t *testing.T, name string) float64 {
	t.Helper()
	families, err := b.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}

var stranger = events.Actor{Type: events.ActorIdentity}

func TestWhatWasRecordedIsWrittenOnceByHoweverManyProcesses(t *testing.T) {
	t.Parallel()
	org := uuid.New()
	const each = 250
	ctx, stop := context.WithCancel(aggregatetest.Within(t))
	var ended, recorded sync.WaitGroup
	processes := []*bundle{setup(t, each), setup(t, each)}
	for i, b := range processes {
		ended.Go(func() {
			if err := b.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		recorded.Go(func() {
			for n := range each {
				b.Record(org, stranger, events.Source{IP: "10.0.0.1"}, &events.SignInRefused{Cause: fmt.Sprint(i, " ", n)})
			}
		})
	}
	recorded.Wait()
	stop() // what waits is written still
	ended.Wait()
	for i, b := range processes {
		if got := b.metric(t, "waybill_trail_recorded_total"); got != each {
			t.Errorf("process %d counts %v written and %v dropped, want %d and 0", i, got, b.metric(t, "waybill_trail_dropped_total"), each)
		}
	}
	b := processes[0]
	records, err := b.store.Read(aggregatetest.Within(t), "Trail-"+org.String()+".2026-03-02", 0, 4*each)
	if err != nil {
		t.Fatal(err)
	}
	causes := map[string]bool{}
	for _, r := range records {
		e, err := b.codec.Decode(r)
		if err != nil {
			t.Fatal(err)
		}
		causes[e.Payload.(*events.SignInRefused).Cause] = true
		if e.Metadata.Org != org || e.Metadata.Source.IP != "10.0.0.1" || !e.Metadata.RecordedAt.Equal(at) {
			t.Fatalf("metadata %+v", e.Metadata)
		}
	}
	if len(records) != 2*each || len(causes) != 2*each {
		t.Errorf("%d events with %d causes, want %d", len(records), len(causes), 2*each)
	}
}

func TestWhatComesTooFastIsDroppedAndCounted(t *testing.T) {
	t.Parallel()
	b := setup(t, 3)
	for range 10 { // nothing is written, and nobody waits
		b.Record(uuid.Nil, stranger, events.Source{}, &events.SignInRefused{Cause: "sign-in-failed"})
	}
	if got := b.metric(t, "waybill_trail_dropped_total"); got != 7 {
		t.Errorf("%v dropped, want 7", got)
	}
}
