package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

// onClient is an attempt on a client that somebody sees and may manage.
func (w *world) onClient(rt *rapid.T, method, path string) (*attempt, *mclient) {
	by := w.somebody(rt)
	k := target(rt, w, by, "client", clientsOf)
	a := &attempt{by: by, method: method, path: "/v1/clients/" + k.id.String() + path, body: map[string]any{}}
	a.refuse(!by.seesClient(k), notFound, "client")
	a.needs("manage_clients")
	return a, k
}

// looks adds the reasons why a user cannot look after clients.
func (a *attempt) looks(u *muser) {
	sees := a.by.seesUser(u)
	a.refuse(!sees, notFound, "dispatcher")
	a.refuse(sees && (u.status == "blocked" || u.status == "removed" || u.role == "customer" || u.role == "auditor"), invalid, "dispatcher")
}

// groupNamed puts a name for a client's group into a body, now and then.
func groupNamed(rt *rapid.T, body map[string]any, seldom int) string {
	if below(rt, "named", seldom) > 0 {
		return ""
	}
	name := groupName(rt)
	body["group_name"] = name
	return name
}

func (w *world) addClient(rt *rapid.T) {
	by := w.somebody(rt)
	k := &mclient{of: by.of, name: fmt.Sprint("Client ", below(rt, "client", 30)), email: w.email(rt, by.of)}
	a := &attempt{by: by, method: "POST", path: "/v1/clients", body: map[string]any{"business_name": k.name, "email": k.email}}
	a.needs("manage_clients")
	if below(rt, "dispatcher", 2) == 0 {
		k.dispatcher = target(rt, w, by, "dispatcher", usersOf)
		a.body["dispatcher"] = k.dispatcher.id
		a.looks(k.dispatcher)
	}
	name := groupNamed(rt, a.body, 2)
	if name != "" {
		a.calls(nil, name)
	}
	a.then = func(res reply) {
		var made struct {
			ID    uuid.UUID      `json:"id"`
			Group uuid.UUID      `json:"group"`
			Rest  map[string]any `json:",unknown"`
		}
		must(rt, res.into(&made))
		k.id = made.ID
		by.of.clients = append(by.of.clients, k)
		if name != "" {
			k.link(made.Group, name)
		}
	}
	w.give(rt, a)
}

// link makes the client's group.
func (k *mclient) link(id uuid.UUID, name string) {
	k.group = &mgroup{id: id, of: k.of, name: name, status: "active", client: k}
	k.of.groups = append(k.of.groups, k.group)
}

func (w *world) updateClient(rt *rapid.T) {
	a, k := w.onClient(rt, "PUT", "")
	name, email := fmt.Sprint("Client ", below(rt, "client", 30)), w.email(rt, k.of)
	a.matching, a.body["business_name"], a.body["email"] = &k.id, name, email
	a.refuse(k.removed, conflict, "removed")
	a.then = func(reply) { k.name, k.email = name, email }
	w.give(rt, a)
}

func (w *world) linkGroup(rt *rapid.T) {
	a, k := w.onClient(rt, "POST", "/group")
	name := groupName(rt)
	a.body["group_name"] = name
	a.refuse(normal(name) == "" || normal(name) == "all", invalid, "name")
	a.refuse(k.removed, conflict, "removed")
	if k.group != nil {
		a.refuse(normal(k.group.name) != normal(name), conflict, "has a group")
		w.give(rt, a)
		return
	}
	a.calls(nil, name)
	a.then = func(res reply) { k.link(w.idOf(rt, res), name) }
	w.give(rt, a)
}

// grouped adds the reasons why a client cannot get, or use, the group that its
// account needs, and returns the name of the one to be made.
func (a *attempt) grouped(k *mclient, names ...string) string {
	if k.group != nil {
		a.refuse(k.group.status != "active", conflict, "group "+k.group.status)
		after := k.dispatcher == a.by.muser && (a.by.key == nil || !a.by.key.chosen)
		a.refuse(!a.by.sees(k.group) && !after, denied, "group not seen")
		if !after {
			a.confers(k.group, time.Time{})
		}
		return ""
	}
	name := names[0]
	if name == "" {
		name = names[1]
	}
	a.calls(nil, name)
	return name
}

