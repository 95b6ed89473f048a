package main

import (
	"net/http"
	"slices"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

// mbulk is one command on several deliveries; each is an attempt of its own.
type mbulk struct {
	do    string
	rows  []*mdelivery
	parts []*attempt
	then  []func()
	wants map[dkey]bool // what rows will be, that move
}

func bulkCommands() []string {
	return []string{"tag", "tag", "tag", "untag", "assign", "unassign", "receive", "dispatch", "hold", "release", "return", "cancel", "delete"}
}

func (w *world) bulk(rt *rapid.T) {
	by := w.somebody(rt)
	b := &mbulk{do: oneOf(rt, "do", bulkCommands()...), wants: map[dkey]bool{}}
	a := &attempt{by: by, method: "POST", path: "/v1/deliveries/bulk", body: map[string]any{"do": b.do}}
	said := reason(rt, a.body)
	var g *mgroup
	var v *mvehicle
	switch b.do {
	case "tag":
		g = target(rt, w, by, "group", groupsOf)
		a.body["group"] = g.id
	case "assign":
		v = target(rt, w, by, "vehicle", vehiclesOf)
		a.body["vehicle"] = v.id
	}
	for range 1 + below(rt, "rows", 6) {
		if d := target(rt, w, by, "delivery", deliveriesOf); !slices.Contains(b.rows, d) {
			b.add(by, d, g, v, said)
		}
	}
	a.body["deliveries"] = idsOf(b.rows, func(d *mdelivery) uuid.UUID { return d.id })
	a.then = func(res reply) { b.judge(rt, w, res) }
	w.give(rt, a)
}

// add adds a row, with the reasons to refuse it and what becomes of it.
func (b *mbulk) add(by asker, d *mdelivery, g *mgroup, v *mvehicle, said bool) {
	part := &attempt{by: by, path: b.do}
	var then func()
	switch b.do {
	case "tag":
		part.works(d, "create_deliveries")
		part.tags(d, g, said)
		then = func() { d.group = g }
	case "untag":
		part.works(d, "create_deliveries")
		part.untags(d)
		then = func() { d.group = nil }
	case "assign":
		part.works(d, "assign_vehicles")
		part.assigns(d, v)
		then = func() { d.ride(v) }
	case "unassign":
		part.works(d, "assign_vehicles")
		part.refuse(!d.deleted && !d.open(), conflict, d.status)
		then = func() { d.ride(nil) }
	case "delete":
		part.works(d, "delete_deliveries")
		part.refuse(d.concluded, conflict, "concluded")
		then = func() { d.deleted = true }
	default:
		part.works(d, "update_status")
		part.moves(d, b.do)
		then = func() { d.move(b.do) }
	}
	if (b.do == "tag" || b.do == "untag") && d.group != g && part.why == 0 {
		key := d.key()
		key.group = g
		if b.wants[key] {
			return // which of two came first would be chance
		}
		b.wants[key] = true
	}
	b.rows, b.parts, b.then = append(b.rows, d), append(b.parts, part), append(b.then, then)
}

// judge compares the answer, row by row, with the rules.
func (b *mbulk) judge(rt *rapid.T, w *world, res reply) {
	var done struct {
		Results []struct {
			Status int            `json:"status"`
			Rest   map[string]any `json:",unknown"`
		} `json:"results"`
		Rest map[string]any `json:",unknown"`
	}
	must(rt, res.into(&done))
	if len(done.Results) != len(b.rows) {
		rt.Fatalf("bulk: %d results for %d deliveries", len(done.Results), len(b.rows))
	}
	for i, r := range done.Results {
		w.judge(rt, b.parts[i], reply{status: r.Status, body: []byte(http.StatusText(r.Status))})
		if b.parts[i].why == 0 {
			b.then[i]()
		}
	}
}
