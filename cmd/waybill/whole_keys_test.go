package main

import (
	"slices"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

// makeKey makes an API key, mostly a narrowed one.
func (w *world) makeKey(rt *rapid.T) {
	by := w.somebody(rt)
	k := &mkey{user: by.muser}
	a := &attempt{by: by, method: "POST", path: "/v1/api-keys", body: map[string]any{"name": "machine"}}
	a.refuse(by.key != nil, denied, "session needed")
	if below(rt, "narrower verbs", 4) > 0 {
		k.may = []string{}
		for range below(rt, "permissions", 5) {
			p := oneOf(rt, "permission", permissionsOf("owner")...)
			k.may = append(k.may, p)
			a.needs(p)
		}
		a.body["permissions"] = k.may
	}
	if below(rt, "narrower rows", 4) > 0 {
		k.chosen, k.groups = true, []*mgroup{}
		for range below(rt, "groups", 3) {
			g := target(rt, w, by, "group", groupsOf)
			k.groups = append(k.groups, g)
			a.refuse(!by.sees(g), notFound, "group")
		}
		a.body["groups"] = ids(k.groups)
	}
	k.ends = w.ends(rt, a.body)
	a.refuse(past(w, k.ends), invalid, "expiry")
	a.then = func(res reply) {
		k.made(rt, res)
		by.keys = append(by.keys, k)
	}
	w.give(rt, a)
}

// made takes in what is told of a key once.
func (k *mkey) made(rt *rapid.T, res reply) {
	var made struct {
		ID  uuid.UUID `json:"id"`
		Key string    `json:"key"`
	}
	must(rt, res.into(&made))
	k.id, k.token = made.ID, made.Key
}

// revokeKey ends a key, of oneself or of another.
func (w *world) revokeKey(rt *rapid.T) {
	by := w.somebody(rt)
	k := &mkey{id: w.ghost.id}
	of := by.muser
	if below(rt, "of another", 4) == 3 {
		of = oneOf(rt, "user", by.of.users...)
	}
	if len(of.keys) > 0 {
		k = oneOf(rt, "key", of.keys...)
	}
	a := &attempt{by: by, method: "DELETE", path: "/v1/api-keys/" + k.id.String()}
	a.refuse(by.key != nil, denied, "session needed")
	a.refuse(!slices.Contains(by.keys, k) || k.revoked, notFound, "key")
	a.then = func(reply) { k.over, k.revoked = true, true }
	w.give(rt, a)
}

// equip gives some of an organisation's people keys: narrowed by groups, by
// permissions, by both, and not at all.
func (w *world) equip(rt *rapid.T, o *tenant) {
	for _, k := range []*mkey{
		{user: o.users[0], chosen: true, groups: o.groups[:1]},
		{user: o.users[5], chosen: true, groups: o.groups[:2], may: []string{"create_deliveries", "export_deliveries", "manage_users", "manage_groups", "update_status"}},
		{user: o.users[2], may: []string{"create_deliveries", "view_vehicles"}},
		{user: o.users[3]},
	} {
		body := map[string]any{"name": "machine"}
		if k.chosen {
			body["groups"] = ids(k.groups)
		}
		if k.may != nil {
			body["permissions"] = k.may
		}
		res, err := w.send(w.ctx, w.token(rt, asker{k.user, nil}), "POST", "/v1/api-keys", body)
		must(rt, err)
		if res.status != 201 {
			rt.Fatalf("a key for %s: %d %s", k.user.role, res.status, res.body)
		}
		k.made(rt, res)
		k.user.keys = append(k.user.keys, k)
	}
}
