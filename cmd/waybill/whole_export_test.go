package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"
)

// exportFile compares an export with the rules, and the list of the same filter.
func (w *world) exportFile(rt *rapid.T) {
	a := w.somebody(rt)
	format := oneOf(rt, "format", "csv", "csv", "xlsx")
	filter, passes := w.filter(rt, a)
	w.compareExport(rt, a, format, filter, passes)
	if !a.awake() {
		return
	}
	got := w.list(rt, w.token(rt, a), "deliveries", strings.TrimSuffix("&"+filter, "&"))
	if diff := differ(got, idsOf(seenOf(a, passes), func(d *mdelivery) uuid.UUID { return d.id })); diff != "" {
		rt.Fatalf("%s, deliveries with %q: %s", a.name(), filter, diff)
	}
}

// filter draws what a list is narrowed to.
func (w *world) filter(rt *rapid.T, a asker) (string, func(*mdelivery) bool) {
	switch below(rt, "filter", 8) {
	case 0:
		g := target(rt, w, a, "group", groupsOf)
		return "group=" + g.id.String(), func(d *mdelivery) bool { return d.group == g }
	case 1:
		return "group=none", func(d *mdelivery) bool { return d.group == nil }
	case 2:
		text := number(rt)
		return "do_number=" + text, func(d *mdelivery) bool { return d.number == text }
	case 3:
		text := number(rt)
		return "q=" + strings.ToLower(text), func(d *mdelivery) bool { return strings.Contains(d.number, text) }
	case 4:
		status := oneOf(rt, "status", "Info received", "Scheduled", "Out for delivery", "Completed", "Failed", "On hold", "Return", "Cancelled")
		return "status=" + url.QueryEscape(status), func(d *mdelivery) bool { return d.tracking() == status }
	case 5:
		day := day(rt)
		for day == days()[3] {
			day = days()[0]
		}
		return "date_from=" + day, func(d *mdelivery) bool { return d.day >= day }
	}
	return "", func(*mdelivery) bool { return true }
}

// seenOf are the deliveries that somebody sees and a filter lets through.
func seenOf(a asker, passes func(*mdelivery) bool) []*mdelivery {
	return slices.DeleteFunc(slices.Clone(a.of.deliveries), func(d *mdelivery) bool { return !a.seesDelivery(d) || !passes(d) })
}

// tracking is section 6's word for where a delivery stands.
func (d *mdelivery) tracking() string {
	switch d.status {
	case "dispatched":
		today := d.of.time.Now().In(d.of.zone).Format(time.DateOnly)
		if d.vehicle != nil && d.day > today {
			return "Scheduled"
		} else if d.vehicle != nil {
			return "Out for delivery"
		}
	case "completed":
		return "Completed"
	case "completed_partial":
		return "Partially completed"
	case "failed":
		return "Failed"
	case "on_hold":
		return "On hold"
	case "returned":
		return "Return"
	case "cancelled":
		return "Cancelled"
	}
	return "Info received"
}

// compareExport compares a file, cell by cell.
func (w *world) compareExport(rt *rapid.T, a asker, format, filter string, passes func(*mdelivery) bool) {
	rt.Helper()
	res, err := w.send(w.ctx, w.token(rt, a), "GET", strings.TrimSuffix("/v1/deliveries/export?format="+format+"&"+filter, "&"), nil)
	must(rt, err)
	want := 200
	switch {
	case !a.awake():
		want = 401
	case !a.may("export_deliveries"):
		want = 403
	}
	if res.status != want {
		rt.Fatalf("%s exports: %d %s, the rules say %d", a.name(), res.status, res.body, want)
	}
	if want != 200 {
		return
	}
	rows := map[string]map[string]string{}
	for _, r := range w.table(rt, format, res) {
		rows[r["Delivery ID"]] = r
	}
	seen := seenOf(a, passes)
	if len(seen) != len(rows) {
		rt.Fatalf("%s exports %d deliveries with %q, and sees %d: %v", a.name(), len(rows), filter, len(seen), rows)
	}
	for _, d := range seen {
		r := rows[d.id.String()]
		name, vehicle := "", ""
		if d.group != nil {
			name = tidy(d.group.name)
		}
		if d.vehicle != nil && a.seesVehicle(d.vehicle) {
			vehicle = d.vehicle.name
		}
		got := fmt.Sprintf("%s %s %s %q %s %s %q %s %s", r["D.O. Number"], r["Date"], r["Type"], r["Group Name"], r["Status"], r["Tracking Status"], r["Vehicle"], r["Attempt"], r["Quantity"])
		want := fmt.Sprintf("%s %s %s %q %s %s %q %d %d", d.number, d.day, d.kind, name, d.status, d.tracking(), vehicle, d.attempt, d.quantity)
		if got != want || !d.group.filedUnder(r["Customer Code"]) {
			rt.Fatalf("%s exports %s under %q, the rules say %s", a.name(), got, r["Customer Code"], want)
		}
	}
}

