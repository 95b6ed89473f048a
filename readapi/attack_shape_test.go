package readapi_test

import (
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"waybill/aggregates/access/route"
)

// slot is a place in a request where the name of something stands.
type slot struct {
	in   string // path, query or body
	name string
	kind string
	many bool // a list of a body
}

// shape is how a route is attacked: where it can be told of what is not one's own.
type shape struct {
	route.Route
	slots []slot
}

// kindsOfPaths are what {id} stands for, by what stands before it.
var kindsOfPaths = map[string]string{
	"groups": aGroup, "deliveries": aDelivery, "users": aUser, "clients": aClient, "vehicles": aVehicle,
	"access-requests": aRequest, "sessions": aSession, "api-keys": aKey,
}

// kindsOfNames are what other parameters and members stand for.
var kindsOfNames = map[string]string{
	"group": aGroup, "groups": aGroup, "into": aGroup, "template": aGroup, "vehicle": aVehicle, "dispatcher": aUser, "user": aUser,
	"request": aRequest, "code": aCode, "deliveries": aDelivery, "q": aText, "do_number": aText, "organisation": anOrganisation,
}

// harmless are parameters that name nothing.
var harmless = []string{"limit", "cursor", "status", "date_from", "date_to", "filename", "create_groups", "mapping", "date_order",
	"encoding", "delimiter", "sheet", "dry_run", "format"}

// shapeOf classifies a route, and refuses one that it does not know how to attack.
func shapeOf(rt route.Route) (shape, error) {
	s := shape{Route: rt}
	parts := strings.Split(rt.Path, "/")
	for i, part := range parts {
		if !strings.HasPrefix(part, "{") {
			continue
		}
		name := strings.Trim(part, "{}")
		kind := kindsOfNames[name]
		if name == "id" {
			kind = kindsOfPaths[parts[i-1]]
		}
		if kind == "" {
			return s, fmt.Errorf("what does %s of its path stand for?", part)
		}
		s.slots = append(s.slots, slot{in: "path", name: name, kind: kind})
	}
	for _, p := range rt.Params {
		if p.In != "query" || slices.Contains(harmless, p.Name) {
			continue
		}
		if kindsOfNames[p.Name] == "" {
			return s, fmt.Errorf("what does its parameter %s stand for? If it names nothing, say that it is harmless", p.Name)
		}
		s.slots = append(s.slots, slot{in: "query", name: p.Name, kind: kindsOfNames[p.Name]})
	}
	if rt.Body == nil {
		return s, nil
	}
	for name, f := range members(rt.Body) {
		switch f.Type {
		case reflect.TypeFor[uuid.UUID](), reflect.TypeFor[[]uuid.UUID]():
			if kindsOfNames[name] == "" {
				return s, fmt.Errorf("what does the member %s of its body stand for?", name)
			}
			s.slots = append(s.slots, slot{in: "body", name: name, kind: kindsOfNames[name], many: f.Type.Kind() == reflect.Slice})
		default:
			if holdsIDs(f.Type, 0) {
				return s, fmt.Errorf("the member %s of its body has ids inside, which are not attacked", name)
			}
		}
	}
	slices.SortStableFunc(s.slots, func(a, b slot) int { return strings.Compare(a.in+a.name, b.in+b.name) })
	return s, nil
}

// members are the fields of a body by their JSON names, inlined ones among them.
func members(t reflect.Type) map[string]reflect.StructField {
	all := map[string]reflect.StructField{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case options == "inline":
			maps.Copy(all, members(f.Type))
		case name != "" && name != "-":
			all[name] = f
		}
	}
	return all
}

func holdsIDs(t reflect.Type, depth int) bool {
	switch {
	case t == reflect.TypeFor[uuid.UUID]():
		return true
	case depth > 5 || t == reflect.TypeFor[time.Time]():
		return false
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return holdsIDs(t.Elem(), depth+1)
	case reflect.Struct:
		for i := range t.NumField() {
			if holdsIDs(t.Field(i).Type, depth+1) {
				return true
			}
		}
	}
	return false
}

