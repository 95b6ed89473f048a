package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"waybill/aggregates/access/route"
	"waybill/aggregates/aggregatetest"
	"waybill/cmd/waybill/verb"
)

// sent is a request that reached a server.
type sent struct {
	method, path string // escaped, with the query
	header       http.Header
	body         []byte
}

// catcher is a server that keeps requests, and answers all alike.
type catcher struct {
	*httptest.Server
	mu   sync.Mutex
	sent []sent
}

func catch(t *testing.T) *catcher {
	t.Helper()
	c := &catcher{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		c.mu.Lock()
		c.sent = append(c.sent, sent{r.Method, r.URL.RequestURI(), r.Header, body})
		c.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("ETag", `"7"`)
		_, _ = io.WriteString(w, "{}\n")
	}))
	t.Cleanup(c.Close)
	return c
}

// last returns the request that came last.
func (c *catcher) last() sent {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.sent) == 0 {
		return sent{}
	}
	return c.sent[len(c.sent)-1]
}

// as runs the program with settings of its own.
func as(t *testing.T, settings, stdin string, args ...string) ended {
	t.Helper()
	out, errs := &aggregatetest.Log{}, &aggregatetest.Log{}
	m := Main{Args: args, Stdin: strings.NewReader(stdin), Stdout: out, Stderr: errs, Settings: settings, pace: pace{limit: unhurried}}
	return ended{m.Run(t.Context()), out.String(), errs.String()}
}

// schema is a JSON Schema of the OpenAPI document, as far as the verbs go by it.
type schema struct {
	Type       string            `json:"type"`
	Format     string            `json:"format"`
	Pattern    string            `json:"pattern"`
	Enum       []string          `json:"enum"`
	Items      *schema           `json:"items"`
	Properties map[string]schema `json:"properties"`
	Additional jsontext.Value    `json:"additionalProperties"` // of a map: the schema of its values
}

// operation is one route as the OpenAPI document has it.
type operation struct {
	ID         string `json:"operationId"`
	Parameters []struct {
		In, Name string
		Schema   schema `json:"schema"`
	} `json:"parameters"`
	Body struct {
		Content map[string]struct {
			Schema  schema         `json:"schema"`
			Example map[string]any `json:"example"`
		} `json:"content"`
	} `json:"requestBody"`
	Rest map[string]any `json:",unknown"`
}

// operations are all routes as the OpenAPI document has them, by name.
func operations(t *testing.T, all verbs) map[string]operation {
	t.Helper()
	routes := make([]route.Route, len(all))
	for i, v := range all {
		routes[i] = v.Route
	}
	text, err := route.Document("test", "1", routes)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]operation `json:"paths"`
		Rest  map[string]any                  `json:",unknown"`
	}
	if err := json.Unmarshal(text, &doc, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatal(err)
	}
	byName := map[string]operation{}
	for _, methods := range doc.Paths {
		for _, op := range methods {
			byName[op.ID] = op
		}
	}
	return byName
}

const anID = "0b9c2a5e-7d1f-4c3a-9e8b-6f5d4c3b2a19"

// filled returns a value that a schema allows, with every member there is.
func (s schema) filled() any {
	switch {
	case s.Enum != nil:
		return s.Enum[0]
	case s.Format == "uuid":
		return anID
	case s.Format == "date":
		return "2026-03-31"
	case s.Format == "date-time":
		return "2026-03-31T09:30:00Z"
	case s.Pattern != "":
		return "7"
	}
	switch s.Type {
	case "boolean":
		return true
	case "integer":
		return float64(7)
	case "number":
		return 1.5
	case "array":
		if s.Items.Type == "string" && s.Items.Format == "" {
			return []any{"word"}
		}
		return []any{s.Items.filled()}
	case "object":
		out := map[string]any{}
		for name, p := range s.Properties {
			out[name] = p.filled()
		}
		if s.Properties == nil { // a map
			var inner schema
			if err := json.Unmarshal(s.Additional, &inner); err != nil {
				panic(err)
			}
			out["view_vehicles"] = inner.filled()
		}
		return out
	}
	return "some text, with 'this' & that"
}

