package route_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"waybill/aggregates/access"
	"waybill/aggregates/access/route"
	"waybill/aggregates/problem"
)

func TestAnswersAreCountedAlsoThoseThatAreCutOff(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	public := func(name string, do http.HandlerFunc) route.Route {
		return route.Route{Method: http.MethodGet, Path: "/" + name, Name: name, Public: true, Status: http.StatusOK, Handler: do}
	}
	router, err := route.Router(route.Config{Access: &access.Service{}, Problems: problem.NewRenderer(slog.New(slog.DiscardHandler), uuid.New), Registry: registry},
		public("whole", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "all of it") }),
		public("cut", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "the beginning")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}),
		public("broken", func(http.ResponseWriter, *http.Request) { panic("a mistake") }),
	)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(router)
	for _, name := range []string{"whole", "cut", "broken"} {
		res, err := http.Get(server.URL + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.ReadAll(res.Body)
		if cut := err != nil; cut != (name == "cut") {
			t.Errorf("%s: cut off %v", name, err)
		}
		_ = res.Body.Close()
	}
	server.Close() // waits until everything is counted
	rec := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, want := range []string{`route="whole",status="2xx"} 1`, `route="cut",status="aborted"} 1`, `route="cut",status="2xx"} 0`,
		`route="broken",status="5xx"} 1`, `waybill_http_request_seconds_count{route="cut"} 1`} {
		if !strings.Contains(rec.Body.String(), want) {
			t.Errorf("the metrics do not have %s", want)
		}
	}
}
