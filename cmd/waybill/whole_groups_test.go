package main

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"
)

// onGroup is an attempt on a group that somebody sees.
func (w *world) onGroup(rt *rapid.T, method, path string) (*attempt, *mgroup) {
	by := w.somebody(rt)
	g := target(rt, w, by, "group", groupsOf)
	a := &attempt{by: by, method: method, path: "/v1/groups/" + g.id.String() + path, body: map[string]any{}}
	a.refuse(!by.sees(g), notFound, "group")
	return a, g
}

// groupName draws one of few names, as somebody may spell it.
func groupName(rt *rapid.T) string {
	n := below(rt, "name", 24)
	switch n {
	case 22:
		return "  "
	case 23:
		return "all"
	}
	return fmt.Sprintf(oneOf(rt, "spelling", "Group %d", " group  %d ", "GROUP %d"), n)
}

// named is the group that has a name, in any spelling.
func (o *tenant) named(name string) *mgroup {
	for _, g := range o.groups {
		if g.status != "merged" && normal(g.name) == normal(name) {
			return g
		}
	}
	return nil
}

func tidy(name string) string   { return strings.Join(strings.Fields(name), " ") }
func normal(name string) string { return strings.ToLower(tidy(name)) }

// calls adds the reasons why a group, nil for a new one, cannot be called so.
func (a *attempt) calls(g *mgroup, name string) {
	has := a.by.of.named(name)
	a.refuse(normal(name) == "" || normal(name) == "all", invalid, "name")
	a.refuse(has != nil && has != g, conflict, "name taken")
}

func (w *world) createGroup(rt *rapid.T) {
	by, name := w.somebody(rt), groupName(rt)
	a := &attempt{by: by, method: "POST", path: "/v1/groups", body: map[string]any{"name": name}}
	a.needs("manage_groups")
	a.calls(nil, name)
	a.then = func(res reply) {
		by.of.groups = append(by.of.groups, &mgroup{id: w.idOf(rt, res), of: by.of, name: name, status: "active"})
	}
	w.give(rt, a)
}

func (w *world) renameGroup(rt *rapid.T) {
	a, g := w.onGroup(rt, "POST", "/rename")
	name := groupName(rt)
	a.body["name"] = name
	a.needs("manage_groups")
	a.refuse(g.status == "merged", conflict, "merged")
	a.calls(g, name)
	a.refuse(tidy(name) != tidy(g.name) && !g.manageable(), conflict, "not managed")
	a.then = func(reply) { g.name = name }
	w.give(rt, a)
}

func (w *world) archiveGroup(rt *rapid.T) {
	a, g := w.onGroup(rt, "POST", "/archive")
	a.dry = tried(rt)
	said := reason(rt, a.body)
	a.needs("manage_groups")
	a.refuse(a.dry && g.status == "active" && !a.by.everything() && !a.by.may("manage_users"), denied, "who loses")
	a.refuse(g.status == "merged", conflict, "merged")
	a.refuse(g.status == "active" && !said, invalid, "reason")
	read := g.client != nil && !(g.client.removed && g.client.fate == "ended") // by its people
	a.refuse(g.status == "active" && !g.manageable() && read, conflict, "not managed")
	a.then = func(reply) {
		g.status = "archived"
		g.endGrants()
	}
	w.give(rt, a)
}

// endGrants: a policy ends them, and restoring does not revive them.
func (g *mgroup) endGrants() {
	for _, u := range g.of.users {
		u.end(func(o *mgrant) bool { return o.group == g })
	}
}

func (w *world) restoreGroup(rt *rapid.T) {
	a, g := w.onGroup(rt, "POST", "/restore")
	a.dry = tried(rt)
	a.needs("manage_groups")
	a.refuse(g.status == "merged", conflict, "merged")
	a.then = func(reply) { g.status = "active" }
	w.give(rt, a)
}

