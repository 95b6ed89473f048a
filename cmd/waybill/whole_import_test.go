package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

// mrow is a row of a delivery file, as it is written there: a delivery and its one
// item.
type mrow struct {
	line                    int
	code, kind, number, day string
}

// mfile is a delivery file.
type mfile struct {
	text []byte
	rows []mrow
}

// importFile imports a file that nobody has seen before.
func (w *world) importFile(rt *rapid.T) {
	by := w.somebody(rt)
	dates := oneOf(rt, "dates", "2100-03-%02d", "2100-03-%02d", "%02d/03/2100")
	var rows []mrow
	for range 1 + below(rt, "rows", 6) {
		row := mrow{code: fileCode(rt, by.of), number: fmt.Sprint("DO-", below(rt, "number", 14)), day: fmt.Sprintf(dates, 1+below(rt, "day", 2))}
		if below(rt, "collection", 6) == 0 {
			row.kind = "Collection"
		}
		if below(rt, "odd", 24) == 23 {
			row.day = oneOf(rt, "odd day", "tomorrow", "")
		}
		rows = append(rows, row)
	}
	f := written(rt, rows)
	by.of.files = append(by.of.files, f)
	w.imports(rt, by, f)
}

// fileCode draws what stands in the column of customer codes.
func fileCode(rt *rapid.T, o *tenant) string {
	known := slices.Sorted(maps.Keys(o.codes))
	switch n := below(rt, "coded", 8); {
	case n < 4 && len(known) > 0:
		return oneOf(rt, "code", known...)
	case n < 5:
		return code(rt)
	case n == 5:
		return groupName(rt)
	case n == 6:
		return strings.ToUpper(oneOf(rt, "client", o.clients...).name)
	}
	return ""
}

// importAgain imports a file of before, whoever sent it then; whatever has become of
// its deliveries and its codes since.
func (w *world) importAgain(rt *rapid.T) {
	by := w.somebody(rt)
	if len(by.of.files) == 0 {
		w.importFile(rt)
		return
	}
	w.imports(rt, by, oneOf(rt, "file", by.of.files...))
}

// importMoved tags again what a file has brought, and imports that file again.
func (w *world) importMoved(rt *rapid.T) {
	by := w.somebody(rt)
	a := &attempt{by: by, method: "POST", body: map[string]any{}}
	for _, f := range by.of.files {
		for _, d := range by.of.deliveries {
			brought := slices.ContainsFunc(f.rows, func(r mrow) bool { return r.number == d.number })
			if !brought || !d.there() || !by.of.imported[d.key()] || !by.seesDelivery(d) {
				continue
			}
			g := target(rt, w, by, "group", groupsOf)
			a.path, a.body["group"] = "/v1/deliveries/"+d.id.String()+"/tag", g.id
			a.works(d, "create_deliveries")
			a.tags(d, g, reason(rt, a.body))
			a.then = func(reply) { d.group = g }
			w.give(rt, a)
			w.imports(rt, by, f)
			return
		}
	}
	w.importFile(rt)
}

// importExport imports what somebody exports.
func (w *world) importExport(rt *rapid.T) {
	from, to := w.somebody(rt), w.somebody(rt)
	if !from.awake() || !from.may("export_deliveries") {
		return
	}
	res, err := w.send(w.ctx, w.token(rt, from), "GET", "/v1/deliveries/export", nil)
	must(rt, err)
	f := mfile{text: res.body}
	for i, r := range w.table(rt, "csv", res) {
		f.rows = append(f.rows, mrow{i + 2, r["Customer Code"], r["Type"], r["D.O. Number"], r["Date"]})
	}
	w.imports(rt, to, f)
}

// written writes a file, of whatever kind of text. Every row is of its delivery's
// item 1.
func written(rt *rapid.T, rows []mrow) mfile {
	var b bytes.Buffer
	b.WriteString(oneOf(rt, "mark", "", "\xEF\xBB\xBF"))
	out := csv.NewWriter(&b)
	out.Comma = oneOf(rt, "delimiter", ',', ';', '\t')
	out.UseCRLF = rapid.Bool().Draw(rt, "crlf")
	must(rt, out.Write([]string{"D.O. Number", "Customer Code", "Date", "Type", "Line ID", "Description", "Qty"}))
	for i, r := range rows {
		rows[i].line = i + 2
		must(rt, out.Write([]string{r.number, r.code, r.day, r.kind, "1", "Fruit, \"ripe\"", "2"}))
	}
	out.Flush()
	return mfile{b.Bytes(), rows}
}

