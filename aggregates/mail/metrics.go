package mail

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"waybill/aggregates/access"
	"waybill/events/fault"
)

// meters are the metrics of a sender.
type meters struct {
	mails   *prometheus.CounterVec // by kind and outcome
	open    *prometheus.GaugeVec   // by state
	outages prometheus.Counter
}

func newMeters(r prometheus.Registerer) (*meters, error) {
	m := &meters{
		mails: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "waybill_mail_outcomes_total",
			Help: "Mails by kind and by what became of them: sent, dropped, failed, put_off."}, []string{"kind", "outcome"}),
		open: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "waybill_mail_outbox",
			Help: "Mails that are queued, being sent, or failed, as the sender saw them last."}, []string{"state"}),
		outages: prometheus.NewCounter(prometheus.CounterOpts{Name: "waybill_mail_outages_total",
			Help: "How often no mail could be sent, whichever it was."}),
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.mails, m.open, m.outages} {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func outcomeOf(o outcome) string {
	if o.state == StateQueued {
		return "put_off"
	}
	return o.state
}

// count counts mails; without a kind, those of whichever.
func (m *meters) count(kind, outcome string, n int64) {
	if n == 0 {
		return
	}
	if kind == "" {
		kind = "any"
	}
	m.mails.WithLabelValues(kind, outcome).Add(float64(n))
}

// look counts what is in the outbox and not done with.
func (m *meters) look(ctx context.Context, pool *pgxpool.Pool) error {
	var queued, sending, failed float64
	err := pool.QueryRow(ctx, `
		SELECT count(*) FILTER (WHERE state = 'queued'), count(*) FILTER (WHERE state = 'sending'), count(*) FILTER (WHERE state = 'failed')
		FROM mail.outbox
		WHERE state IN ('queued', 'sending', 'failed')`).Scan(&queued, &sending, &failed)
	if err != nil {
		return access.Storage(fmt.Errorf("count the outbox: %w", err))
	}
	for state, n := range map[string]float64{StateQueued: queued, StateSending: sending, StateFailed: failed} {
		m.open.WithLabelValues(state).Set(n)
	}
	return nil
}

// isAway reports whether an error is an outage of what the sender works with.
func isAway(err error) bool { return fault.Is(err, fault.Unavailable) }
