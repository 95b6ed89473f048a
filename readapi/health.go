package readapi

import (
	"context"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"
)

// Health is what /livez and /readyz answer.
type Health struct {
	Status string            `json:"status" enum:"ok,not ready"`
	Checks map[string]string `json:"checks,omitempty" doc:"By name: ok, or failed."`
}

// live answers GET /livez: the process runs and serves.
func (a *api) live(w http.ResponseWriter, _ *http.Request) {
	send(w, []byte(`{"status":"ok"}`+"\n"))
}

// checkLimit bounds all checks together.
const checkLimit = 3 * time.Second

// ready answers GET /readyz: everything that requests need is there. Why a check
// failed goes to the log of whoever made it; here stands only which one.
func (a *api) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), checkLimit)
	defer cancel()
	type result struct {
		name string
		err  error
	}
	results := make(chan result, len(a.cfg.Checks))
	for name, check := range a.cfg.Checks {
		go func() { results <- result{name, check(ctx)} }()
	}
	answer := Health{Status: "ok", Checks: map[string]string{}}
	for name := range a.cfg.Checks {
		answer.Checks[name] = "no answer"
	}
	for range a.cfg.Checks {
		select {
		case one := <-results:
			answer.Checks[one.name] = "ok"
			if one.err != nil {
				answer.Checks[one.name] = "failed"
			}
		case <-ctx.Done():
		}
	}
	for _, state := range answer.Checks {
		if state != "ok" {
			answer.Status = "not ready"
		}
	}
	body, err := json.Marshal(answer, json.Deterministic(true))
	if err != nil {
		a.cfg.Problems.Write(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if answer.Status != "ok" {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_, _ = w.Write(append(body, '\n')) // the caller may have gone away
}