// mplan is what an import comes to.
type mplan struct {
	drafts, known int
	turned        []int // lines that are not taken
	refused       int   // drafts that are not
	groups        []*mgroup
	codes         map[string]*mgroup
	made          []*mdelivery
	keys          map[dkey]bool
}

// imports imports a file, or tries to.
func (w *world) imports(rt *rapid.T, by asker, f mfile) {
	a := &attempt{by: by, method: "POST", path: "/v1/imports", file: f.text, dry: below(rt, "dry run", 4) == 3}
	a.needs("create_deliveries")
	build := below(rt, "create groups", 3) == 2
	if build {
		a.query("create_groups", "true")
		a.needs("manage_groups")
	}
	plan := a.plans(f.rows, a.dates(rt, w, f.rows), build && by.everything())
	a.told = func(res reply) { plan.reported(rt, res, a.dry) }
	a.then = func(reply) { w.imported(rt, by.of, plan) }
	w.give(rt, a)
}

// dates is the order in which the days of a file are read: what is said with it, or
// else the template of a group or of the organisation.
func (a *attempt) dates(rt *rapid.T, w *world, rows []mrow) string {
	order := ""
	var g *mgroup
	if seen := a.by.seen(); !a.by.everything() && len(seen) == 1 {
		g = seen[0]
	}
	switch below(rt, "order", 6) {
	case 4:
		order = oneOf(rt, "date order", "DD/MM/YYYY", "MM-DD-YYYY")
		a.query("date_order", order)
	case 5:
		g = target(rt, w, a.by, "template", groupsOf)
		a.query("template", g.id.String())
		a.refuse(!a.by.sees(g), notFound, "template")
	}
	if order == "" && g != nil {
		order = g.order
	}
	if order == "" {
		order = a.by.of.order
	}
	both := slices.ContainsFunc(rows, func(r mrow) bool { return strings.Contains(r.day, "/") })
	a.refuse(order == "" && both, invalid, "day or month first")
	return order
}

// date reads a day of a file; empty when it is none.
func date(text, order string) string {
	var day, month int
	if n, _ := fmt.Sscanf(text, "%02d/%02d/2100", &day, &month); n == 2 {
		if strings.HasPrefix(order, "MM") {
			day, month = month, day
		}
		return fmt.Sprintf("2100-%02d-%02d", month, day)
	}
	if strings.HasPrefix(text, "2100-") {
		return text
	}
	return ""
}

// plans foretells what becomes of every row, as things stand.
func (a *attempt) plans(rows []mrow, order string, build bool) *mplan {
	p := &mplan{codes: map[string]*mgroup{}, keys: map[dkey]bool{}}
	a.refuse(len(rows) == 0, invalid, "no rows")
	type draft struct{ code, kind, number, day string }
	lines, text := map[draft][]int{}, map[draft]string{}
	dateless := map[draft]bool{}
	var drafts []draft
	for _, r := range rows {
		d := draft{normal(r.code), strings.ToLower(r.kind), r.number, date(r.day, order)}
		if d.kind == "" {
			d.kind = "delivery"
		}
		if lines[d] == nil {
			drafts, text[d] = append(drafts, d), tidy(r.code)
		}
		lines[d] = append(lines[d], r.line)
		dateless[draft{d.code, d.kind, d.number, ""}] = dateless[draft{d.code, d.kind, d.number, ""}] || d.day == ""
	}
	// In the order of codes: a code makes a group before another of its name does.
	slices.SortFunc(drafts, func(x, y draft) int {
		return slices.Compare([]string{x.code, x.kind, x.number, x.day}, []string{y.code, y.kind, y.number, y.day})
	})
	for _, d := range drafts {
		if dateless[draft{d.code, d.kind, d.number, ""}] || len(lines[d]) > 1 {
			p.turned = append(p.turned, lines[d]...) // no day, or the same item twice
			continue
		}
		p.drafts++
		g, found := a.files(p, d.code, text[d], build)
		if !found {
			p.refused++
			p.turned = append(p.turned, lines[d]...)
			continue
		}
		key := dkey{g, d.kind, d.number, d.day}
		if p.keys[key] || a.by.of.imported[key] || a.by.of.delivery(key) != nil {
			p.known++
			continue
		}
		p.keys[key] = true
		p.made = append(p.made, &mdelivery{of: a.by.of, kind: d.kind, number: d.number, day: d.day, group: g, status: "info_received", attempt: 1, quantity: 2})
	}
	return p
}

