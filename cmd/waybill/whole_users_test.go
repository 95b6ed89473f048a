package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

func roles() []string {
	return []string{"owner", "super_admin", "manager", "dispatcher", "cso", "customer", "auditor"}
}

const week = 7 * 24 * time.Hour

// scope is what a command says of somebody's access.
type scope struct {
	groups []*mgroup
	access string
}

func (s scope) said() bool { return len(s.groups) > 0 || s.access != "" }

// wrong: contradicts itself, or no groups without a word.
func (s scope) wrong() bool {
	return len(s.groups) > 0 && (s.access == "all" || s.access == "none") || len(s.groups) == 0 && (s.access == "" || s.access == "groups")
}

func (s scope) into(body map[string]any) {
	if len(s.groups) > 0 {
		body["groups"] = ids(s.groups)
	}
	if s.access != "" {
		body["access"] = s.access
	}
}

func (w *world) scope(rt *rapid.T, by asker) scope {
	var s scope
	for range below(rt, "groups", 4) {
		if g := target(rt, w, by, "group", groupsOf); !slices.Contains(s.groups, g) {
			s.groups = append(s.groups, g)
		}
	}
	if n := below(rt, "access", 10); len(s.groups) == 0 || n == 0 {
		s.access = oneOf(rt, "access", "", "all", "none", "groups")
	}
	return s
}

// mayGiveRole: nobody confers what they lack.
func (a asker) mayGiveRole(role string) bool {
	switch {
	case a.narrowed() && holdsAll(role):
		return false
	case role == "owner":
		return a.role == "owner"
	case role == "super_admin":
		return holdsAll(a.role)
	}
	return a.mayRaise(nil, permissionsOf(role))
}

func (a asker) mayRaise(from, to []string) bool {
	return !slices.ContainsFunc(to, func(p string) bool { return !slices.Contains(from, p) && !a.may(p) })
}

func (a asker) mayGiveAll() bool { return a.everything() && a.may("grant_all_access") }

// mayActOn: with manage_users, on users whose scope is within one's own.
func (a asker) mayActOn(u *muser) bool {
	if !a.may("manage_users") || holdsAll(u.role) && !a.mayGiveRole(u.role) {
		return false
	}
	return a.everything() || !u.all && !slices.ContainsFunc(u.groups(), func(g *mgroup) bool { return !a.sees(g) })
}

// acts adds the reasons why somebody may not change a user at all.
func (a *attempt) acts(u *muser) {
	sees := a.by.seesUser(u)
	a.refuse(!sees, notFound, "user")
	a.refuse(sees && !a.by.mayActOn(u), denied, "user beyond caller")
}

// uses adds the reasons why a group cannot be given, tagged with or mapped to.
func (a *attempt) uses(g *mgroup) {
	sees := a.by.sees(g)
	a.refuse(!sees, notFound, "group")
	a.refuse(sees && g.status != "active", conflict, "group "+g.status)
	a.refuse(sees && !g.manageable(), conflict, "not managed")
}

// email draws one of few addresses, so that some are taken.
func (w *world) email(rt *rapid.T, o *tenant) string {
	return w.emailOf(below(rt, "e-mail", 40), o)
}

func (w *world) emailOf(n int, o *tenant) string {
	return fmt.Sprintf("p%d-%d@%s.example.com", n, slices.Index(w.tenants, o), w.tenants[0].id)
}

// holder is who has an e-mail in an organisation.
func (o *tenant) holder(email string) *muser {
	for _, u := range o.users {
		if u.email == email && u.present() {
			return u
		}
	}
	return nil
}

func (w *world) switches(rt *rapid.T) map[string]bool {
	s := map[string]bool{}
	for range below(rt, "switches", 4) {
		s[oneOf(rt, "permission", permissionsOf("owner")...)] = rapid.Bool().Draw(rt, "on")
	}
	if below(rt, "odd", 20) == 19 {
		s["fly"] = true
	}
	return s
}

func unknown(switches map[string]bool) bool {
	for p := range switches {
		if !slices.Contains(permissionsOf("owner"), p) {
			return true
		}
	}
	return false
}

