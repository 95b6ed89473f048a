package route

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// measured are the metrics of all routes.
type measured struct {
	now      func() time.Time
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func measure(cfg Config) (*measured, error) {
	m := &measured{
		now: cfg.Now,
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "waybill_http_requests_total", Help: "Requests answered, by route and class of status; aborted: the answer was cut off.",
		}, []string{"route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "waybill_http_request_seconds", Help: "How long requests took, by route.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, 1, 5, 30},
		}, []string{"route"}),
	}
	for _, c := range []prometheus.Collector{m.requests, m.seconds} {
		if err := cfg.Registry.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// wrap counts a route's requests; the series are looked up once, not per
// request.
func (m *measured) wrap(rt Route, next http.Handler) http.Handler {
	seconds := m.seconds.WithLabelValues(rt.Name)
	var classes [6]prometheus.Counter
	aborted := m.requests.WithLabelValues(rt.Name, "aborted")
	for i := 2; i < len(classes); i++ {
		classes[i] = m.requests.WithLabelValues(rt.Name, strconv.Itoa(i)+"xx")
	}
	return guarded(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := m.now()
		rec := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		whole := false
		defer func() { // also when the handler gives up with http.ErrAbortHandler
			seconds.Observe(m.now().Sub(start).Seconds())
			class := rec.status / 100
			switch {
			case !whole:
				aborted.Inc()
			case class >= 2 && class < len(classes):
				classes[class].Inc()
			}
		}()
		next.ServeHTTP(rec, r)
		whole = true
	}))
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// guarded sets the headers of every answer: nothing of it is to be framed,
// sniffed, kept by a cache on the way or sent on as a referrer. A handler that
// knows better sets them anew.
func guarded(next http.Handler) http.Handler {
	// Shared values: a map write without an allocation for each answer.
	// http.Header.Set puts another slice in their place and leaves them alone.
	noStore, noSniff := []string{"no-store"}, []string{"nosniff"}
	nothing, noReferrer := []string{"default-src 'none'; frame-ancestors 'none'"}, []string{"no-referrer"}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["Cache-Control"] = noStore
		h["X-Content-Type-Options"] = noSniff
		h["Content-Security-Policy"] = nothing
		h["Referrer-Policy"] = noReferrer
		next.ServeHTTP(w, r)
	})
}