// called are things that a request names, by slot.
type called map[slot][]string

// request makes what is sent: everything but what is called is one's own, or made
// up in a way that the route takes.
func (s shape) request(own holdings, names called) (path, body string) {
	path, query := s.Path, url.Values{}
	for _, sl := range s.slots {
		values, given := names[sl]
		switch {
		case sl.in == "path":
			if !given {
				values = own[sl.kind][:1]
			}
			path = strings.Replace(path, "{"+sl.name+"}", url.PathEscape(values[0]), 1)
		case sl.in == "query" && given:
			query.Set(sl.name, values[0])
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	if s.Body == nil {
		return path, ""
	}
	return path, s.body(own, names)
}

func (s shape) body(own holdings, names called) string {
	out := map[string]any{}
	if _, ok := members(s.Body)["reason"]; ok {
		out["reason"] = "because"
	}
	also := []string{}
	for sl := range names {
		also = append(also, with[s.Name+" "+sl.name])
	}
	for name, f := range members(s.Body) {
		_, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if kind := kindsOfNames[name]; kind != "" && holdsIDs(f.Type, 0) {
			sl := slot{in: "body", name: name, kind: kind, many: f.Type.Kind() == reflect.Slice}
			values, given := names[sl]
			switch {
			case !given && strings.Contains(options, "omit") && !slices.Contains(also, name):
			case !given && sl.many:
				out[name] = own[kind][:1]
			case !given:
				out[name] = own[kind][0]
			case sl.many:
				out[name] = values
			default:
				out[name] = values[0]
			}
			continue
		}
		if !strings.Contains(options, "omit") {
			out[name] = sampleOf(f.Type, name)
		}
	}
	maps.Copy(out, needed[s.Name])
	for sl := range names {
		maps.Copy(out, needed[s.Name+" "+sl.name])
	}
	text, err := json.Marshal(out, json.Deterministic(true))
	if err != nil {
		panic(err) // only for values that are no JSON
	}
	return string(text)
}

// needed are members without which a command is refused for another reason, by the
// route's name, and the slot's.
var needed = map[string]map[string]any{
	"mergeGroup":                {"acknowledge_widening": true},
	"changeRole":                {"role": "dispatcher", "access": "none"},
	"changeRole groups":         {"role": "dispatcher", "access": "groups"},
	"replaceGroups":             {"access": "none"},
	"replaceGroups groups":      {"access": "groups"},
	"addUser groups":            {"access": "groups"},
	"recordAccessReview groups": {"decision": "reduce"},
	"bulkDeliveries group":      {"do": "tag"},
	"bulkDeliveries vehicle":    {"do": "assign"},
	"changeDelivery":            {"recipient": "Somebody"},
	"completePartially":         {"items": []any{map[string]any{"id": "1", "rejected": 1}}},
}

// with are members that must be there beside another one, by the route's name and
// the slot's.
var with = map[string]string{"createDelivery vehicle": "group"}

// samples are texts that members with a meaning take.
var samples = map[string]string{
	"email": "probe@example.com", "role": "cso", "date": "2026-03-02", "timezone": "UTC", "do": "hold", "decision": "keep", "to": "failed",
}

func sampleOf(t reflect.Type, name string) any {
	switch t {
	case reflect.TypeFor[time.Time]():
		return "2026-03-02T12:00:00Z"
	}
	switch t.Kind() {
	case reflect.String:
		if text, ok := samples[name]; ok {
			return text
		}
		return "Probe"
	case reflect.Bool:
		return true
	case reflect.Pointer:
		return sampleOf(t.Elem(), name)
	case reflect.Slice:
		return []any{sampleOf(t.Elem(), name)}
	case reflect.Map:
		return map[string]any{}
	case reflect.Struct:
		out := map[string]any{}
		for inner, f := range members(t) {
			if !strings.Contains(f.Tag.Get("json"), ",omit") {
				out[inner] = sampleOf(f.Type, inner)
			}
		}
		return out
	default:
		return 1
	}
}
