package readapi_test

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gorilla/mux"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"waybill/aggregates/access/route"
)

// contract is what the OpenAPI document says of answers; every answer that a test
// gets is held against it. The zero value is ready.
type contract struct {
	once    sync.Once
	doc     *openapi3.T
	schemas *jsonschema.Compiler
	failed  error

	mu       sync.Mutex
	compiled map[string]*jsonschema.Schema
	went     map[string]map[bool]int // by operation: how many went well and how many did not
}

// read takes in the document of the routes, and validates it.
func (c *contract) read(routes []route.Route) error {
	c.once.Do(func() {
		text, err := route.Document("waybill", "0", append([]route.Route{route.Own()}, routes...))
		if err != nil {
			c.failed = err
			return
		}
		loader := openapi3.NewLoader()
		if c.doc, c.failed = loader.LoadFromData(text); c.failed != nil {
			return
		}
		if c.failed = c.doc.Validate(loader.Context); c.failed != nil {
			return
		}
		raw, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			c.failed = err
			return
		}
		c.schemas = jsonschema.NewCompiler()
		c.schemas.DefaultDraft(jsonschema.Draft2020) // that of OpenAPI 3.1
		c.schemas.AssertFormat()
		c.failed = c.schemas.AddResource("mem:openapi", raw)
		c.compiled, c.went = map[string]*jsonschema.Schema{}, map[string]map[bool]int{}
	})
	return c.failed
}

// schema compiles what stands at a place in the document.
func (c *contract) schema(place ...string) (*jsonschema.Schema, error) {
	pointer := "mem:openapi#"
	for _, part := range place {
		pointer += "/" + strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D", "+", "%2B").Replace(part)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.compiled[pointer]; s != nil {
		return s, nil
	}
	s, err := c.schemas.Compile(pointer)
	c.compiled[pointer] = s
	return s, err
}

// conforms holds an answer against what is declared for its route.
func (s *stack) conforms(t testing.TB, req *http.Request, a answer) {
	t.Helper()
	if _, bench := t.(*testing.B); bench || s.contract == nil { // its routes are a test's own
		return
	}
	must(t, s.contract.read(s.routes))
	var match mux.RouteMatch
	if !s.Config.Handler.(*mux.Router).Match(req, &match) || match.MatchErr != nil {
		if a.status < http.StatusBadRequest {
			t.Errorf("%s %s is no route and answers %d", req.Method, req.URL, a.status)
		}
		return
	}
	path, err := match.Route.GetPathTemplate()
	must(t, err)
	if err := s.contract.hold(req.Method, path, a); err != nil {
		t.Errorf("%s %s is not as the OpenAPI document says: %v\n%d %s %s", req.Method, req.URL, err, a.status, a.header.Get("Content-Type"), a.body[:min(len(a.body), 2000)])
	}
}

func (c *contract) hold(method, path string, a answer) error {
	item := c.doc.Paths.Value(path)
	if item == nil || item.GetOperation(method) == nil {
		return fmt.Errorf("it is not in it")
	}
	op, status := item.GetOperation(method), strconv.Itoa(a.status)
	c.mu.Lock()
	if c.went[op.OperationID] == nil {
		c.went[op.OperationID] = map[bool]int{}
	}
	c.went[op.OperationID][a.status < http.StatusBadRequest]++
	c.mu.Unlock()
	declared := op.Responses.Value(status)
	if declared == nil {
		if a.status < http.StatusBadRequest {
			return fmt.Errorf("the status %s is not declared", status)
		}
		declared, status = op.Responses.Default(), "default"
	}
	media, _, _ := strings.Cut(a.header.Get("Content-Type"), ";")
	content := declared.Value.Content[media]
	switch {
	case len(declared.Value.Content) == 0 && a.body != "":
		return fmt.Errorf("a body of the type %q is not declared", media)
	case len(declared.Value.Content) == 0:
		return nil
	case content == nil:
		return fmt.Errorf("the media type %q is not declared", media)
	case content.Schema == nil:
		return nil
	}
	schema, err := c.schema("paths", path, strings.ToLower(method), "responses", status, "content", media, "schema")
	if err != nil {
		return err
	}
	body, err := jsonschema.UnmarshalJSON(strings.NewReader(a.body))
	if err != nil {
		return err
	}
	return schema.Validate(body)
}

// unseen returns the operations of which no answer that went well, or none that did
// not, was held against the document.
func (c *contract) unseen(well bool) []string {
	var names []string
	for path, item := range c.doc.Paths.Map() {
		for method, op := range item.Operations() {
			if c.went[op.OperationID][well] == 0 {
				names = append(names, method+" "+path)
			}
		}
	}
	slices.Sort(names)
	return names
}

func TestTheOpenAPIDocumentIsValidAndItsExamplesAreOfTheirSchemas(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	must(t, s.contract.read(s.routes))
	for path, item := range s.contract.doc.Paths.Map() {
		for method, op := range item.Operations() {
			if op.RequestBody == nil {
				continue
			}
			for media, content := range op.RequestBody.Value.Content {
				if content.Example == nil {
					continue
				}
				schema, err := s.contract.schema("paths", path, strings.ToLower(method), "requestBody", "content", media, "schema")
				must(t, err)
				if err := schema.Validate(content.Example); err != nil {
					t.Errorf("the example of %s %s: %v", method, path, err)
				}
			}
		}
	}
}
