package main

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"
)

// movesTo is the table of section 6: where a command takes a delivery, and from
// which statuses.
func movesTo(do string) (to string, from []string) {
	switch do {
	case "receive":
		return "in_transit", []string{"info_received"}
	case "dispatch":
		return "dispatched", []string{"info_received", "in_transit"}
	case "hold":
		return "on_hold", []string{"info_received", "in_transit", "dispatched"}
	case "release":
		return "", []string{"on_hold"}
	case "return":
		return "returned", []string{"in_transit", "dispatched", "on_hold", "failed"}
	case "cancel":
		return "cancelled", []string{"info_received", "in_transit", "dispatched", "on_hold"}
	case "complete":
		return "completed", []string{"dispatched"}
	case "complete-partially":
		return "completed_partial", []string{"dispatched"}
	case "fail":
		return "failed", []string{"dispatched"}
	case "head", "arrive":
		return "dispatched", []string{"dispatched"}
	}
	return "", nil
}

// moves adds the reasons why a delivery does not move so.
func (a *attempt) moves(d *mdelivery, do string) {
	_, from := movesTo(do)
	a.refuse(!slices.Contains(from, d.status), conflict, d.status)
	a.refuse(do == "head" && d.arrived, conflict, "arrived")
}

func (d *mdelivery) move(do string) {
	to, _ := movesTo(do)
	switch do {
	case "hold":
		d.held = d.status
	case "release":
		to = d.held
	case "complete", "complete-partially", "fail":
		d.concluded = true
	}
	d.arrived = do == "arrive" || do == "head" && d.arrived
	d.status = to
}

func moves() []string {
	return []string{"receive", "dispatch", "hold", "release", "return", "cancel", "complete", "complete-partially", "fail", "head", "arrive"}
}

// live moves a delivery along, mostly to where it can go, and seldom to its end.
func (w *world) live(rt *rapid.T) {
	by := w.somebody(rt)
	d := target(rt, w, by, "delivery", likely(rt, deliveriesOf, (*mdelivery).open))
	can := slices.DeleteFunc(moves(), func(do string) bool {
		_, from := movesTo(do)
		return !slices.Contains(from, d.status) || do == "return" || do == "cancel"
	})
	if slices.Contains(can, "complete") && below(rt, "ended", 2) == 0 {
		can = []string{"complete", "complete-partially", "fail"}
	}
	if len(can) == 0 || below(rt, "odd", 6) == 5 {
		can = moves()
	}
	do := oneOf(rt, "do", can...)
	a := &attempt{by: by, method: "POST", path: "/v1/deliveries/" + d.id.String() + "/" + do, body: map[string]any{}}
	a.works(d, "update_status")
	some := d.rejected
	a.moves(d, do)
	switch do {
	case "fail":
		a.refuse(!reason(rt, a.body), invalid, "reason")
	case "complete-partially":
		some = a.rejects(rt, d)
	}
	a.then = func(reply) {
		d.move(do)
		d.rejected = some
	}
	w.give(rt, a)
}

// rejects draws how much of the item was rejected.
func (a *attempt) rejects(rt *rapid.T, d *mdelivery) int {
	n := below(rt, "rejected", 4)
	a.body["items"] = []map[string]any{{"id": "1", "rejected": fmt.Sprint(n)}}
	a.refuse(n < 1 || n > d.quantity, invalid, "items")
	return n
}

func outcome(status string) bool {
	return status == "completed" || status == "failed" || status == "completed_partial"
}

func (w *world) correct(rt *rapid.T) {
	a, d := w.onDelivery(rt, "POST", "/correct", "update_status", func(d *mdelivery) bool { return d.there() && outcome(d.status) })
	to := oneOf(rt, "to", "completed", "failed", "completed_partial", "cancelled")
	a.body["to"] = to
	said := reason(rt, a.body)
	a.refuse(!outcome(d.status), conflict, d.status)
	a.refuse(!outcome(to), invalid, "outcome")
	a.refuse(!said, invalid, "reason")
	some := 0
	if to == "completed_partial" {
		some = a.rejects(rt, d)
	}
	a.then = func(reply) { d.status, d.rejected = to, some }
	w.give(rt, a)
}

func (w *world) eta(rt *rapid.T) {
	a, d := w.onDelivery(rt, "POST", "/eta", "update_status", (*mdelivery).open)
	a.body["eta"] = w.time.Now().Add(time.Hour)
	a.refuse(!d.deleted && !d.open(), conflict, d.status)
	w.give(rt, a)
}
