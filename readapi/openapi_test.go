package readapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/mux"
)

func testTheOpenAPIDocumentAndTheRouterKnowTheSameRoutes(t *testing.T, s *stack) {
	var doc struct {
		OpenAPI string `json:"openapi"`
		Paths   map[string]map[string]struct {
			OperationID string           `json:"operationId"`
			Responses   map[string]any   `json:"responses"`
			Security    []map[string]any `json:"security"`
			Rest        map[string]any   `json:",unknown"`
		} `json:"paths"`
		Rest map[string]any `json:",unknown"`
	}
	person{s: s}.ok(t, "/openapi.json").into(t, &doc)
	if doc.OpenAPI != "3.1.0" {
		t.Errorf("version %q", doc.OpenAPI)
	}
	documented := map[string]bool{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			documented[strings.ToUpper(method)+" "+path] = true
			if op.OperationID == "" || len(op.Responses) < 2 {
				t.Errorf("%s %s: operation %q with %d responses", method, path, op.OperationID, len(op.Responses))
			}
			if public := len(op.Security) == 0; public == (person{s: s}.do(t, strings.ToUpper(method), strings.NewReplacer("{", "", "}", "").Replace(path), "").status == http.StatusUnauthorized) {
				t.Errorf("%s %s: documented as public: %v, and it is not so", method, path, public)
			}
		}
	}
	routed := map[string]bool{}
	err := s.Config.Handler.(*mux.Router).Walk(func(r *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		path, err := r.GetPathTemplate()
		must(t, err)
		methods, err := r.GetMethods()
		must(t, err)
		for _, m := range methods {
			routed[m+" "+path] = true
		}
		return nil
	})
	must(t, err)
	for r := range routed {
		if !documented[r] {
			t.Errorf("%s is routed and not documented", r)
		}
	}
	for d := range documented {
		if !routed[d] {
			t.Errorf("%s is documented and not routed", d)
		}
	}
	if len(routed) < 40 {
		t.Errorf("%d routes only", len(routed))
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	p := person{s: s}
	p.ok(t, "/livez")
	eventually(t, "ready", func() bool {
		a := p.get(t, "/readyz")
		return a.status == http.StatusOK && strings.Contains(a.body, `"postgres":"ok"`)
	})
	p.get(t, "/v1/me")
	if a := p.ok(t, "/metrics"); !strings.Contains(a.body, `waybill_http_requests_total{route="me",status="4xx"} 1`) {
		t.Errorf("metrics: %s", a.body)
	}
	if a := p.ok(t, "/set-password"); !strings.Contains(a.body, "set-password.js") {
		t.Errorf("page: %s", a.body)
	}
	p.ok(t, "/set-password.js")
	s.pools.Reader.Close()
	if a := p.get(t, "/readyz"); a.status != http.StatusServiceUnavailable || !strings.Contains(a.body, `"postgres":"failed"`) {
		t.Errorf("not ready: %d %s", a.status, a.body)
	}
	p.ok(t, "/livez")
}