// contacts adds the reason why nobody can be the contact of an account: the e-mail
// is that of somebody who is no customer of groups, or sees more than the caller,
// who is nil for the client itself.
func (a *attempt) contacts(k *mclient, email string, by *asker) {
	u := k.of.holder(email)
	if u == nil {
		return
	}
	a.refuse(u.role != "customer" || u.all, conflict, "e-mail")
	if by != nil && !by.everything() {
		beyond := slices.ContainsFunc(u.groups(), func(g *mgroup) bool { return !by.sees(g) })
		a.refuse(beyond || len(u.groups()) == 0, conflict, "e-mail of somebody who sees more")
	}
}

func (w *world) createAccount(rt *rapid.T) {
	a, k := w.onClient(rt, "POST", "/account")
	email := k.email
	if below(rt, "edited", 3) == 0 {
		email = w.email(rt, k.of)
		a.body["email"] = email
	}
	name := a.grouped(k, groupNamed(rt, a.body, 3), k.name)
	a.refuse(k.removed, conflict, "removed")
	a.refuse(k.mode != "", conflict, "has an account")
	a.contacts(k, email, &a.by)
	a.then = func(res reply) {
		var made struct {
			User  uuid.UUID      `json:"user"`
			Group uuid.UUID      `json:"group"`
			Rest  map[string]any `json:",unknown"`
		}
		must(rt, res.into(&made))
		if k.group == nil {
			k.link(made.Group, name)
		}
		k.mode, k.open, k.email = "on_behalf", false, email
		k.opened(made.User, email, &muser{status: "invited", invited: true, invitationEnds: w.time.Now().Add(week)})
	}
	w.give(rt, a)
}

// opened makes somebody the contact of a client's new account: a customer who is
// here, or somebody new.
func (k *mclient) opened(id uuid.UUID, email string, made *muser) {
	u := k.of.holder(email)
	if u == nil {
		u = made
		u.id, u.of, u.email, u.role, u.switches = id, k.of, email, "customer", map[string]bool{}
		k.of.users = append(k.of.users, u)
	}
	k.contact = u
	if !slices.ContainsFunc(u.open(), func(g *mgrant) bool { return g.basis == "client_account" && g.from == k }) {
		u.grants = append(u.grants, &mgrant{group: k.group, basis: "client_account", from: k})
	}
	k.follow()
}

// follow gives the dispatcher its sight of the client's group, or takes it back.
func (k *mclient) follow() {
	u := k.dispatcher
	if u == nil {
		return
	}
	ours := func(g *mgrant) bool { return g.basis == "dispatcher_assignment" && g.from == k }
	switch {
	case k.mode == "" || k.removed || k.withdrawn || k.group == nil:
		u.end(ours)
	case k.group.status != "active" || u.all || u.status != "active" && u.status != "invited":
	case !slices.ContainsFunc(u.open(), ours):
		u.grants = append(u.grants, &mgrant{group: k.group, basis: "dispatcher_assignment", from: k})
	}
}

// lookAfter gives a user who has lost ALL the sight of those it looks after.
func (o *tenant) lookAfter(u *muser) {
	for _, k := range o.clients {
		if k.dispatcher == u {
			k.follow()
		}
	}
}

func (w *world) assignDispatcher(rt *rapid.T) {
	a, k := w.onClient(rt, "PUT", "/dispatcher")
	u := target(rt, w, a.by, "dispatcher", usersOf)
	a.body["dispatcher"] = u.id
	if k.group != nil {
		a.refuse(!a.by.sees(k.group), denied, "group not seen")
		a.confers(k.group, time.Time{})
	}
	a.looks(u)
	a.refuse(k.removed, conflict, "removed")
	a.then = func(reply) {
		if u != k.dispatcher {
			k.unassign()
			k.dispatcher = u
			k.follow()
		}
	}
	w.give(rt, a)
}

// unassign leaves the client to the owners.
func (k *mclient) unassign() {
	if k.dispatcher != nil {
		k.dispatcher.end(func(g *mgrant) bool { return g.basis == "dispatcher_assignment" && g.from == k })
	}
	k.dispatcher = nil
}

