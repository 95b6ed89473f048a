// Package route is how HTTP routes are declared: once, as a table of values from
// which the router, the metrics and the OpenAPI document are made, so that none
// of them can differ from the others.
//
// It knows no command and no query; whoever declares a route brings its handler.
package route

import (
	"net/http"
	"reflect"
	"strings"

	"waybill/aggregates/access"
)

// Route is one method of one path.
type Route struct {
	Method  string
	Path    string // gorilla/mux template, such as "/v1/deliveries/{id}"
	Name    string // operation id, unique, such as "tagDelivery"
	Summary string // one sentence
	Handler http.Handler

	// Public routes are for everybody; all others need a session, and their
	// handler finds the caller with access.CallerOf.
	Public bool

	// Needs is the permissions without which the route refuses what the caller
	// sees.
	Needs access.Set
	// Own routes need nothing of who is concerned oneself: Needs is for others.
	Own bool
	// Open commands need no permission: whoever sees what they are about, or
	// proves in another way that it is theirs, may. A command that is not public
	// has Needs or is Open, so that nobody forgets to say which.
	Open bool
	// Personal routes need a session; API keys are refused, lest who finds one
	// key makes others. The router sees to it, and tells Refused, unless nil.
	Personal bool
	Refused  func(*http.Request, error)

	// Verb is what the command line calls the route: a noun and what is done to
	// it, such as "user add", or one word. Pages, which are for browsers alone,
	// have none.
	Verb string
	Page bool
	// Args are the members of the body that the command line takes as arguments,
	// after those of the path; all others are flags.
	Args []string
	// Example is a body that makes sense, of the type of Body; nil = a body
	// without members, or none.
	Example any
	// Columns are the members of the rows of a list that a table of them shows.
	Columns []string
	// Names are the members of the rows of a list by which people know its
	// things; the command line takes them in place of ids.
	Names []string

	Params []Param      // query and header parameters; those of the path are found in Path
	Body   reflect.Type // struct of the JSON body; nil = none
	// Bodyless requests may be sent without a body.
	Bodyless bool
	Media    string       // media type of a body that is no JSON; empty = none
	Answer   reflect.Type // struct of the JSON answer; nil = none
	Files    []string     // media types of an answer that is a file; empty = it is none
	Status   int          // of the answer when it went well
	// Others are answers of another status that are no problems, by status; nil =
	// none.
	Others map[int]reflect.Type
}

// Param is one query or header parameter.
type Param struct {
	In      string // "query" or "header"
	Name    string
	Summary string
	Format  string // JSON Schema format such as "uuid" or "date"; empty = any text
	Enum    []string
	Example string // of a query parameter; empty = the example goes without it
	Kind    string // what it is the id of, such as "user"; empty = what its name says
}

// Of returns the type of T, for [Route.Body] and [Route.Answer].
func Of[T any]() reflect.Type { return reflect.TypeFor[T]() }

// PathParams returns the names of the parameters of the path, in their order.
func (r Route) PathParams() []string {
	var names []string
	for _, part := range strings.Split(r.Path, "/") {
		if strings.HasPrefix(part, "{") && strings.HasSuffix(part, "}") {
			name, _, _ := strings.Cut(part[1:len(part)-1], ":")
			names = append(names, name)
		}
	}
	return names
}

// openPath is the path as OpenAPI writes it: without patterns.
func (r Route) openPath() string {
	path := r.Path
	for _, name := range r.PathParams() {
		at := strings.Index(path, "{"+name)
		end := at + strings.Index(path[at:], "}")
		path = path[:at] + "{" + name + path[end:]
	}
	return path
}

// TypeOf is Of for an example of the type.
func TypeOf(example any) reflect.Type { return reflect.TypeOf(example) }