func (w *world) addUser(rt *rapid.T) {
	by := w.somebody(rt)
	s, role := w.scope(rt, by), oneOf(rt, "role", roles()...)
	u := &muser{of: by.of, email: w.email(rt, by.of), role: role, status: "invited", invited: true, switches: w.switches(rt)}
	a := &attempt{by: by, method: "POST", path: "/v1/users", body: map[string]any{"name": "Somebody", "email": u.email, "role": role, "permissions": u.switches}}
	s.into(a.body)
	a.needs("manage_users")
	a.refuse(unknown(u.switches), invalid, "permission")
	a.refuse(len(s.groups) > 0 && (s.access == "all" || s.access == "none") || len(s.groups) == 0 && s.access == "groups", invalid, "scope")
	a.refuse(holdsAll(role) && (len(s.groups) > 0 || s.access == "none" || s.access == "groups"), invalid, "scope of role")
	a.refuse(role == "customer" && !s.said(), invalid, "customer without groups")
	a.refuse(!by.mayGiveRole(role), denied, "role")
	a.refuse(!by.mayRaise(nil, effective(role, u.switches)), denied, "permissions")
	u.all = holdsAll(role) || s.access == "all" || !s.said()
	a.refuse(u.all && !by.mayGiveAll(), denied, "ALL")
	for _, g := range s.groups {
		a.uses(g)
		a.confers(g, time.Time{})
	}
	a.refuse(by.of.holder(u.email) != nil, conflict, "e-mail")
	a.then = func(res reply) {
		u.id = w.idOf(rt, res)
		u.invitationEnds = w.time.Now().Add(week)
		for _, g := range s.groups {
			u.grants = append(u.grants, &mgrant{group: g, basis: "direct"})
		}
		by.of.users = append(by.of.users, u)
	}
	w.give(rt, a)
}

// idOf is the id of what was made.
func (w *world) idOf(rt *rapid.T, res reply) uuid.UUID {
	var made struct {
		ID   uuid.UUID      `json:"id"`
		Rest map[string]any `json:",unknown"`
	}
	must(rt, res.into(&made))
	return made.ID
}

// confers adds the reason why a group cannot be given for so long: one's own sight
// of it ends before.
func (a *attempt) confers(g *mgroup, ends time.Time) {
	if a.by.everything() || !a.by.sees(g) {
		return
	}
	until := a.by.until(g)
	a.refuse(!until.IsZero() && (ends.IsZero() || ends.After(until)), denied|invalid, "beyond one's own expiry")
}

// onUser is an attempt on a user that somebody may change.
func (w *world) onUser(rt *rapid.T, method, path string) (*attempt, *muser) {
	by := w.somebody(rt)
	u := target(rt, w, by, "user", usersOf)
	a := &attempt{by: by, method: method, path: "/v1/users/" + u.id.String() + path, body: map[string]any{}}
	a.acts(u)
	return a, u
}

func (w *world) setPermissions(rt *rapid.T) {
	a, u := w.onUser(rt, "PUT", "/permissions")
	switches := w.switches(rt)
	a.matching, a.body["permissions"] = &u.id, switches
	a.refuse(!u.present(), conflict, "removed")
	a.refuse(unknown(switches), invalid, "permission")
	a.refuse(!a.by.mayRaise(u.may(), effective(u.role, switches)), denied, "permissions")
	a.then = func(reply) { u.switches = switches }
	w.give(rt, a)
}