// typed returns how a member is typed, by the rules that the documentation tells:
// dashes for underscores and between members of members, lists repeated, objects
// in lists as JSON, secrets from files.
func (s schema) typedAs(t *testing.T, name string, value any, args func(member, text string) bool) []string {
	t.Helper()
	flag := "--" + strings.ReplaceAll(strings.ReplaceAll(name, "_", "-"), ".", "-")
	one := func(text string) []string {
		if args(name, text) {
			return nil
		}
		return []string{flag, text}
	}
	switch v := value.(type) {
	case bool:
		return []string{flag}
	case map[string]any:
		var all []string
		for member, inner := range v {
			if s.Properties == nil {
				all = append(all, flag, fmt.Sprintf("%s=%v", member, inner))
			} else {
				all = append(all, s.Properties[member].typedAs(t, strings.TrimPrefix(name+"."+member, "."), inner, args)...)
			}
		}
		return all
	case []any:
		if s.Items.Type == "object" {
			text, err := json.Marshal(v[0])
			if err != nil {
				t.Fatal(err)
			}
			return one(string(text))
		}
		return one(fmt.Sprint(v[0]))
	case string:
		if s.Format == "password" {
			file := filepath.Join(t.TempDir(), "secret")
			if err := os.WriteFile(file, []byte(v+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			return []string{flag + "-file", file}
		}
	}
	return one(fmt.Sprint(value))
}

func TestEveryRouteHasAVerbAndEveryMemberOfItsBodyCanBeTyped(t *testing.T) {
	t.Parallel()
	all, err := declared()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 90 {
		t.Fatalf("there are %d verbs only", len(all))
	}
	ops := operations(t, all)
	for _, v := range all {
		if own(v) {
			continue
		}
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel()
			server := catch(t)
			op := ops[v.Route.Name]
			words, path := strings.Fields(v.String()), v.Route.Path
			wantQuery, wantHeader := map[string]string{}, map[string]string{}
			var flags []string
			for _, p := range op.Parameters {
				text := "some text"
				if p.Name == "group" || p.Name == "dispatcher" { // an id, or none
					text = anID
				}
				if p.Schema.Enum != nil || p.Schema.Format != "" {
					text = fmt.Sprint(p.Schema.filled())
				}
				switch p.In {
				case "path":
					if p.Schema.Format == "" {
						text = "A/B ."
					}
					words = append(words, text)
					path = strings.Replace(path, "{"+p.Name+"}", strings.NewReplacer("/", "%2F", " ", "%20").Replace(text), 1)
				case "query":
					wantQuery[p.Name] = text
					flags = append(flags, "--"+strings.ReplaceAll(p.Name, "_", "-"))
					if text != "true" {
						flags = append(flags, text)
					}
				case "header":
					if p.Name == "If-Match" {
						text = "7"
					}
					wantHeader[p.Name] = text
					flags = append(flags, "--"+strings.ToLower(strings.TrimPrefix(p.Name, "Waybill-")), text)
				}
			}
			var want any
			if body, ok := op.Body.Content["application/json"]; ok {
				want = body.Schema.filled()
				args := map[string]string{}
				flags = append(flags, body.Schema.typedAs(t, "", want, func(member, text string) bool {
					if slices.Contains(v.Route.Args, member) {
						args[member] = text
						return true
					}
					return false
				})...)
				for _, name := range v.Route.Args {
					words = append(words, args[name])
				}
			} else if op.Body.Content != nil {
				t.Fatalf("its body is %v, and nothing can be typed for that", op.Body.Content)
			}
			line := append(append(words, flags...), "--server", server.URL, "--api-key", "wbk_test")
			e := as(t, t.TempDir(), "", line...)
			if e.code != exitOK {
				t.Fatalf("waybill %s: exit code %d\n%s", verb.Shell(line), e.code, e.stderr)
			}
			got := server.last()
			gotPath, gotQuery, _ := strings.Cut(got.path, "?")
			if got.method != v.Route.Method || gotPath != path {
				t.Errorf("it sent %s %s, want %s %s", got.method, gotPath, v.Route.Method, path)
			}
			for name, text := range wantQuery {
				if !strings.Contains("&"+strings.ReplaceAll(gotQuery, "+", " ")+"&", "&"+name+"="+text+"&") {
					t.Errorf("the query %s lacks %s=%s", gotQuery, name, text)
				}
			}
			for name, text := range wantHeader {
				if h := got.header.Get(name); strings.Trim(h, `"`) != text {
					t.Errorf("the header %s is %q, want %q", name, h, text)
				}
			}
			if got.header.Get("Authorization") != "Bearer wbk_test" {
				t.Error("it went without the key")
			}
			var body any
			if len(got.body) > 0 {
				if err := json.Unmarshal(got.body, &body); err != nil {
					t.Fatal(err)
				}
			}
			if !reflect.DeepEqual(body, want) {
				t.Errorf("it sent the body\n%s\nwant\n%v", got.body, want)
			}
		})
	}
}

func TestEveryVerbHasHelpWithAnExampleThatWorksAndIsTheOneOfOpenAPI(t *testing.T) {
	t.Parallel()
	all, err := declared()
	if err != nil {
		t.Fatal(err)
	}
	ops := operations(t, all)
	for _, v := range all {
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel()
			help := mustRun(t, append(strings.Fields(v.String()), "--help")...)
			if !strings.Contains(help, "waybill "+v.String()) || !strings.Contains(help, "Example") {
				t.Errorf("its help has no example:\n%s", help)
			}
			if own(v) {
				return
			}
			words, err := v.Example()
			if err != nil {
				t.Fatal(err)
			}
			example := ops[v.Route.Name].Body.Content["application/json"].Example
			for _, in := range v.Inputs { // secrets are asked for
				if text, ok := example[in.Path[0]].(string); ok && in.Kind == verb.Secret {
					file := filepath.Join(t.TempDir(), "secret")
					if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
						t.Fatal(err)
					}
					words = append(words, "--"+in.Name+"-file", file)
				}
			}
			server := catch(t)
			if e := as(t, t.TempDir(), "", append(words, "--server", server.URL)...); e.code != exitOK {
				t.Fatalf("waybill %s: exit code %d\n%s", verb.Shell(words), e.code, e.stderr)
			}
			got := server.last()
			if len(got.body) == 0 {
				got.body = []byte("null")
			}
			var body map[string]any
			if err := json.Unmarshal(got.body, &body); err != nil {
				t.Fatal(err)
			}
			if v.Route.Example != nil && !reflect.DeepEqual(quantities(body), quantities(example)) {
				t.Errorf("it sends\n%s\nand OpenAPI has\n%v", bytes.TrimSpace(got.body), example)
			}
		})
	}
}

// quantities makes numbers and their texts the same, deep down.
func quantities(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			v[name] = quantities(inner)
		}
	case []any:
		for i, inner := range v {
			v[i] = quantities(inner)
		}
	case float64:
		return fmt.Sprint(v)
	}
	return v
}
