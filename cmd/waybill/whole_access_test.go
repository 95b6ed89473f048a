package main

import (
	"net/url"
	"slices"
	"time"

	"pgregory.net/rapid"
)

// ends draws when something is to end, and puts it into a body.
func (w *world) ends(rt *rapid.T, body map[string]any) time.Time {
	var ends time.Time
	switch below(rt, "expiry", 8) {
	case 0:
		ends = w.time.Now().Add(-time.Hour)
	case 1, 2, 3:
		ends = w.time.Now().Add(time.Duration(1+below(rt, "days", 10)) * 24 * time.Hour)
	}
	if !ends.IsZero() {
		body["expires_at"] = ends
	}
	return ends
}

// takesGroups adds the reasons why a user can be given no groups.
func (a *attempt) takesGroups(u *muser) {
	a.refuse(!u.present(), conflict, "removed")
	a.refuse(holdsAll(u.role), conflict, "role holds ALL")
	a.refuse(u.all, conflict, "user has ALL")
}

func past(w *world, t time.Time) bool { return !t.IsZero() && !t.After(w.time.Now()) }

func (w *world) grantGroup(rt *rapid.T) {
	by := w.somebody(rt)
	u := target(rt, w, by, "user", likely(rt, usersOf, func(u *muser) bool { return u.present() && !u.all }))
	g := target(rt, w, by, "group", likely(rt, groupsOf, func(g *mgroup) bool { return g.status == "active" && g.manageable() }))
	a := &attempt{by: by, method: "PUT", path: "/v1/users/" + u.id.String() + "/groups/" + g.id.String(), body: map[string]any{}}
	ends := w.ends(rt, a.body)
	a.acts(u)
	a.uses(g)
	a.takesGroups(u)
	a.refuse(past(w, ends), invalid, "expiry")
	was := slices.IndexFunc(u.open(), func(o *mgrant) bool { return o.group == g && o.basis == "direct" })
	if was >= 0 && u.open()[was].ends.Equal(ends) {
		w.give(rt, a) // it is so already
		return
	}
	a.refuse(u == by.muser, denied, "oneself")
	a.confers(g, ends)
	a.then = func(reply) {
		u.end(func(o *mgrant) bool { return o.group == g && o.basis == "direct" })
		u.grants = append(u.grants, &mgrant{group: g, basis: "direct", ends: ends})
	}
	w.give(rt, a)
}

func (w *world) revokeGroup(rt *rapid.T) {
	by := w.somebody(rt)
	u, g := target(rt, w, by, "user", usersOf), target(rt, w, by, "group", groupsOf)
	a := &attempt{by: by, method: "DELETE", path: "/v1/users/" + u.id.String() + "/groups/" + g.id.String()}
	a.acts(u)
	a.refuse(!by.sees(g), notFound, "group")
	a.refuse(!u.present(), conflict, "removed")
	a.refuse(u.all, conflict, "user has ALL")
	a.then = func(reply) { u.end(func(o *mgrant) bool { return o.group == g }) }
	w.give(rt, a)
}

func (w *world) replaceGroups(rt *rapid.T) {
	a, u := w.onUser(rt, "PUT", "/groups")
	a.dry = tried(rt)
	s := w.scope(rt, a.by)
	a.matching = &u.id
	s.into(a.body)
	a.refuse(!u.present(), conflict, "removed")
	a.refuse(holdsAll(u.role), conflict, "role holds ALL")
	a.refuse(s.wrong(), invalid, "scope")
	a.refuse(s.access == "all" && !u.all && !a.by.mayGiveAll(), denied, "ALL")
	a.rescopes(u, s)
	a.then = func(reply) { u.rescope(s) }
	w.give(rt, a)
}

// reason draws whether a reason is given.
func reason(rt *rapid.T, body map[string]any) bool {
	if below(rt, "reason", 10) == 9 {
		return false
	}
	body["reason"] = "so be it"
	return true
}

func (w *world) grantAll(rt *rapid.T) {
	a, u := w.onUser(rt, "PUT", "/all-groups")
	a.dry = tried(rt)
	said := reason(rt, a.body)
	a.refuse(!u.present(), conflict, "removed")
	if u.all {
		w.give(rt, a)
		return
	}
	a.refuse(!said, invalid, "reason")
	a.refuse(!a.by.mayGiveAll(), denied, "ALL")
	a.then = func(reply) { u.rescope(scope{access: "all"}) }
	w.give(rt, a)
}

func (w *world) revokeAll(rt *rapid.T) {
	a, u := w.onUser(rt, "DELETE", "/all-groups")
	a.dry = tried(rt)
	said, s := reason(rt, a.body), scope{groups: w.scope(rt, a.by).groups}
	s.into(a.body)
	a.refuse(!u.present(), conflict, "removed")
	a.refuse(holdsAll(u.role), conflict, "role holds ALL")
	a.refuse(!u.all, conflict, "not ALL")
	a.refuse(!said, invalid, "reason")
	a.rescopes(u, s)
	a.then = func(reply) { u.rescope(s) }
	w.give(rt, a)
}

