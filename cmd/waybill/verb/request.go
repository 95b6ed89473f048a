package verb

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"waybill/cmd/waybill/remote"
)

// Given is what was typed: the values of inputs by their names. A switch has
// "true" or "false"; what was not typed is not there.
type Given struct {
	Values map[string][]string
	Body   []byte // a JSON object to which flags add; empty = none
}

// UsageError says that what was typed is no request.
type UsageError struct {
	Verb string
	Text string
}

// Error implements error.
func (e *UsageError) Error() string { return fmt.Sprintf("%s: %s", e.Verb, e.Text) }

func (v Verb) refuse(format string, args ...any) error {
	return &UsageError{Verb: v.String(), Text: fmt.Sprintf(format, args...)}
}

// Request makes the request of what was given. Errors: [*UsageError].
func (v Verb) Request(g Given) (remote.Request, error) {
	r := remote.Request{Method: v.Route.Method, Path: v.Route.Path, Header: http.Header{}}
	query, body := url.Values{}, members{}
	if len(g.Body) > 0 && json.Unmarshal(g.Body, &body) != nil {
		return r, v.refuse("--json-body holds no JSON object, or a member twice")
	}
	for _, in := range v.Inputs {
		values := g.Values[in.Name]
		if len(values) == 0 {
			continue
		}
		if err := v.check(in, values); err != nil {
			return r, err
		}
		switch in.In {
		case "path":
			r.Path = fill(r.Path, in.Path[0], values[0])
		case "query":
			query.Set(in.Path[0], values[0])
		case "header":
			r.Header.Set(in.Path[0], values[0])
		default:
			raw, err := in.json(values)
			if err != nil {
				return r, v.refuse("%s: %v", in.Typed(), err)
			}
			if err := body.set(in.Path, raw); err != nil {
				return r, v.refuse("%s: %v", in.Typed(), err)
			}
		}
	}
	if err := v.missing(g, body); err != nil {
		return r, err
	}
	if len(query) > 0 {
		r.Path += "?" + query.Encode()
	}
	if v.Route.Body != nil && (len(body) > 0 || !v.Route.Bodyless) {
		text, err := json.Marshal(body, json.Deterministic(true))
		if err != nil {
			return r, v.refuse("its body: %v", err)
		}
		r.Body, r.Media = strings.NewReader(string(text)), "application/json"
	}
	return r, nil
}

// check refuses what the server would refuse, where the reason can be said
// better here.
func (v Verb) check(in Input, values []string) error {
	for _, value := range values {
		if in.Enum != nil && !slices.Contains(in.Enum, value) {
			return v.refuse("%s must be one of %s", in.Typed(), strings.Join(in.Enum, ", "))
		}
		if in.Arg && value == "" {
			return v.refuse("%s is empty", in.Typed())
		}
		if _, err := uuid.Parse(value); in.ID && in.Arg && err != nil {
			return v.refuse("%s takes an id, such as %s, not %q: lists and --field id tell ids", in.Typed(), uuid.Nil, value)
		}
	}
	if len(values) > 1 && in.Kind != List && in.Kind != Objects && in.Kind != Map {
		return v.refuse("%s is there %d times", in.Typed(), len(values))
	}
	return nil
}

// missing names all that is required and was not given.
func (v Verb) missing(g Given, body members) error {
	var names []string
	for _, in := range v.Inputs {
		there := len(g.Values[in.Name]) > 0
		if in.In == "body" {
			there = body.has(in.Path)
		}
		if in.Required && !there {
			names = append(names, in.Typed())
		}
	}
	if names == nil {
		return nil
	}
	return v.refuse("%s missing; see waybill %s --help", strings.Join(names, ", "), v)
}

// fill puts a value in the place of a parameter of a path.
func fill(path, name, value string) string {
	at := strings.Index(path, "{"+name)
	end := at + strings.IndexByte(path[at:], '}') + 1
	escaped := url.PathEscape(value)
	if value == "." || value == ".." { // which means something in a path
		escaped = strings.ReplaceAll(value, ".", "%2E")
	}
	return path[:at] + escaped + path[end:]
}

// members is a JSON object under construction.
type members map[string]jsontext.Value

// set puts a value at a path, making the objects on the way.
func (o members) set(path []string, value jsontext.Value) error {
	if len(path) == 1 {
		o[path[0]] = value
		return nil
	}
	inner := members{}
	if raw, there := o[path[0]]; there && json.Unmarshal(raw, &inner) != nil {
		return fmt.Errorf("--json-body has something else than an object at %s", path[0])
	}
	if err := inner.set(path[1:], value); err != nil {
		return err
	}
	raw, err := json.Marshal(inner, json.Deterministic(true))
	o[path[0]] = raw
	return err
}

func (o members) has(path []string) bool {
	raw, there := o[path[0]]
	if !there || len(path) == 1 {
		return there
	}
	inner := members{}
	return json.Unmarshal(raw, &inner) == nil && inner.has(path[1:])
}