func (w *world) mergeGroup(rt *rapid.T) {
	a, g := w.onGroup(rt, "POST", "/merge")
	a.dry = tried(rt)
	into := target(rt, w, a.by, "into", groupsOf)
	sure := below(rt, "acknowledged", 4) > 0
	a.body["into"], a.body["acknowledge_widening"] = into.id, sure
	a.refuse(!a.by.sees(into), notFound, "group")
	a.needs("manage_groups")
	a.refuse(!a.by.everything() && !a.by.may("manage_users"), denied, "who gains")
	if g.status == "merged" && g.into == into {
		w.give(rt, a)
		return
	}
	a.refuse(!a.by.of.field, conflict, "group field off")
	a.refuse(g == into, invalid, "into itself")
	for _, one := range []*mgroup{g, into} {
		a.refuse(one.status != "active", conflict, one.status)
		a.refuse(!one.manageable(), conflict, "not managed")
	}
	a.refuse(g.client != nil, conflict, "of a client")
	moving := g.tagged()
	for _, d := range moving {
		a.refuse(d.twin(into) != nil, conflict, "twins")
	}
	gains := slices.ContainsFunc(into.of.users, func(u *muser) bool {
		return (u.status == "active" || u.status == "invited") && !u.all && slices.Contains(u.groups(), into) && !slices.Contains(u.groups(), g)
	})
	a.refuse(len(moving) > 0 && gains && !sure && !a.dry, conflict, "widening not acknowledged")
	a.then = func(reply) {
		g.status, g.into = "merged", into
		g.endGrants()
		for _, d := range moving {
			d.group = into
		}
		for code, at := range g.of.codes {
			if at == g {
				g.of.codes[code] = into
			}
		}
	}
	w.give(rt, a)
}

// tagged are the deliveries of a group.
func (g *mgroup) tagged() []*mdelivery {
	return slices.DeleteFunc(slices.Clone(g.of.deliveries), func(d *mdelivery) bool { return d.deleted || d.group != g })
}

func (w *world) template(rt *rapid.T) {
	order := oneOf(rt, "order", "DD/MM/YYYY", "MM/DD/YYYY", "", "sometimes")
	if below(rt, "everywhere", 4) == 0 {
		by := w.somebody(rt)
		a := &attempt{by: by, method: "PUT", path: "/v1/settings/import-template", body: map[string]any{"date_format": order}}
		a.needs("manage_groups")
		a.refuse(!by.everything(), denied, "needs ALL")
		a.refuse(order == "sometimes", invalid, "order of dates")
		a.then = func(reply) { by.of.order = order }
		w.give(rt, a)
		return
	}
	a, g := w.onGroup(rt, "PUT", "/import-template")
	a.body["date_format"] = order
	a.needs("manage_groups")
	a.refuse(order == "sometimes", invalid, "order of dates")
	a.refuse(g.status != "active", conflict, g.status)
	a.refuse(order != g.order && !g.manageable(), conflict, "not managed")
	a.then = func(reply) { g.order = order }
	w.give(rt, a)
}

func (w *world) groupField(rt *rapid.T) {
	by, on := w.somebody(rt), below(rt, "on", 4) > 0
	a := &attempt{by: by, method: "PUT", path: "/v1/settings/group-field", body: map[string]any{"enabled": on}}
	a.needs("manage_groups")
	a.refuse(!by.everything(), denied, "needs ALL")
	a.then = func(reply) { by.of.field = on }
	w.give(rt, a)
}

func (w *world) timezone(rt *rapid.T) {
	by, zone := w.somebody(rt), oneOf(rt, "zone", "Asia/Singapore", "Pacific/Kiritimati", "UTC", "Atlantis/Capital")
	a := &attempt{by: by, method: "PUT", path: "/v1/settings/timezone", body: map[string]any{"timezone": zone}}
	a.needs("manage_groups")
	a.refuse(!by.everything(), denied, "needs ALL")
	at, err := time.LoadLocation(zone)
	a.refuse(err != nil, invalid, "zone")
	a.then = func(reply) { by.of.zone = at }
	w.give(rt, a)
}

// code draws one of few customer codes, as somebody may spell it.
func code(rt *rapid.T) string {
	return fmt.Sprintf(oneOf(rt, "spelling", "C%d", "c%d", "C%d "), below(rt, "code", 6))
}

func (w *world) mapCode(rt *rapid.T) {
	by, code := w.somebody(rt), code(rt)
	g := target(rt, w, by, "group", groupsOf)
	a := &attempt{by: by, method: "PUT", path: "/v1/customer-codes/" + url.PathEscape(code), body: map[string]any{"group": g.id}}
	a.uses(g)
	a.needs("manage_groups")
	has := by.of.codes[normal(code)]
	a.refuse(has != nil && has != g, conflict, "code taken")
	a.then = func(reply) { by.of.codes[normal(code)] = g }
	w.give(rt, a)
}

