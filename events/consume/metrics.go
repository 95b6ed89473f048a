package consume

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// meters are one consumer's metrics.
type meters struct {
	events, parked, splits, retries, restarts prometheus.Counter
	position                                  prometheus.Gauge
	commits                                   prometheus.Observer
}

// newMeters registers the metrics; consumers that share a registry share the
// families, told apart by the label "consumer". A nil registry gets none.
func newMeters(r prometheus.Registerer, consumer string) (*meters, error) {
	if r == nil {
		r = prometheus.NewRegistry()
	}
	var failed error
	counter := func(name, help string) prometheus.Counter {
		v, err := register(r, prometheus.NewCounterVec(
			prometheus.CounterOpts{Namespace: "waybill", Subsystem: "consumer", Name: name, Help: help}, []string{"consumer"}))
		if err != nil {
			failed = errors.Join(failed, err)
			return prometheus.NewCounter(prometheus.CounterOpts{Name: name})
		}
		return v.WithLabelValues(consumer)
	}
	m := &meters{
		events:   counter("events_total", "Events whose effect is committed, parked ones included."),
		parked:   counter("parked_total", "Events that were parked."),
		splits:   counter("splits_total", "Failed runs that were halved to find the culprit."),
		retries:  counter("retries_total", "Tries of the handler beyond the second."),
		restarts: counter("restarts_total", "Returns to the committed checkpoint after a failure."),
	}
	position, err := register(r, prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: "waybill", Subsystem: "consumer", Name: "position", Help: "Commit position of the checkpoint.",
	}, []string{"consumer"}))
	failed = errors.Join(failed, err)
	commits, err := register(r, prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: "waybill", Subsystem: "consumer", Name: "commit_seconds", Help: "Time to commit a unit of work.",
		Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
	}, []string{"consumer"}))
	if failed = errors.Join(failed, err); failed != nil {
		return nil, failed
	}
	m.position, m.commits = position.WithLabelValues(consumer), commits.WithLabelValues(consumer)
	return m, nil
}

// register adds a family, or returns the one that another consumer added.
func register[C prometheus.Collector](r prometheus.Registerer, c C) (C, error) {
	err := r.Register(c)
	var known prometheus.AlreadyRegisteredError
	if errors.As(err, &known) {
		if existing, ok := known.ExistingCollector.(C); ok {
			return existing, nil
		}
	}
	return c, err
}

func (m *meters) committed(run *Run, took time.Duration) {
	m.events.Add(float64(len(run.Records) + len(run.parked)))
	m.parked.Add(float64(len(run.parked)))
	if run.culprit {
		m.parked.Inc()
	}
	m.position.Set(float64(run.Last.Commit))
	m.commits.Observe(took.Seconds())
}
