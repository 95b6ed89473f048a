package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"waybill/aggregates/access"
	"waybill/events"
	"waybill/events/fault"
)

// grounds are the kinds of reasons to refuse a command: a set, for there may be several.
type grounds uint8

const (
	invalid grounds = 1 << iota
	notFound
	denied
	conflict
	stranger // not let in
)

func (k grounds) String() string {
	var names []string
	for i, name := range []string{"invalid", "not found", "denied", "conflict", "not let in"} {
		if k&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	if names == nil {
		return "taken"
	}
	return strings.Join(names, " or ")
}

// groundsOf is what the status of an answer says; 0: taken.
func groundsOf(status int) (grounds, bool) {
	switch status {
	case http.StatusOK, http.StatusCreated, http.StatusNoContent:
		return 0, true
	case http.StatusUnprocessableEntity, http.StatusBadRequest:
		return invalid, true
	case http.StatusNotFound:
		return notFound, true
	case http.StatusForbidden:
		return denied, true
	case http.StatusConflict:
		return conflict, true
	case http.StatusUnauthorized:
		return stranger, true
	}
	return 0, false
}

// world is the system and the model side by side.
type world struct {
	*whole
	ctx     context.Context
	tenants []*tenant
	ghost   *tenant // of whom nothing exists
	moved   bool    // something happened since everybody's sight was compared
	turn    int     // whose turn it is to be asked over HTTP
}

// attempt is a command, with every reason that the rules give to refuse it.
type attempt struct {
	by           asker
	method, path string
	body         map[string]any
	matching     *uuid.UUID // whose ETag is sent
	why          grounds
	reasons      []string
	records      bool                        // the refusal is an event
	dry          bool                        // it is only tried
	file         []byte                      // instead of a body
	call         func(context.Context) error // instead of a request
	told         func(reply)                 // looks at an answer, also of what is only tried
	then         func(reply)
}

// refuse adds a reason to refuse. All are gathered: which of them is told first is
// not the model's business.
func (a *attempt) refuse(because bool, k grounds, reason string) {
	if because {
		a.why |= k
		a.reasons = append(a.reasons, k.String()+": "+reason)
	}
}

// query adds a parameter.
func (a *attempt) query(name, value string) {
	mark := "?"
	if strings.Contains(a.path, "?") {
		mark = "&"
	}
	a.path += mark + name + "=" + url.QueryEscape(value)
}

// tried draws whether a command that widens or narrows what others see is only tried.
func tried(rt *rapid.T) bool { return below(rt, "dry run", 8) == 7 }

// needs refuses a caller without a permission.
func (a *attempt) needs(permission string) { a.refuse(!a.by.may(permission), denied, permission) }

// give gives a command to the system and to the model.
func (w *world) give(rt *rapid.T, a *attempt) {
	rt.Helper()
	w.time.advance(time.Microsecond)
	if a.call == nil && !a.by.awake() {
		a.why, a.reasons = stranger, []string{"not active, or the key is over"}
	}
	before := w.lastOf(events.AggregatePrefixes())
	var headers []string
	if a.matching != nil {
		headers = []string{"If-Match", w.revision(rt, *a.matching)}
	}
	var res reply
	var err error
	if a.call != nil {
		res = called(rt, a.call(w.ctx))
	} else {
		if a.dry {
			a.query("dry_run", "true")
		}
		var body any = a.body
		if a.file != nil {
			body = a.file
		}
		res, err = w.send(w.ctx, w.token(rt, a.by), a.method, a.path, body, headers...)
		must(rt, err)
	}
	rt.Logf("%s: %s %s %v -> %d", a.by.name(), a.method, a.path, a.body, res.status)
	w.judge(rt, a, res)
	if a.told != nil && a.why == 0 {
		a.told(res)
	}
	if a.why != 0 || a.dry {
		after, err := w.look(w.ctx)
		must(rt, err)
		if after != before && !a.records {
			rt.Fatalf("%s %s was refused, or only tried, and has changed something: %s", a.method, a.path, res.body)
		}
		return
	}
	if a.then != nil {
		a.then(res)
	}
	must(rt, w.settle(w.ctx))
	w.moved = true
}

// called is the answer of what was not asked over HTTP.
func called(rt *rapid.T, err error) reply {
	var f *fault.Error
	switch {
	case err == nil:
		return reply{status: http.StatusOK}
	case !errors.As(err, &f):
		rt.Fatal(err)
	}
	status := map[fault.Kind]int{fault.Invalid: http.StatusUnprocessableEntity, fault.NotFound: http.StatusNotFound,
		fault.Denied: http.StatusForbidden, fault.Conflict: http.StatusConflict}[f.Kind]
	return reply{status: status, body: []byte(f.Error())}
}

// judge compares the answer with what the rules say.
func (w *world) judge(rt *rapid.T, a *attempt, res reply) {
	rt.Helper()
	got, known := groundsOf(res.status)
	if !known || (got == 0) != (a.why == 0) || got != 0 && got&a.why == 0 {
		rt.Fatalf("%s %s %v by %s: status %d %s; the rules say %s %q",
			a.method, a.path, a.body, a.by.name(), res.status, res.body, a.why, a.reasons)
	}
}

// name tells somebody in messages.
func (a asker) name() string {
	text := fmt.Sprintf("%s %s (%s, ALL %v)", a.role, a.email, a.status, a.all)
	if a.key != nil {
		text += fmt.Sprintf(" with a key for %v, groups %v", a.key.may, a.key.chosen)
	}
	return text
}

// revision is the ETag of a user, client or delivery; "0" for what does not exist.
func (w *world) revision(rt *rapid.T, id uuid.UUID) string {
	var revision int64
	must(rt, w.pools.Projector.QueryRow(w.ctx, `
		SELECT coalesce((SELECT revision FROM read.users WHERE user_id = $1), (SELECT revision FROM read.clients WHERE client_id = $1),
		                (SELECT revision FROM read.deliveries WHERE delivery_id = $1), 0)`, id).Scan(&revision))
	return fmt.Sprintf("%q", fmt.Sprint(revision))
}

// token is what somebody sends; users who may are signed in first.
func (w *world) token(t rapid.TB, a asker) string {
	t.Helper()
	switch {
	case a.key != nil:
		return a.key.token
	case a.status != "active":
		return a.stale
	case a.token == "":
		m := access.Membership{Org: a.of.id, User: a.id}
		must(t, w.pools.Identity.QueryRow(w.ctx, `SELECT identity_id FROM read.users WHERE user_id = $1`, a.id).Scan(&m.Identity))
		opened, err := w.access.OpenSession(w.ctx, m, events.Source{Portal: access.PortalOf(a.role)})
		must(t, err)
		a.token = opened.Token.Reveal()
	}
	return a.token
}

// signedOut ends the sessions of a user, and its keys when these end, too.
func (u *muser) signedOut(keys bool) {
	if u.token != "" {
		u.stale, u.token = u.token, ""
	}
	for _, k := range u.keys {
		k.over = k.over || keys
	}
}

// must fails a test, in whatever goroutine rapid runs it.
func must(t rapid.TB, err error) {
	if err != nil {
		t.Helper()
		t.Fatal(err)
	}
}

// below draws a number from 0 to n-1, each as likely.
func below(rt *rapid.T, label string, n int) int {
	return rapid.Custom(func(rt *rapid.T) int {
		v := 0
		for range 10 {
			v *= 2
			if rapid.Bool().Draw(rt, "") {
				v++
			}
		}
		return v * n / 1024
	}).Draw(rt, label)
}

func oneOf[T any](rt *rapid.T, label string, of ...T) T { return of[below(rt, label, len(of))] }

// target picks one of somebody's organisation, often one that it sees; now and then
// one of another organisation, or one that does not exist.
func target[T any](rt *rapid.T, w *world, by asker, label string, of func(*tenant) []T) T {
	rt.Helper()
	own := of(by.of)
	seen := slices.DeleteFunc(slices.Clone(own), func(one T) bool { return !by.seesAny(one) })
	switch n := below(rt, label, 20); {
	case n < 13 && len(seen) > 0:
		return oneOf(rt, label, seen...)
	case n < 18 && len(own) > 0:
		return oneOf(rt, label, own...)
	case n == 19:
		return of(w.ghost)[0]
	}
	other := of(w.tenants[1-slices.Index(w.tenants, by.of)])
	if len(other) == 0 {
		return of(w.ghost)[0]
	}
	return oneOf(rt, label, other...)
}

// likely narrows what is picked from to what something can be done with, most of
// the time.
func likely[T any](rt *rapid.T, of func(*tenant) []T, can func(T) bool) func(*tenant) []T {
	if below(rt, "odd", 4) == 3 {
		return of
	}
	return func(o *tenant) []T {
		if some := slices.DeleteFunc(slices.Clone(of(o)), func(one T) bool { return !can(one) }); len(some) > 0 {
			return some
		}
		return of(o)
	}
}

func usersOf(o *tenant) []*muser          { return o.users }
func groupsOf(o *tenant) []*mgroup        { return o.groups }
func vehiclesOf(o *tenant) []*mvehicle    { return o.vehicles }
func clientsOf(o *tenant) []*mclient      { return o.clients }
func deliveriesOf(o *tenant) []*mdelivery { return o.deliveries }

// somebody is who gives a command: often an owner, so that something happens; now
// and then a machine, or one of a client's people.
func (w *world) somebody(rt *rapid.T) asker {
	o := w.tenants[below(rt, "organisation", 8)/6] // the first one, mostly
	n := below(rt, "who", 12)
	if n < 4 {
		for _, u := range o.users {
			if u.role == "owner" && u.status == "active" {
				return asker{u, nil}
			}
		}
	}
	var all, some []asker
	for _, u := range o.users {
		if n != 11 && u.status != "active" {
			continue
		}
		for _, a := range append([]asker{{u, nil}}, u.with()...) {
			all = append(all, a)
			if n == 9 && a.key != nil || n == 10 && u.role == "customer" {
				some = append(some, a)
			}
		}
	}
	if len(some) > 0 {
		all = some
	}
	return oneOf(rt, "caller", all...)
}

// with are the ways in which the machines of a user ask.
func (u *muser) with() []asker {
	var all []asker
	for _, k := range u.keys {
		all = append(all, asker{u, k})
	}
	return all
}

// ids are those of some groups, as a body has them.
func ids(groups []*mgroup) []uuid.UUID {
	out := make([]uuid.UUID, len(groups))
	for i, g := range groups {
		out[i] = g.id
	}
	return out
}