// files finds the group of a customer code, or makes it.
func (a *attempt) files(p *mplan, code, text string, build bool) (*mgroup, bool) {
	o := a.by.of
	if code == "" {
		if a.by.everything() {
			return nil, true
		}
		seen := a.by.seen()
		return append(seen, nil)[0], len(seen) == 1 && seen[0].manageable()
	}
	a.refuse(a.by.everything() && !o.field, conflict, "group field off")
	g := o.codes[code]
	if g == nil {
		g = p.codes[code]
	}
	if g == nil && build {
		if g = o.named(code); g != nil && (g.status != "active" || !g.manageable()) {
			return nil, false
		}
		if g == nil && code != "all" {
			g = &mgroup{of: o, name: text, status: "active"}
			p.groups = append(p.groups, g)
		}
		p.codes[code] = g
	}
	if g == nil || !slices.Contains(p.groups, g) && !a.by.sees(g) {
		return nil, false
	}
	return g, g.status == "active" && g.manageable()
}

// reported compares the report with what was foretold.
func (p *mplan) reported(rt *rapid.T, res reply, dry bool) {
	rt.Helper()
	var told struct {
		Deliveries    int `json:"deliveries"`
		Created       int `json:"created"`
		AlreadyKnown  int `json:"already_known"`
		Rejected      int `json:"rejected"`
		GroupsCreated int `json:"groups_created"`
		RowsRejected  int `json:"rows_rejected"`
		Groups        []string
		Rejections    []struct {
			Row  int            `json:"row"`
			Rest map[string]any `json:",unknown"`
		} `json:"rejections"`
		DryRun   bool           `json:"dry_run"`
		Position string         `json:"position"`
		Rest     map[string]any `json:",unknown"`
	}
	must(rt, res.into(&told))
	var turned []int
	for _, r := range told.Rejections {
		turned = append(turned, r.Row)
	}
	slices.Sort(turned)
	slices.Sort(p.turned)
	got := fmt.Sprint(told.Deliveries, told.Created, told.AlreadyKnown, told.Rejected, told.GroupsCreated, told.RowsRejected, turned, told.DryRun)
	want := fmt.Sprint(p.drafts, len(p.made), p.known, p.refused, len(p.groups), len(p.turned), p.turned, dry)
	if got != want {
		rt.Fatalf("deliveries, created, known, rejected, groups, rows rejected, which, dry run: %s, the rules say %s\n%s", got, want, res.body)
	}
	if wrote := len(p.made)+len(p.codes) > 0; told.Position != "" && (dry || !wrote) {
		rt.Fatalf("the import is at %s, and has written nothing", told.Position)
	}
}

// imported makes what an import has made part of the model.
func (w *world) imported(rt *rapid.T, o *tenant, p *mplan) {
	must(rt, w.settle(w.ctx))
	for _, g := range p.groups {
		must(rt, w.pools.Projector.QueryRow(w.ctx, `SELECT group_id FROM read.groups WHERE org_id = $1 AND name = $2 AND group_id <> ALL($3)`,
			o.id, g.name, ids(o.groups)).Scan(&g.id))
		o.groups = append(o.groups, g)
	}
	for code, g := range p.codes {
		if g != nil {
			o.codes[code] = g
		}
	}
	for _, d := range p.made {
		var group *uuid.UUID
		if d.group != nil {
			group = &d.group.id
		}
		must(rt, w.pools.Projector.QueryRow(w.ctx, `
			SELECT delivery_id FROM read.deliveries
			WHERE org_id = $1 AND do_number = $2 AND date = $3::date AND group_id IS NOT DISTINCT FROM $4 AND details LIKE '%"type":"' || $5 || '"%'
			  AND delivery_id <> ALL($6)`, o.id, d.number, d.day, group, d.kind, idsOf(o.deliveries, func(d *mdelivery) uuid.UUID { return d.id })).Scan(&d.id))
		o.deliveries = append(o.deliveries, d)
		o.imported[d.key()] = true
	}
}
