package main

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"
)

// twin is the delivery that has the same number where this one would go.
func (d *mdelivery) twin(group *mgroup) *mdelivery {
	key := d.key()
	key.group = group
	if o := d.of.delivery(key); o != d {
		return o
	}
	return nil
}

// dkey is what there is one delivery of.
type dkey struct {
	group             *mgroup
	kind, number, day string
}

func (d *mdelivery) key() dkey { return dkey{d.group, d.kind, d.number, d.day} }

func (o *tenant) delivery(key dkey) *mdelivery {
	for _, d := range o.deliveries {
		if !d.deleted && d.key() == key {
			return d
		}
	}
	return nil
}

func days() []string { return []string{"2100-03-01", "2100-03-02", "2100-03-03", "tomorrow"} }

func day(rt *rapid.T) string { return oneOf(rt, "day", days()[:2+below(rt, "odd", 17)/8]...) }

func number(rt *rapid.T) string { return fmt.Sprint("DO-", below(rt, "number", 8)) }

func (w *world) createDelivery(rt *rapid.T) {
	by := w.somebody(rt)
	d := &mdelivery{of: by.of, kind: "delivery", number: number(rt), day: day(rt), status: "info_received", attempt: 1, quantity: 2}
	a := &attempt{by: by, method: "POST", path: "/v1/deliveries", body: map[string]any{
		"do_number": d.number, "date": d.day, "items": []map[string]any{{"quantity": "2"}}}}
	if below(rt, "collection", 6) == 0 {
		d.kind = "collection"
		a.body["type"] = d.kind
	}
	a.needs("create_deliveries")
	a.refuse(d.day == days()[3], invalid, "date")
	if below(rt, "tagged", 4) > 0 {
		d.group = target(rt, w, by, "group", groupsOf)
		a.body["group"] = d.group.id
	} else if seen := by.seen(); !by.everything() {
		a.refuse(len(seen) != 1, invalid, "which group")
		if len(seen) > 0 {
			d.group = seen[0]
		}
	}
	if d.group != nil {
		a.uses(d.group)
		a.refuse(by.everything() && !by.of.field, conflict, "group field off")
	}
	if below(rt, "vehicle", 4) == 0 {
		d.vehicle = target(rt, w, by, "vehicle", vehiclesOf)
		a.body["vehicle"] = d.vehicle.id
		a.needs("assign_vehicles")
		a.refuse(!by.seesVehicle(d.vehicle), notFound, "vehicle")
	}
	a.refuse(d.twin(d.group) != nil, conflict, "number")
	a.then = func(res reply) {
		d.id = w.idOf(rt, res)
		by.of.deliveries = append(by.of.deliveries, d)
	}
	w.give(rt, a)
}

// onDelivery is an attempt on a delivery that somebody sees, mostly one with which
// it can be done.
func (w *world) onDelivery(rt *rapid.T, method, path, permission string, can func(*mdelivery) bool) (*attempt, *mdelivery) {
	by := w.somebody(rt)
	d := target(rt, w, by, "delivery", likely(rt, deliveriesOf, can))
	a := &attempt{by: by, method: method, path: "/v1/deliveries/" + d.id.String() + path, body: map[string]any{}}
	a.works(d, permission)
	return a, d
}

// works adds the reasons why somebody may not work on a delivery at all.
func (a *attempt) works(d *mdelivery, permission string) {
	a.refuse(!a.by.seesDelivery(d), notFound, "delivery")
	a.needs(permission)
	a.refuse(!d.group.manageable(), conflict, "not managed")
}

func (d *mdelivery) there() bool { return !d.deleted }

// open: still to be made.
func (d *mdelivery) open() bool {
	return d.there() && slices.Contains([]string{"info_received", "in_transit", "dispatched", "on_hold"}, d.status)
}

func (w *world) changeDelivery(rt *rapid.T) {
	a, d := w.onDelivery(rt, "PATCH", "", "create_deliveries", (*mdelivery).open)
	a.matching = &d.id
	to := *d
	if rapid.Bool().Draw(rt, "number") {
		to.number = number(rt)
		a.body["do_number"] = to.number
	}
	if rapid.Bool().Draw(rt, "day") {
		to.day = day(rt)
		a.body["date"] = to.day
	}
	a.refuse(!d.deleted && !d.open(), conflict, d.status)
	a.refuse(to.day == days()[3], invalid, "date")
	twin := to.twin(d.group)
	a.refuse(twin != nil && twin != d, conflict, "number")
	a.then = func(reply) { d.number, d.day = to.number, to.day }
	w.give(rt, a)
}

