package readapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"waybill/aggregates/access"
	"waybill/aggregates/commandapi"
	"waybill/readapi"
)

// TestTheAttackTable tries every route with every attacker: what is outside one's
// scope does not exist (rule R9), in whatever way it is asked for. A route that it
// does not know how to attack fails it.
//
// What is accepted, because it cannot be hidden from who may write at all:
//
//   - A position in the log, in the answer to one's own command, grows with what
//     everybody writes, and a query that waits for a position answers once all of
//     that is read. So one learns how much is written altogether, by all
//     organisations, and nothing of by whom or what.
//   - The revision of what one sees counts every change of it, also that of what
//     one does not see of it, such as a user's sight of another group: it is what
//     If-Match compares.
//   - Names that are unique in the organisation are taken, whoever took them.
//   - Where something is looked for takes about the same time whether or not it is
//     there; what is left tells only whoever has the id, and ids cannot be guessed.
//   - Who may change users is refused one that also has groups beyond its own, and
//     so learns that there are some.
func TestTheAttackTable(t *testing.T) {
	t.Parallel()
	s := newStackLimited(t, access.Limits{PerIP: 1 << 30, PerEmail: 1 << 30})
	s.Client().Transport.(*http.Transport).MaxIdleConnsPerHost = 64
	tb := &table{g: newGrounds(t, s, markMine), revisions: map[string]string{}}
	served := map[string]bool{}
	for _, rt := range s.routes {
		served[rt.Name] = true
		sh, err := shapeOf(rt)
		if err != nil {
			t.Errorf("%s %s: %v", rt.Method, rt.Path, err)
			continue
		}
		tb.shapes = append(tb.shapes, sh)
	}
	for _, rt := range append(readapi.Declared(), commandapi.Declared()...) {
		if !served[rt.Name] {
			t.Errorf("%s is declared and not served here, so nobody attacks it", rt.Name)
		}
	}
	g := tb.g
	g.hidden = g.plant(t, g.secret, markHidden, "1")
	g.loose(t, markLoose, "1")
	g.touch(t)
	g.old = g.owner.group(t, markOld+" Archived")
	other := newGrounds(t, s, "plugh")
	attackers := g.attackers(t, other)
	alive := slices.DeleteFunc(slices.Clone(attackers), func(a *attacker) bool { return a.nobody || a.weak })

	tb.each(t, "what names nothing tells nothing", alive, tb.aimless)
	tb.know(t, other)
	tb.lookOn(t, alive)
	tb.know(t, other)
	before := tb.record(t)
	tb.each(t, "foreign things look like none", attackers, func(t *testing.T, a *attacker, sh shape) {
		for _, sl := range sh.slots {
			if !a.nobody {
				tb.attack(t, a, sh, sl)
			}
		}
		switch {
		case a.nobody:
			tb.turnAway(t, a, sh)
		case a.weak:
			tb.forbid(t, a, sh)
		}
	})
	tb.unchanged(t, before)
	t.Run("the database shows no foreign row either", func(t *testing.T) { tb.rows(t, alive) })
	t.Run("a taken name tells no more than that", func(t *testing.T) { tb.conflicts(t, alive) })
	t.Run("a cursor is of use to nobody else", func(t *testing.T) { tb.cursors(t, alive) })
	t.Run("who knows an address learns nothing", func(t *testing.T) { tb.public(t) })
	t.Run("other names are free, whoever has them elsewhere", func(t *testing.T) { tb.freeNames(t, alive) })
	t.Run("what is attacked is there", func(t *testing.T) { tb.control(t) })
	t.Logf("%d cells", tb.cells.Load())
}

// each runs something for every attacker and route that is not public.
func (tb *table) each(t *testing.T, what string, attackers []*attacker, do func(*testing.T, *attacker, shape)) {
	t.Helper()
	start := time.Now()
	t.Run(what, func(t *testing.T) {
		for _, a := range attackers {
			t.Run(a.name, func(t *testing.T) {
				t.Parallel()
				for _, sh := range tb.shapes {
					if !sh.Public {
						do(t, a, sh)
					}
				}
			})
		}
	})
	t.Logf("%s: %d cells so far, %s", what, tb.cells.Load(), time.Since(start).Round(time.Millisecond))
}

// aimless tries a route that needs no name of anything. It may well go well.
func (tb *table) aimless(t *testing.T, a *attacker, sh shape) {
	t.Helper()
	if sh.Method == http.MethodDelete && strings.HasPrefix(sh.Path, "/v1/sessions") || slices.ContainsFunc(sh.slots, func(s slot) bool { return s.in == "path" }) {
		return
	}
	path, body := sh.request(a.own, nil)
	tb.send(t, a, sh, ways(sh)[0], path, body, "0")
}

// forbid tries a verb on what the caller sees, for which it lacks the permission.
func (tb *table) forbid(t *testing.T, a *attacker, sh shape) {
	t.Helper()
	if sh.Needs == 0 {
		return
	}
	path, body := sh.request(a.own, nil)
	got := tb.send(t, a, sh, way{name: "without the permission", headers: func(string) []string { return []string{"If-Match", `"7777"`} }}, path, body, "")
	// A vehicle that may not be viewed is not there.
	unseen := got.status == http.StatusNotFound && slices.ContainsFunc(sh.slots, func(s slot) bool { return s.kind == aVehicle })
	if each := sh.Name == "bulkDeliveries" && strings.Contains(got.body, `"status":403`); got.status != http.StatusForbidden && !unseen && !each {
		tb.fail(t, a, sh.Name, "on what is seen, without the permission: %d %s", got.status, got.body)
	}
}

// turnAway tries a route as nobody.
func (tb *table) turnAway(t *testing.T, a *attacker, sh shape) {
	t.Helper()
	things := called{}
	for _, sl := range sh.slots {
		if ids := a.things(sl.kind); sl.in == "path" && len(ids) > 0 {
			things[sl] = ids[:1]
		}
	}
	path, body := sh.request(a.own, things)
	got := tb.send(t, a, sh, ways(sh)[0], path, body, "0")
	text := told(got, nil)
	first, _ := tb.refusal.LoadOrStore("401", text)
	if got.status != http.StatusUnauthorized || text != first || got.header.Get("WWW-Authenticate") == "" {
		tb.fail(t, a, sh.Name, "%s, want what everybody gets:\n%s", text, first)
	}
}

// know learns the revisions of all that the owners see.
func (tb *table) know(t *testing.T, other *grounds) {
	t.Helper()
	paths := map[string]string{aGroup: "groups", aDelivery: "deliveries", aUser: "users", aClient: "clients"}
	seen := 0
	for o, all := range map[*grounds][]holdings{tb.g: {tb.g.own, tb.g.secret, tb.g.beyond, tb.g.ward}, other: {other.own}} {
		o.owner.caughtUp(t, o.owner.done(t, http.MethodPut, "/v1/settings/group-field", `{"enabled": true}`).Position)
		for _, h := range all {
			for kind, path := range paths {
				for _, id := range h[kind] {
					if tag := o.owner.get(t, fmt.Sprintf("/v1/%s/%s", path, id)).header.Get("ETag"); tag != "" {
						tb.revisions[id] = strings.Trim(tag, `"`)
						seen++
					}
				}
			}
		}
	}
	if seen < 20 {
		t.Fatalf("%d things have a revision: nothing is planted", seen)
	}
}
