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

// patience is what a test may wait for: far above what a healthy machine needs,
// however busy it is and however slow its disk.
const patience = 5 * time.Minute

type bundle struct {
	*trail.Recorder
	store    *store.Store
	codec    *events.Codec
	registry *prometheus.Registry
}

func setup(t *testing.T, cfg trail.Config) *bundle {
	t.Helper()
	b := &bundle{store: aggregatetest.Open(t, eventstore), codec: aggregatetest.Codec(t), registry: prometheus.NewRegistry()}
	x, err := aggregates.New(aggregates.Config{Store: b.store, Codec: b.codec, Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Executor, cfg.Store, cfg.Codec, cfg.Registry = x, b.store, b.codec, b.registry
	cfg.Limit, cfg.Rest = patience, patience
	b.Recorder, err = trail.New(cfg)
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
	sum, found := 0.0, false
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name {
				sum, found = sum+m.GetCounter().GetValue(), true
			}
		}
	}
	if !found {
		t.Fatalf("there is no metric %s", name)
	}
	return sum
}

// facts returns what the trail of an organisation holds of the day.
func (b *bundle) facts(t *testing.T, org uuid.UUID) []events.Event {
	t.Helper()
	records, err := b.store.Read(aggregatetest.Within(t), "Trail-"+org.String()+".2026-03-02", 0, 4000)
	if err != nil {
		t.Fatal(err)
	}
	var all []events.Event
	for _, r := range records {
		e, err := b.codec.Decode(r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// running runs a recorder until the test says stop, which waits until what is
// waiting is written.
func (b *bundle) running(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(aggregatetest.Within(t))
	var ended sync.WaitGroup
	ended.Go(func() {
		if err := b.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	return func() {
		cancel()
		ended.Wait()
	}
}

var stranger = events.Actor{Type: events.ActorIdentity}

func TestWhatWasRecordedIsWrittenOnceByHoweverManyProcesses(t *testing.T) {
	t.Parallel()
	org := uuid.New()
	const each = 250
	ctx, stop := context.WithCancel(aggregatetest.Within(t))
	var ended, recorded sync.WaitGroup
	cfg := trail.Config{Queue: each, Burst: each}
	processes := []*bundle{setup(t, cfg), setup(t, cfg)}
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
	records := processes[0].facts(t, org)
	causes := map[string]bool{}
	for _, e := range records {
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
	b := setup(t, trail.Config{Queue: 3})
	for range 10 { // nothing is written, and nobody waits
		b.Record(uuid.Nil, stranger, events.Source{}, &events.SignInRefused{Cause: "sign-in-failed"})
	}
	if got := b.metric(t, "waybill_trail_dropped_total"); got != 7 {
		t.Errorf("%v dropped, want 7", got)
	}
}

func TestAFloodPushesOutNobodyElsesFacts(t *testing.T) {
	t.Parallel()
	b := setup(t, trail.Config{Queue: 40, Burst: 1000})
	loud, quiet := uuid.New(), []uuid.UUID{uuid.New(), uuid.New(), uuid.New()}
	someone := func(n int) events.Actor { return events.Actor{Type: events.ActorUser, ID: fmt.Sprint(n)} }
	for n := range 300 { // of many actors, who have shares of their own
		b.Record(loud, someone(n), events.Source{}, &events.CommandRefused{Command: "Loud", Cause: fmt.Sprint(n)})
	}
	for _, org := range quiet {
		for n := range 5 {
			b.Record(org, someone(n), events.Source{}, &events.CommandRefused{Command: "Quiet", Cause: fmt.Sprint(n)})
		}
	}
	b.running(t)() // nothing of it was written before
	for _, org := range quiet {
		all := b.facts(t, org)
		if len(all) != 5 {
			t.Errorf("%d facts of a quiet organisation, want 5", len(all))
		}
		for n, e := range all {
			if got := e.Payload.(*events.CommandRefused).Cause; got != fmt.Sprint(n) {
				t.Errorf("fact %d is %s: they are not in their order", n, got)
			}
		}
	}
	if all := b.facts(t, loud); len(all) < 25 || all[0].Payload.(*events.CommandRefused).Cause != "0" {
		t.Errorf("%d facts of the loud one, want the first 25 and what was dropped", len(all))
	}
	if got := b.metric(t, "waybill_trail_dropped_total"); got < 300-25 {
		t.Errorf("%v dropped, want %d or more", got, 300-25)
	}
}

func TestAnActorHasItsShareAndWhatIsOverItIsToldOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, trail.Config{Burst: 10, Tell: time.Hour})
	org := uuid.New()
	one, other := events.Actor{Type: events.ActorAPIKey, ID: "1"}, events.Actor{Type: events.ActorUser, ID: "2"}
	for range 100 {
		b.Record(org, one, events.Source{IP: "10.0.0.1"}, &events.CommandRefused{Command: "Flood", Cause: "denied"})
	}
	b.Record(org, other, events.Source{}, &events.CommandRefused{Command: "Once", Cause: "denied"})
	b.running(t)()
	counts, dropped := map[string]int{}, int64(0)
	for _, e := range b.facts(t, org) {
		switch p := e.Payload.(type) {
		case *events.CommandRefused:
			counts[p.Command]++
		case *events.FactsDropped:
			counts["dropped"]++
			dropped = p.Facts
			if e.Metadata.Actor != one || !p.Since.Equal(at) {
				t.Errorf("%+v is told of %v", p, e.Metadata.Actor)
			}
		}
	}
	if counts["Flood"] != 10 || counts["Once"] != 1 || counts["dropped"] != 1 || dropped != 90 {
		t.Errorf("%v, and %d are told as dropped; want 10, 1, and one fact that tells 90", counts, dropped)
	}
}

func TestStrangersOfOneNetworkShareAndOthersDoNot(t *testing.T) {
	t.Parallel()
	b := setup(t, trail.Config{Burst: 2})
	for _, ip := range []string{"10.0.0.1", "10.0.0.1", "10.0.0.1", "::ffff:10.0.0.1", "10.0.0.2", "2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1", "nonsense", ""} {
		b.Record(uuid.Nil, stranger, events.Source{IP: ip}, &events.SignInRefused{Cause: "sign-in-failed"})
	}
	if got := b.metric(t, "waybill_trail_dropped_total"); got != 3 { // two of 10.0.0.1, one of 2001:db8::/64
		t.Errorf("%v dropped, want 3", got)
	}
}

func TestWhatIsDroppedIsToldWhileTheProcessRuns(t *testing.T) {
	t.Parallel()
	b := setup(t, trail.Config{Burst: 1, Tell: 5 * time.Millisecond})
	org := uuid.New()
	defer b.running(t)()
	for range 3 {
		b.Record(org, stranger, events.Source{IP: "10.0.0.1"}, &events.SignInRefused{Cause: "x"})
	}
	told := int64(0)
	for end := time.Now().Add(patience); told != 2; {
		if time.Now().After(end) {
			t.Fatalf("%d are told as dropped, want 2", told)
		}
		if b.metric(t, "waybill_trail_recorded_total") < 2 {
			continue
		}
		told = 0
		for _, e := range b.facts(t, org) {
			if p, ok := e.Payload.(*events.FactsDropped); ok {
				told += p.Facts
			}
		}
	}
}
