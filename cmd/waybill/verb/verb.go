// Package verb makes verbs of the command line out of routes: what a route takes
// becomes arguments and flags, and arguments and flags become its request. It
// knows no route; what it is given is what there is.
//
// The arguments are the parameters of the path in their order, then the members of
// the body that the route calls arguments. Query parameters and all other members
// are flags, with dashes for underscores: --group-name for group_name, --owner-name
// for the member name of the member owner. Lists are flags in the singular that can
// be repeated.
package verb

import (
	"fmt"
	"slices"
	"strings"

	"waybill/aggregates/access/route"
)

// Verb is one route as the command line has it.
type Verb struct {
	Route  route.Route
	Noun   string // "user"; the whole verb when that is one word
	Name   string // "add"; empty when the verb is one word
	Inputs []Input
}

// String returns the verb as it is typed, such as "user add".
func (v Verb) String() string { return strings.TrimSpace(v.Noun + " " + v.Name) }

// All returns the verbs of routes, in their order; pages have none. When nouns are
// given, only the verbs of these have inputs, for who needs no others. It is an
// error when a route has no verb or the verb of another one.
func All(routes []route.Route, nouns ...string) ([]Verb, error) {
	var all []Verb
	taken := map[string]string{}
	for _, r := range routes {
		if r.Page {
			continue
		}
		v, err := bare(r)
		if err == nil && (nouns == nil || slices.Contains(nouns, v.Noun)) {
			v.Inputs, err = inputs(r)
		}
		if err != nil {
			return nil, fmt.Errorf("route %s: %w", r.Name, err)
		}
		if other, twice := taken[v.String()]; twice {
			return nil, fmt.Errorf("routes %s and %s have the same verb %q", other, r.Name, v)
		}
		taken[v.String()] = r.Name
		all = append(all, v)
	}
	named(all)
	return all, nil
}

// named says of every input that is the id of something whether a name will do:
// where a list of such things has names.
func named(all []Verb) {
	names := map[string][]string{}
	for _, v := range all {
		if v.Name == "list" && v.Route.Names != nil {
			names[v.Noun] = v.Route.Names
		}
	}
	for _, v := range all {
		for i := range v.Inputs {
			in := &v.Inputs[i]
			known, ok := names[in.Thing]
			if !ok {
				in.Thing = ""
			} else {
				in.Help += " By id, or by " + strings.ReplaceAll(strings.Join(known, " or "), "_", " ") + "."
			}
		}
	}
}

// Of returns the verb of a route.
func Of(r route.Route) (Verb, error) {
	v, err := bare(r)
	if err == nil {
		v.Inputs, err = inputs(r)
	}
	if err != nil {
		return Verb{}, fmt.Errorf("route %s: %w", r.Name, err)
	}
	return v, nil
}

// bare returns a verb without its inputs.
func bare(r route.Route) (Verb, error) {
	words := strings.Fields(r.Verb)
	if len(words) < 1 || len(words) > 2 {
		return Verb{}, fmt.Errorf("%q is no verb: want a noun and what is done to it", r.Verb)
	}
	v := Verb{Route: r, Noun: words[0]}
	if len(words) == 2 {
		v.Name = words[1]
	}
	return v, nil
}

// Takes reports whether the route has a query or header parameter.
func (v Verb) Takes(in, name string) bool {
	return slices.ContainsFunc(v.Route.Params, func(p route.Param) bool { return p.In == in && p.Name == name })
}

// Listed reports whether the verb answers with pages of a list.
func (v Verb) Listed() bool { return v.Takes("query", "cursor") }

// Flag returns what sets a member of the body or a parameter, named as an error
// of the server names it (such as "items[2].quantity"): "--item", "<user>"; empty
// when nothing does.
func (v Verb) Flag(field string) string {
	path := strings.FieldsFunc(field, func(r rune) bool { return r == '.' || r == '[' || r == ']' })
	best := ""
	length := 0
	for _, in := range v.Inputs {
		if len(in.Path) <= len(path) && len(in.Path) > length && slices.Equal(in.Path, path[:len(in.Path)]) {
			best, length = in.Typed(), len(in.Path)
		}
	}
	return best
}