func (w *world) unassignDispatcher(rt *rapid.T) {
	a, k := w.onClient(rt, "DELETE", "/dispatcher")
	a.then = func(reply) { k.unassign() }
	w.give(rt, a)
}

// approval is the client's own yes or no to being managed.
func (w *world) approval(rt *rapid.T, method string, withdrawn bool) {
	by := w.somebody(rt)
	k := target(rt, w, by, "client", likely(rt, clientsOf, func(k *mclient) bool { return k.contact != nil && asker{k.contact, nil}.awake() }))
	a := &attempt{by: by, method: method, path: "/v1/clients/" + k.id.String() + "/approval"}
	if k.contact != nil && below(rt, "the contact", 4) > 0 {
		a.by = asker{k.contact, nil}
	}
	sees := a.by.seesClient(k)
	a.refuse(!sees, notFound, "client")
	own := k.contact == a.by.muser || slices.ContainsFunc(a.by.open(), func(g *mgrant) bool { return g.basis == "client_account" && g.from == k })
	a.refuse(a.by.role != "customer" || a.by.narrowed() || a.by.everything() || !own, denied, "client only")
	a.refuse(sees && k.mode == "", conflict, "no account")
	a.refuse(sees && k.removed, conflict, "removed")
	again := k.withdrawn && !withdrawn
	n := len(k.approved) - 5 // so often within a day
	a.refuse(again && n >= 0 && w.time.Now().Before(k.approved[max(0, n)].AddDate(0, 0, 1)), conflict, "approved too often")
	a.then = func(reply) {
		if k.withdrawn == withdrawn {
			return
		}
		if k.withdrawn = withdrawn; again {
			k.approved = append(k.approved, w.time.Now())
		}
		k.follow()
	}
	w.give(rt, a)
}

func (w *world) withdrawApproval(rt *rapid.T) { w.approval(rt, "DELETE", true) }
func (w *world) grantApproval(rt *rapid.T)    { w.approval(rt, "PUT", false) }

func (w *world) removeClient(rt *rapid.T) {
	a, k := w.onClient(rt, "DELETE", "")
	fate := oneOf(rt, "fate", "", "", "ended", "kept_by_client", "forgotten")
	if fate != "" {
		a.body["fate"] = fate
	}
	a.refuse(fate == "forgotten", invalid, "fate")
	a.refuse(fate == "kept_by_client" && k.mode == "", invalid, "nobody to keep it")
	a.refuse(k.removed && fate != "" && fate != k.fate, conflict, "removed otherwise")
	a.then = func(reply) {
		if k.removed {
			return
		}
		if k.removed, k.fate = true, fate; fate == "" {
			k.fate = map[bool]string{true: "kept_by_client", false: "ended"}[k.mode == "invited"]
		}
		k.follow()
		if k.fate == "ended" && k.group != nil {
			k.endLogins()
		}
	}
	w.give(rt, a)
}

// endLogins takes the client's group from its customers; whoever is left with
// nothing is blocked for it.
func (k *mclient) endLogins() {
	for _, u := range k.of.users {
		if u.role != "customer" || u.all || !slices.Contains(u.groups(), k.group) {
			continue
		}
		u.end(func(g *mgrant) bool { return g.group == k.group })
		if len(u.groups()) == 0 && u.present() {
			u.block(k)
		}
		u.signedOut(true)
	}
}

func (w *world) reinstateClient(rt *rapid.T) {
	a, k := w.onClient(rt, "POST", "/reinstate")
	a.refuse(k.removed && k.group != nil && k.group.status != "active", conflict, "group not active")
	a.then = func(reply) {
		if !k.removed {
			return
		}
		k.removed, k.fate = false, ""
		if u := k.contact; u != nil && u.role == "customer" && u.present() {
			if u.blockedFor == k {
				u.unblock(k)
			}
			held := slices.ContainsFunc(u.open(), func(g *mgrant) bool { return g.basis == "client_account" && g.from == k })
			if !u.all && !held {
				u.grants = append(u.grants, &mgrant{group: k.group, basis: "client_account", from: k})
			}
		}
		k.follow()
	}
	w.give(rt, a)
}