func (w *world) unmapCode(rt *rapid.T) {
	by, code := w.somebody(rt), code(rt)
	a := &attempt{by: by, method: "DELETE", path: "/v1/customer-codes/" + url.PathEscape(code)}
	g := by.of.codes[normal(code)]
	a.refuse(g == nil || !by.sees(g), notFound, "code")
	a.needs("manage_groups")
	a.then = func(reply) { delete(by.of.codes, normal(code)) }
	w.give(rt, a)
}

func (w *world) registerVehicle(rt *rapid.T) {
	by, plate := w.somebody(rt), fmt.Sprint("SGX ", below(rt, "plate", 12))
	a := &attempt{by: by, method: "POST", path: "/v1/vehicles", body: map[string]any{"name": "Van " + plate, "plate": plate}}
	a.needs("manage_vehicles")
	a.refuse(!by.everything(), denied, "needs ALL")
	a.refuse(slices.ContainsFunc(by.of.vehicles, func(v *mvehicle) bool { return !v.gone && v.plate == plate }), conflict, "plate")
	a.then = func(res reply) {
		by.of.vehicles = append(by.of.vehicles, &mvehicle{id: w.idOf(rt, res), of: by.of, name: "Van " + plate, plate: plate})
	}
	w.give(rt, a)
}

func (w *world) addVehicle(rt *rapid.T) {
	by := w.somebody(rt)
	g, v := target(rt, w, by, "group", groupsOf), target(rt, w, by, "vehicle", vehiclesOf)
	a := &attempt{by: by, method: "PUT", path: "/v1/groups/" + g.id.String() + "/vehicles/" + v.id.String()}
	a.refuse(!by.sees(g), notFound, "group")
	a.refuse(g.status != "active", conflict, "group "+g.status)
	a.refuse(!slices.Contains(g.vehicles, v) && !g.manageable(), conflict, "not managed")
	a.needs("manage_vehicles")
	a.refuse(!by.seesVehicle(v), notFound, "vehicle")
	a.then = func(reply) {
		if !slices.Contains(g.vehicles, v) {
			g.vehicles = append(g.vehicles, v)
		}
	}
	w.give(rt, a)
}

func (w *world) dropVehicle(rt *rapid.T) {
	by := w.somebody(rt)
	g, v := target(rt, w, by, "group", groupsOf), target(rt, w, by, "vehicle", vehiclesOf)
	a := &attempt{by: by, method: "DELETE", path: "/v1/groups/" + g.id.String() + "/vehicles/" + v.id.String()}
	a.refuse(!by.sees(g), notFound, "group")
	a.refuse(!by.seesVehicle(v), notFound, "vehicle")
	a.needs("manage_vehicles")
	a.then = func(reply) {
		g.vehicles = slices.DeleteFunc(g.vehicles, func(o *mvehicle) bool { return o == v })
	}
	w.give(rt, a)
}

func (w *world) removeVehicle(rt *rapid.T) {
	by := w.somebody(rt)
	v := target(rt, w, by, "vehicle", vehiclesOf)
	a := &attempt{by: by, method: "DELETE", path: "/v1/vehicles/" + v.id.String()}
	a.refuse(!by.seesVehicle(v), notFound, "vehicle")
	a.needs("manage_vehicles")
	a.refuse(!by.everything(), denied, "needs ALL")
	a.then = func(reply) {
		v.gone = true
		for _, g := range v.of.groups {
			g.vehicles = slices.DeleteFunc(g.vehicles, func(o *mvehicle) bool { return o == v })
		}
	}
	w.give(rt, a)
}

func (w *world) reportPosition(rt *rapid.T) {
	by := w.somebody(rt)
	v := target(rt, w, by, "vehicle", vehiclesOf)
	a := &attempt{by: by, method: "POST", path: "/v1/vehicles/" + v.id.String() + "/positions", body: map[string]any{
		"positions": []map[string]any{{"at": w.time.Now().Add(-time.Minute), "latitude": 1.3, "longitude": 103.8}},
	}}
	a.refuse(!by.seesVehicle(v), notFound, "vehicle")
	a.needs("manage_vehicles")
	w.give(rt, a)
}
