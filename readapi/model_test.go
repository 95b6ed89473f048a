package readapi_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"waybill/aggregates/access"
)

// world is an independent, slow model of who sees what: rules R2 to R5, as they
// are written.
type world struct {
	org        uuid.UUID
	owner      person
	users      []*modelUser
	groups     []uuid.UUID
	archived   map[uuid.UUID]bool
	deliveries []uuid.UUID
	tagged     map[uuid.UUID]uuid.UUID // by delivery; absent = untagged
	deleted    map[uuid.UUID]bool
}

type modelUser struct {
	person
	all, blocked bool
	grants       map[uuid.UUID]bool
}

func (w *world) sees(u *modelUser, delivery uuid.UUID) bool {
	group, tagged := w.tagged[delivery]
	switch {
	case u.blocked, w.deleted[delivery]:
		return false
	case u.all:
		return true
	case !tagged:
		return false
	default:
		return u.grants[group] && !w.archived[group]
	}
}

func newWorld(t testing.TB, s *stack) *world {
	t.Helper()
	w := &world{owner: s.organisation(t, "World"+uuid.NewString()[:8]), archived: map[uuid.UUID]bool{}, tagged: map[uuid.UUID]uuid.UUID{}, deleted: map[uuid.UUID]bool{}}
	w.org = w.owner.org(t)
	w.owner.done(t, "PUT", "/v1/settings/group-field", `{"enabled": true}`)
	for i := range 2 {
		w.groups = append(w.groups, w.owner.group(t, fmt.Sprintf("Group %d", i)))
	}
	for i, member := range []string{`, "access": "none"`, `, "access": "none"`, `, "access": "all"`} {
		u := &modelUser{person: w.owner.add(t, fmt.Sprintf("User%d", i), access.RoleManager, member), all: i == 2, grants: map[uuid.UUID]bool{}}
		w.users = append(w.users, u)
	}
	for i := range 3 {
		w.deliveries = append(w.deliveries, w.owner.deliver(t, fmt.Sprintf("W-%d", i), "2026-03-02", uuid.Nil))
	}
	return w
}

// step does one thing, to the system and to the model, and checks that the
// system took it as the rules say.
func (w *world) step(t testing.TB, rt *rapid.T) {
	u := rapid.SampledFrom(w.users).Draw(rt, "user")
	g := rapid.SampledFrom(w.groups).Draw(rt, "group")
	d := rapid.SampledFrom(w.deliveries).Draw(rt, "delivery")
	do := func(method, path, body string, want bool) bool {
		a := w.owner.do(t, method, path, body)
		if got := a.status == http.StatusOK; got != want {
			rt.Fatalf("%s %s: %d %s, want it taken: %v", method, path, a.status, a.body, want)
		}
		return want
	}
	sight := "/v1/users/" + u.user.String() + "/groups/" + g.String()
	switch op := rapid.SampledFrom([]string{"grant", "grant", "revoke", "tag", "tag", "untag", "delete", "archive", "restore", "block", "unblock"}).Draw(rt, "op"); op {
	case "grant":
		if do("PUT", sight, "", !u.all && !w.archived[g]) {
			u.grants[g] = true
		}
	case "revoke":
		w.owner.do(t, "DELETE", sight, "") // whatever it says when there is none
		delete(u.grants, g)
	case "tag":
		if do("POST", "/v1/deliveries/"+d.String()+"/tag", `{"group": "`+g.String()+`", "reason": "moved"}`, !w.deleted[d] && (!w.archived[g] || w.tagged[d] == g)) {
			w.tagged[d] = g
		}
	case "untag":
		do("POST", "/v1/deliveries/"+d.String()+"/untag", "", !w.deleted[d])
		delete(w.tagged, d)
	case "delete":
		do("DELETE", "/v1/deliveries/"+d.String(), "", !w.deleted[d])
		w.deleted[d] = true
	case "archive":
		do("POST", "/v1/groups/"+g.String()+"/archive", `{"reason": "over"}`, true)
		w.archived[g] = true
	case "restore":
		for _, each := range w.users { // what the policy does, which does not run here
			w.owner.do(t, "DELETE", "/v1/users/"+each.user.String()+"/groups/"+g.String(), "")
			delete(each.grants, g)
		}
		do("POST", "/v1/groups/"+g.String()+"/restore", "", true)
		w.archived[g] = false
	case "block":
		do("POST", "/v1/users/"+u.user.String()+"/block", "", true)
		u.blocked = true
	case "unblock":
		do("POST", "/v1/users/"+u.user.String()+"/unblock", "", true)
		if u.blocked {
			u.person = u.s.open(t, w.org, u.user, access.RoleManager)
		}
		u.blocked = false
	}
}

// check compares what everybody gets to see with the model.
func (w *world) check(t testing.TB, rt *rapid.T) {
	for i, u := range w.users {
		if u.blocked {
			if a := u.get(t, "/v1/deliveries"); a.status != http.StatusUnauthorized {
				rt.Fatalf("user %d is blocked and gets %d", i, a.status)
			}
			continue
		}
		listed := map[uuid.UUID]bool{}
		for _, d := range u.deliveries(t, "/v1/deliveries").Deliveries {
			listed[d.ID] = true
		}
		var want int64
		for j, d := range w.deliveries {
			sees := w.sees(u, d)
			if sees {
				want++
			}
			if byID := u.get(t, "/v1/deliveries/"+d.String()).status == http.StatusOK; byID != sees || listed[d] != sees {
				rt.Fatalf("user %d and delivery %d: by id %v, listed %v, the rules say %v", i, j, byID, listed[d], sees)
			}
		}
		if total := u.progress(t, "/v1/progress").Total; total != want || int64(len(listed)) != want {
			rt.Fatalf("user %d: %d counted, %d listed, the rules say %d", i, total, len(listed), want)
		}
	}
}

func testAfterAnySequenceOfChangesEverybodySeesWhatTheRulesSay(t *testing.T, s *stack) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, s)
		w.check(t, rt)
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			w.step(t, rt)
			w.check(t, rt)
		}
	})
}