func (w *world) changeRole(rt *rapid.T) {
	a, u := w.onUser(rt, "PUT", "/role")
	role, s := oneOf(rt, "role", roles()...), scope{}
	if rapid.Bool().Draw(rt, "said") {
		s = w.scope(rt, a.by)
	}
	a.matching, a.body["role"] = &u.id, role
	s.into(a.body)
	a.refuse(!u.present(), conflict, "removed")
	if role == u.role {
		a.refuse(s.said(), invalid, "the same role with access")
		w.give(rt, a)
		return
	}
	a.refuse(holdsAll(role) && (len(s.groups) > 0 || s.access == "none" || s.access == "groups"), invalid, "scope of role")
	a.refuse(!holdsAll(role) && !s.said() && (holdsAll(u.role) || role == "customer" && u.all), invalid, "the new access must be said")
	a.refuse(!holdsAll(role) && s.said() && s.wrong(), invalid, "scope")
	a.refuse(!a.by.mayGiveRole(role), denied, "role")
	a.refuse(!a.by.mayRaise(u.may(), effective(role, u.switches)), denied, "permissions")
	all := holdsAll(role) || s.access == "all"
	a.refuse(all && (!u.all || holdsAll(role) != holdsAll(u.role)) && !a.by.mayGiveAll(), denied, "ALL")
	a.rescopes(u, s)
	a.refuse(u.role == "owner" && u.status == "active" && u.of.owners() == 1, conflict, "last owner")
	a.then = func(reply) {
		if (role == "customer") != (u.role == "customer") {
			u.signedOut(false)
		}
		u.role = role
		if role == "customer" || role == "auditor" {
			u.leaveClients()
		}
		switch {
		case holdsAll(role):
			u.rescope(scope{access: "all"})
		case s.said():
			u.rescope(s)
		}
	}
	w.give(rt, a)
}

// rescopes adds the reasons why somebody cannot be given the groups of a scope.
// Those it has are not given.
func (a *attempt) rescopes(u *muser, s scope) {
	for _, g := range s.groups {
		sees := a.by.sees(g)
		a.refuse(!sees, notFound, "group")
		if sees && !slices.Contains(u.groups(), g) {
			a.uses(g)
			a.confers(g, time.Time{})
		}
	}
}

// rescope makes a scope the whole of what a user sees.
func (u *muser) rescope(s scope) {
	had := u.all
	u.all = s.access == "all"
	u.end(func(g *mgrant) bool { return u.all || !slices.Contains(s.groups, g.group) })
	has := u.groups()
	for _, g := range s.groups {
		if !slices.Contains(has, g) {
			u.grants = append(u.grants, &mgrant{group: g, basis: "direct"})
		}
	}
	if had && !u.all {
		u.of.lookAfter(u)
	}
}

// leaves is what is common to a block and a removal.
func (w *world) leaves(rt *rapid.T, method, path string, removed bool) {
	a, u := w.onUser(rt, method, path)
	a.refuse(u == a.by.muser, denied, "oneself")
	a.refuse(!removed && !u.present(), conflict, "removed")
	a.refuse(u.role == "owner" && u.status == "active" && u.of.owners() == 1, conflict, "last owner")
	a.then = func(reply) {
		switch {
		case u.status == "removed":
			return
		case removed:
			u.status, u.all, u.grants, u.requests = "removed", false, nil, nil
		default:
			u.block(nil)
		}
		u.signedOut(true)
		u.leaveClients()
	}
	w.give(rt, a)
}

// leaveClients leaves those that a user looked after to the owners.
func (u *muser) leaveClients() {
	for _, k := range u.of.clients {
		if k.dispatcher == u {
			k.unassign()
		}
	}
}

func (w *world) blockUser(rt *rapid.T)  { w.leaves(rt, "POST", "/block", false) }
func (w *world) removeUser(rt *rapid.T) { w.leaves(rt, "DELETE", "", true) }

func (w *world) unblockUser(rt *rapid.T) {
	a, u := w.onUser(rt, "POST", "/unblock")
	a.refuse(!u.present(), conflict, "removed")
	a.then = func(reply) {
		if u.held {
			u.unblock(nil)
		} else {
			u.unblock(u.blockedFor)
		}
	}
	w.give(rt, a)
}

// block blocks a user for a client whose logins end, or by somebody: either reason
// is enough.
func (u *muser) block(k *mclient) {
	if u.status != "blocked" {
		u.status, u.before = "blocked", u.status
	}
	if k == nil {
		u.held = true
	} else if u.blockedFor == nil {
		u.blockedFor = k
	}
}

// unblock takes one of the two reasons back.
func (u *muser) unblock(k *mclient) {
	if k == nil {
		u.held = false
	} else {
		u.blockedFor = nil
	}
	if u.status == "blocked" && !u.held && u.blockedFor == nil {
		u.status, u.before = u.before, ""
	}
}