func (w *world) requestGroup(rt *rapid.T) {
	by := w.somebody(rt)
	u := target(rt, w, by, "user", likely(rt, usersOf, func(u *muser) bool { return u.present() && !u.all }))
	g := target(rt, w, by, "group", likely(rt, groupsOf, func(g *mgroup) bool {
		return g.status == "active" && !slices.Contains(u.groups(), g) && by.sees(g)
	}))
	if below(rt, "oneself", 4) == 0 {
		u = by.muser
	}
	a := &attempt{by: by, method: "POST", path: "/v1/users/" + u.id.String() + "/access-requests", body: map[string]any{"group": g.id}}
	said, ends := reason(rt, a.body), w.ends(rt, a.body)
	a.refuse(!by.seesUser(u), notFound, "user")
	a.refuse(u != by.muser && !by.may("manage_users"), denied, "for somebody else")
	a.uses(g)
	a.takesGroups(u)
	a.refuse(!said, invalid, "reason")
	a.refuse(past(w, ends), invalid, "expiry")
	a.refuse(slices.ContainsFunc(u.requests, func(r *mrequest) bool { return r.group == g }), conflict, "asked already")
	a.refuse(slices.ContainsFunc(u.grants, func(o *mgrant) bool { return o.group == g && o.ends.IsZero() }), conflict, "held already")
	a.then = func(res reply) {
		u.requests = append(u.requests, &mrequest{id: w.idOf(rt, res), group: g, by: by.muser, ends: ends})
	}
	w.give(rt, a)
}

// decide is an approval or a denial of a request, if there is one.
func (w *world) decide(rt *rapid.T, verb string) {
	by := w.somebody(rt)
	asked := func(u *muser) bool { return len(u.requests) > 0 }
	if !slices.ContainsFunc(by.of.users, asked) {
		w.requestGroup(rt) // so that there is one
		return
	}
	u := target(rt, w, by, "user", likely(rt, usersOf, asked))
	r := &mrequest{id: w.ghost.id}
	if len(u.requests) > 0 {
		r = oneOf(rt, "request", u.requests...)
	}
	a := &attempt{by: by, method: "POST", path: "/v1/users/" + u.id.String() + "/access-requests/" + url.PathEscape(r.id.String()) + "/" + verb}
	a.acts(u)
	open := slices.Contains(u.requests, r)
	a.refuse(!open && by.everything(), conflict, "not open")
	a.refuse(!open || !by.sees(r.group), notFound, "request")
	a.refuse(!u.present(), conflict, "removed")
	if verb == "approve" && open {
		// Nor is a person independent who was removed and has come back.
		a.refuse(by.muser == u || by.email == r.by.email, denied, "not independent")
		a.uses(r.group)
		a.takesGroups(u)
		a.refuse(past(w, r.ends), conflict, "outdated")
		a.confers(r.group, r.ends)
	}
	a.then = func(reply) {
		u.requests = slices.DeleteFunc(u.requests, func(o *mrequest) bool { return o == r })
		if verb == "approve" {
			u.grants = append(u.grants, &mgrant{group: r.group, basis: "request", from: r, ends: r.ends})
		}
	}
	w.give(rt, a)
}

func (w *world) approve(rt *rapid.T) { w.decide(rt, "approve") }
func (w *world) deny(rt *rapid.T)    { w.decide(rt, "deny") }

func (w *world) review(rt *rapid.T) {
	a, u := w.onUser(rt, "POST", "/access-reviews")
	decision := oneOf(rt, "decision", "keep", "reduce", "revoke", "reduce")
	a.body["decision"] = decision
	var groups []*mgroup
	if has := u.groups(); len(has) > 0 && decision == "reduce" {
		groups = has[:1+below(rt, "so many", len(has))]
	} else if below(rt, "odd", 8) == 7 {
		groups = []*mgroup{target(rt, w, a.by, "group", groupsOf)}
	}
	a.body["groups"] = ids(groups)
	a.refuse(u == a.by.muser, denied, "oneself")
	for _, g := range groups {
		a.refuse(!a.by.sees(g), notFound, "group")
	}
	a.refuse(!u.present(), conflict, "removed")
	a.refuse(decision != "reduce" && len(groups) > 0, invalid, "groups")
	a.refuse(decision != "keep" && holdsAll(u.role), conflict, "role holds ALL")
	if decision == "reduce" {
		has := u.groups()
		a.refuse(u.all, conflict, "user has ALL")
		a.refuse(len(groups) == 0, invalid, "nothing taken away")
		a.refuse(slices.ContainsFunc(groups, func(g *mgroup) bool { return !slices.Contains(has, g) }), invalid, "not held")
		a.refuse(!slices.ContainsFunc(has, func(g *mgroup) bool { return !slices.Contains(groups, g) }), invalid, "nothing left")
	}
	a.then = func(reply) {
		if decision == "revoke" {
			u.all = false
		}
		u.end(func(o *mgrant) bool {
			return decision == "revoke" || decision == "reduce" && slices.Contains(groups, o.group)
		})
	}
	w.give(rt, a)
}
