package route

import (
	"net/http"
	"testing"

	"github.com/gorilla/mux"
	"pgregory.net/rapid"
)

var templates = []string{
	"/v1/me", "/v1/groups", "/v1/groups/{id}", "/v1/groups/{id}/name", "/v1/groups/{id}/vehicles/{vehicle}",
	"/v1/customer-codes/{code}", "/v1/settings/group-field", "/v1/{a}/{b}", "/v1/deliveries/{id}/timeline", "/{x}", "/v1/files/{name}.csv", "/v1/numbers/{n:[0-9]+}",
}

// routers returns the templates with and without a look at the path before them.
func routers() (with, without *mux.Router) {
	with, without = mux.NewRouter().UseEncodedPath().SkipClean(true), mux.NewRouter().UseEncodedPath().SkipClean(true)
	for i, path := range templates {
		for _, method := range []string{http.MethodGet, http.MethodPut}[:1+i%2] {
			at(with, path).Handler(http.NotFoundHandler()).Methods(method).Name(method + path)
			without.NewRoute().Path(path).Handler(http.NotFoundHandler()).Methods(method).Name(method + path)
		}
	}
	return with, without
}

func TestTheRouteOfARequestIsTheOneThatItsPathSays(t *testing.T) {
	t.Parallel()
	with, without := routers()
	pieces := []string{"/", "v1", "me", "groups", "name", "vehicles", "settings", "group-field", "group%2Dfield", "%2F", "%2f", "a%20b", "x", "..", ".", "%", "%7Bid%7D",
		"deliveries", "timeline", "customer-codes", "files", "a.csv", "numbers", "42", "é", "?a=b", "//"}
	rapid.Check(t, func(t *rapid.T) {
		target := "/"
		if rapid.Bool().Draw(t, "of a template") {
			target = rapid.SampledFrom(templates).Draw(t, "template")
		}
		for _, p := range rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 7).Draw(t, "pieces") {
			target += p
		}
		req, err := http.NewRequest(rapid.SampledFrom([]string{http.MethodGet, http.MethodPut, http.MethodDelete}).Draw(t, "method"), target, nil)
		if err != nil {
			return // nothing that a server would see
		}
		var got, want mux.RouteMatch
		g, w := with.Match(req, &got), without.Match(req, &want)
		if g != w || got.MatchErr != want.MatchErr || nameOf(got) != nameOf(want) {
			t.Fatalf("%s: %v %q (%v), want %v %q (%v)", target, g, nameOf(got), got.MatchErr, w, nameOf(want), want.MatchErr)
		}
	})
}

func nameOf(m mux.RouteMatch) string {
	if m.Route == nil {
		return ""
	}
	return m.Route.GetName()
}

func TestEveryPathIsLookedAtBeforeItsExpressionUnlessAVariableIsPartOfASegment(t *testing.T) {
	t.Parallel()
	for _, path := range templates {
		_, ok := segmentsOf(path)
		if want := path != "/v1/files/{name}.csv" && path != "/v1/numbers/{n:[0-9]+}"; ok != want {
			t.Errorf("%s: %v, want %v", path, ok, want)
		}
	}
}
