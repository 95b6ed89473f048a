package readapi

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/problem"
	"waybill/events/fault"
)

// Sizes of a page.
const (
	defaultLimit = 50
	maxLimit     = 200
)

// params reads query parameters and gathers what is wrong with them.
type params struct {
	values url.Values
	wrong  []fault.Field
}

// paramsOf refuses parameters that the list does not know: a misspelled filter
// must not answer as if there were none.
func paramsOf(r *http.Request, known ...string) *params {
	p := &params{}
	if r.URL.RawQuery == "" {
		return p
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		p.refuse("query", "cannot be read: percent-encode it")
		return p
	}
	p.values = values
	for name, given := range values {
		switch {
		case !slices.Contains(known, name):
			p.refuse(name, "is not a parameter of this list; it has %s", strings.Join(known, ", "))
		case len(given) > 1:
			p.refuse(name, "is given %d times", len(given))
		}
	}
	slices.SortFunc(p.wrong, func(a, b fault.Field) int { return strings.Compare(a.Name, b.Name) })
	return p
}

func (p *params) refuse(name, format string, args ...any) {
	p.wrong = append(p.wrong, fault.Field{Name: name, Detail: fmt.Sprintf(format, args...)})
}

// err returns what was wrong, nil when nothing was.
func (p *params) err() error {
	if len(p.wrong) == 0 {
		return nil
	}
	return &problem.HTTPError{Status: http.StatusBadRequest, Code: "invalid-parameter", Detail: "A parameter is not valid.", Fields: p.wrong}
}

func (p *params) text(name string) string { return p.values.Get(name) }

func (p *params) limit() int {
	text := p.values.Get("limit")
	if text == "" {
		return defaultLimit
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxLimit {
		p.refuse("limit", "must be a whole number from 1 to %d", maxLimit)
		return defaultLimit
	}
	return n
}

// date returns a day, nil when not given.
func (p *params) date(name string) *time.Time {
	text := p.values.Get(name)
	if text == "" {
		return nil
	}
	d, err := time.Parse(time.DateOnly, text)
	if err != nil || d.Year() < 1 {
		p.refuse(name, "must be a day such as 2026-03-31")
		return nil
	}
	return &d
}

// noGroup as the value of the parameter group asks for what is in no group.
const noGroup = "none"

// group returns a group to filter by and whether there is such a filter; the zero
// group stands for "in no group".
func (p *params) group() (uuid.UUID, bool) {
	text := p.values.Get("group")
	switch text {
	case "":
		return uuid.Nil, false
	case noGroup:
		return uuid.Nil, true
	}
	id, err := uuid.Parse(text)
	if err != nil || id == uuid.Nil {
		p.refuse("group", "must be a group's id, or %q", noGroup)
	}
	return id, true
}

// next makes the URL of the next page: the same filters with another cursor.
func next(r *http.Request, cursor string) string {
	q := r.URL.Query()
	q.Set("cursor", cursor)
	return r.URL.Path + "?" + q.Encode()
}

// link announces the next page.
func link(w http.ResponseWriter, r *http.Request, cursor string) {
	if cursor != "" {
		w.Header().Set("Link", "<"+next(r, cursor)+`>; rel="next"`)
	}
}

// list names a list with its filters, for cursors: everything but the place and
// the size of the page.
func list(r *http.Request) string {
	if r.URL.RawQuery == "" {
		return r.URL.Path
	}
	q := r.URL.Query()
	q.Del("cursor")
	q.Del("limit")
	return r.URL.Path + "?" + q.Encode()
}