// filedUnder reports whether a file may give a group's deliveries a code: one of the
// group's; without any its name, unless that is the code of another group.
func (g *mgroup) filedUnder(code string) bool {
	if g == nil {
		return code == ""
	}
	var own []string
	for known, of := range g.of.codes {
		if of == g {
			own = append(own, known)
		}
	}
	switch {
	case len(own) > 0:
		return slices.Contains(own, normal(code))
	case g.of.codes[normal(g.name)] != nil:
		return code == tidy(g.name)+" ["+g.id.String()+"]"
	}
	return code == tidy(g.name)
}

// table reads an exported file, row by row, by the titles of its columns.
func (w *world) table(rt *rapid.T, format string, res reply) []map[string]string {
	rt.Helper()
	var table [][]string
	var err error
	if format == "xlsx" {
		var book *excelize.File
		book, err = excelize.OpenReader(bytes.NewReader(res.body))
		must(rt, err)
		table, err = book.GetRows("Deliveries")
	} else {
		table, err = csv.NewReader(bytes.NewReader(bytes.TrimPrefix(res.body, []byte("\xEF\xBB\xBF")))).ReadAll()
	}
	must(rt, err)
	if len(table) == 0 {
		rt.Fatalf("an export without a header: %s", res.body)
	}
	var rows []map[string]string
	for _, cells := range table[1:] {
		row := map[string]string{}
		for i, title := range table[0] {
			if i < len(cells) {
				row[title] = cells[i]
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// compareProgress compares the numbers of the progress page, and the customer codes.
func (w *world) compareProgress(rt *rapid.T, a asker, token string) {
	rt.Helper()
	res, err := w.send(w.ctx, token, "GET", "/v1/progress", nil)
	must(rt, err)
	var told struct {
		Total    int            `json:"total"`
		Progress map[string]int `json:"progress"`
	}
	must(rt, res.into(&told))
	want := map[string]int{}
	for status := range told.Progress {
		want[status] = 0
	}
	seen := seenOf(a, func(*mdelivery) bool { return true })
	for _, d := range seen {
		want[d.tracking()]++
	}
	if told.Total != len(seen) || fmt.Sprint(told.Progress) != fmt.Sprint(want) {
		rt.Fatalf("%s is told %s, the rules say %d %v", a.name(), res.body, len(seen), want)
	}
	res, err = w.send(w.ctx, token, "GET", "/v1/customer-codes?limit=100", nil)
	must(rt, err)
	var codes struct {
		Codes []struct {
			Code  string    `json:"code"`
			Group uuid.UUID `json:"group"`
		} `json:"customer_codes"`
	}
	must(rt, res.into(&codes))
	got, expected := map[string]uuid.UUID{}, map[string]uuid.UUID{}
	for _, c := range codes.Codes {
		got[normal(c.Code)] = c.Group
	}
	for code, g := range a.of.codes {
		if a.sees(g) {
			expected[code] = g.id
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(expected) {
		rt.Fatalf("%s sees the codes %v, the rules say %v", a.name(), got, expected)
	}
}
