package consume_test

import (
	"context"
	"errors"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"waybill/events/consume"
)

func TestMetricsCountWhatWasCommittedAndParkedPerConsumer(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	all := b.write(t, 3, 10)
	stop := b.run(t, func(ctx context.Context, run *consume.Run) error {
		for _, r := range run.Records {
			if r.ID == all[9].ID { // the last of the first stream
				return consume.Permanent(errors.New("cannot decode"))
			}
		}
		return foldAll(ctx, run)
	})
	b.log.until(t, func() bool { return len(b.log.rows)+len(b.log.parked) == len(all) })
	stop()
	if _, err := consume.New(consume.Config{
		Name: "another", Prefixes: []string{"x"}, Store: b.store, Log: b.log, Handler: foldAll, Registry: b.registry,
	}); err != nil {
		t.Fatalf("a second consumer with the same registry: %v", err)
	}
	for name, want := range map[string]float64{
		"waybill_consumer_events_total": 30, "waybill_consumer_parked_total": 1,
		"waybill_consumer_position": float64(b.log.at.Commit),
	} {
		if got := metric(t, b.registry, name, "tested"); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}

// metric returns a consumer's counter or gauge.
func metric(t *testing.T, r *prometheus.Registry, name, consumer string) float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && m.GetLabel()[0].GetValue() == consumer {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	t.Fatalf("there is no metric %s of consumer %s", name, consumer)
	return 0
}
