package route_test

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"waybill/aggregates/access/route"
)

type inner struct {
	Count int64 `json:"count,string"`
}

type body struct {
	inner `json:",inline"`
	ID    uuid.UUID       `json:"id"`
	Kind  string          `json:"kind,omitzero" enum:"a,b" doc:"One of two."`
	List  []inner         `json:"list,omitempty"`
	More  map[string]bool `json:"more,omitempty"`
	Above *string         `json:"above" enum:"c"`
	Below *string         `json:"below,omitzero"`
	quiet int
}

func document(t *testing.T, routes ...route.Route) map[string]any {
	t.Helper()
	doc, err := route.Document("test", "1", routes)
	if err != nil {
		t.Fatal(err)
	}
	again, err := route.Document("test", "1", routes)
	if err != nil || string(again) != string(doc) {
		t.Error("the same routes give two documents")
	}
	var v map[string]any
	if err := json.Unmarshal(doc, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func dig(t *testing.T, v any, path ...string) any {
	t.Helper()
	for _, name := range path {
		m, ok := v.(map[string]any)
		if !ok || m[name] == nil {
			t.Fatalf("nothing at %s of %s", name, strings.Join(path, "/"))
		}
		v = m[name]
	}
	return v
}

func TestADocumentDescribesPathsParametersAndTypes(t *testing.T) {
	t.Parallel()
	_ = body{quiet: 1}
	doc := document(t, route.Route{Method: http.MethodPut, Path: "/v1/things/{id}/parts/{code:[a-z]+}", Name: "putThing", Summary: "Put.",
		Body: route.Of[body](), Answer: route.Of[inner](), Status: http.StatusCreated,
		Others: map[int]reflect.Type{http.StatusAccepted: route.Of[body]()},
		Params: []route.Param{{In: "query", Name: "day", Format: "date"}}})
	op := dig(t, doc, "paths", "/v1/things/{id}/parts/{code}", "put")
	if n := len(dig(t, op, "parameters").([]any)); n != 3 {
		t.Errorf("%d parameters, want two of the path and one of the query", n)
	}
	schema := dig(t, op, "requestBody", "content", "application/json", "schema")
	if dig(t, schema, "properties", "count", "type") != "string" || dig(t, schema, "properties", "id", "format") != "uuid" ||
		dig(t, schema, "properties", "list", "items", "type") != "object" || dig(t, schema, "properties", "kind", "description") != "One of two." {
		t.Errorf("schema %v", schema)
	}
	required := dig(t, schema, "required").([]any)
	if len(required) != 3 || required[0] != "count" || required[1] != "id" || required[2] != "above" {
		t.Errorf("required %v, want what is never left out", required)
	}
	told := dig(t, op, "responses", "202", "content", "application/json", "schema")
	if got := fmt.Sprint(dig(t, told, "properties", "above")); got != "map[enum:[<nil> c] type:[string null]]" {
		t.Errorf("what may be null in an answer is declared as %s", got)
	}
	if got := fmt.Sprint(dig(t, schema, "properties", "above")); got != "map[enum:[c] type:string]" {
		t.Errorf("what a body must hold is declared as %s", got)
	}
	if dig(t, told, "properties", "below", "type") != "string" {
		t.Errorf("what is left out is declared as null: %v", schema)
	}
	if len(dig(t, schema, "properties").(map[string]any)) != 7 {
		t.Errorf("properties %v: members without a tag are none", dig(t, schema, "properties"))
	}
	dig(t, op, "responses", "201")
	dig(t, op, "responses", "default", "content", "application/problem+json")
	dig(t, op, "security")
}

func TestAPathHasAMethodOnce(t *testing.T) {
	t.Parallel()
	one := route.Route{Method: http.MethodGet, Path: "/v1/things/{id}", Name: "one"}
	two := route.Route{Method: http.MethodGet, Path: "/v1/things/{id:[0-9]+}", Name: "two"}
	if _, err := route.Document("test", "1", []route.Route{one, two}); err == nil {
		t.Error("the same method of the same path was taken twice")
	}
}
