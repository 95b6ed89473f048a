package route

import (
	"net/http"
	"strings"

	"github.com/gorilla/mux"
)

// at makes the router's route of a path. The router tries one route after the
// other, each by a regular expression; a look at the path before that tells the
// same for a fraction of the cost, where all variables of the path are whole
// segments.
func at(router *mux.Router, path string) *mux.Route {
	route := router.NewRoute()
	if segments, ok := segmentsOf(path); ok {
		route = route.MatcherFunc(func(r *http.Request, _ *mux.RouteMatch) bool { return segments.match(r) })
	}
	return route.Path(path)
}

// segments is a path in its parts; an empty one stands for a variable.
type segments struct {
	prefix string // what stands before the first variable
	parts  []string
}

func segmentsOf(path string) (segments, bool) {
	rest, ok := strings.CutPrefix(path, "/")
	if !ok {
		return segments{}, false
	}
	s := segments{prefix: path}
	if i := strings.IndexByte(path, '{'); i >= 0 {
		s.prefix = path[:i]
	}
	for part := range strings.SplitSeq(rest, "/") {
		if strings.HasPrefix(part, "{") && strings.HasSuffix(part, "}") {
			part = strings.Trim(part, "{}")
			if part == "" || strings.ContainsAny(part, ":{}") {
				return segments{}, false
			}
			part = ""
		} else if part == "" || strings.ContainsAny(part, "{}") {
			return segments{}, false
		}
		s.parts = append(s.parts, part)
	}
	return s, true
}

// match reports whether a request's path, as it came, is this one. It says just
// what the router's expression says, or the answer for another method would
// change.
func (s segments) match(r *http.Request) bool {
	if !strings.HasPrefix(r.URL.Path, s.prefix) { // nothing in it can be escaped otherwise
		return false
	}
	rest := r.URL.EscapedPath()
	for _, part := range s.parts {
		var ok bool
		if rest, ok = strings.CutPrefix(rest, "/"); !ok {
			return false
		}
		end := strings.IndexByte(rest, '/')
		if end < 0 {
			end = len(rest)
		}
		if end == 0 || part != "" && part != rest[:end] {
			return false
		}
		rest = rest[end:]
	}
	return rest == ""
}