func (w *world) tag(rt *rapid.T) {
	a, d := w.onDelivery(rt, "POST", "/tag", "create_deliveries", (*mdelivery).there)
	g := target(rt, w, a.by, "group", groupsOf)
	a.body["group"] = g.id
	said := reason(rt, a.body)
	a.tags(d, g, said)
	a.then = func(reply) { d.group = g }
	w.give(rt, a)
}

// tags adds the reasons why a delivery cannot go to a group.
func (a *attempt) tags(d *mdelivery, g *mgroup, said bool) {
	if d.group == g {
		return // it is there
	}
	a.uses(g)
	a.refuse(!a.by.of.field, conflict, "group field off")
	a.refuse(d.group != nil && !said, invalid, "reason")
	a.refuse(d.twin(g) != nil, conflict, "number")
}

func (w *world) untag(rt *rapid.T) {
	a, d := w.onDelivery(rt, "POST", "/untag", "create_deliveries", func(d *mdelivery) bool { return d.there() && d.group != nil })
	a.untags(d)
	a.then = func(reply) { d.group = nil }
	w.give(rt, a)
}

// untags adds the reasons why a delivery cannot be taken out of its group.
func (a *attempt) untags(d *mdelivery) {
	a.refuse(!a.by.everything(), denied, "needs ALL")
	a.refuse(!a.by.of.field, conflict, "group field off")
	a.refuse(d.group != nil && d.twin(nil) != nil, conflict, "number")
}

func (w *world) assign(rt *rapid.T) {
	a, d := w.onDelivery(rt, "POST", "/assign", "assign_vehicles", (*mdelivery).open)
	v := target(rt, w, a.by, "vehicle", vehiclesOf)
	a.body["vehicle"] = v.id
	a.assigns(d, v)
	a.then = func(reply) { d.ride(v) }
	w.give(rt, a)
}

// assigns adds the reasons why a delivery cannot be put on a vehicle.
func (a *attempt) assigns(d *mdelivery, v *mvehicle) {
	a.refuse(!a.by.seesVehicle(v), notFound, "vehicle")
	a.refuse(!d.deleted && !d.open(), conflict, d.status)
}

// ride puts a delivery on a vehicle, or on none.
func (d *mdelivery) ride(v *mvehicle) {
	d.arrived, d.vehicle = d.arrived && d.vehicle == v, v
}

func (w *world) unassign(rt *rapid.T) {
	a, d := w.onDelivery(rt, "POST", "/unassign", "assign_vehicles", (*mdelivery).open)
	a.refuse(!d.deleted && !d.open(), conflict, d.status)
	a.then = func(reply) { d.ride(nil) }
	w.give(rt, a)
}

func (w *world) deleteDelivery(rt *rapid.T) {
	a, d := w.onDelivery(rt, "DELETE", "", "delete_deliveries", (*mdelivery).there)
	a.refuse(d.concluded, conflict, "concluded")
	a.then = func(reply) { d.deleted = true }
	w.give(rt, a)
}

func (w *world) reattempt(rt *rapid.T) {
	a, d := w.onDelivery(rt, "POST", "/reattempt", "create_deliveries", func(d *mdelivery) bool {
		return d.there() && d.next == nil && (d.status == "failed" || d.status == "completed_partial")
	})
	next := &mdelivery{of: d.of, kind: d.kind, number: d.number, day: day(rt), group: d.group, status: "info_received", attempt: d.attempt + 1, quantity: d.quantity}
	if d.rejected > 0 {
		next.quantity = d.rejected // of a partial completion only what was rejected is attempted again
	}
	a.body["date"] = next.day
	a.refuse(d.next != nil, conflict, "attempted again")
	a.refuse(d.status != "failed" && d.status != "completed_partial", conflict, d.status)
	a.refuse(d.group != nil && d.group.status != "active", conflict, "group not active")
	a.refuse(next.day == days()[3], invalid, "date")
	a.refuse(next.twin(d.group) != nil, conflict, "number")
	a.then = func(res reply) {
		d.next, next.id = next, w.idOf(rt, res)
		d.of.deliveries = append(d.of.deliveries, next)
	}
	w.give(rt, a)
}
