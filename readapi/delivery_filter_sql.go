package readapi

import (
	"math/bits"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"waybill/aggregates/access"
)

// text is what is searched for, in one piece.
func (f *deliveryFilter) text() string { return strings.Join(f.words, " ") }

// leastWalked is how many rows of each group and status a walk sees at least.
const leastWalked = 50

// walkSQL returns the query of a walk of so many rows: those that have the words, in
// the order of the list, and the row at which the walk stopped, whether it has them
// or not. With several groups or statuses each is walked so far as its share goes;
// what comes behind the first such stop is not complete. That a row has the words is
// a column and no condition, so that no more rows are looked at than that.
func (f *deliveryFilter) walkSQL(most int) (string, []any) {
	s := &statement{}
	arms := f.armCount()
	if arms > 1 { // rounded, so that there are few texts
		most = 1 << (bits.Len(uint(max(most/arms, leastWalked))) - 1)
	}
	n := strconv.Itoa(most)
	limit := listOrder + ` LIMIT ` + f.fetch()
	key := `status`
	s.text.WriteString(`SELECT d.date, d.delivery_id, d.hit, d.cut FROM `)
	if arms > 1 {
		key = `arms`
		s.text.WriteString(f.arms(s) + ` CROSS JOIN LATERAL `)
	}
	s.text.WriteString(`(SELECT d.date, d.delivery_id, d.hit, d.n = ` + n + ` AS cut
		FROM (SELECT d.*, row_number() OVER (` + listOrder + `) AS n FROM (SELECT d.date, d.delivery_id, ` + f.matches(s) + ` AS hit FROM read.deliveries d WHERE `)
	f.key(s, key)
	f.bounds(s)
	s.text.WriteString(listOrder + ` LIMIT ` + n + `) d) d WHERE d.hit OR d.n = ` + n + limit + `) d` + limit)
	return s.text.String(), s.args
}

// amongSQL returns the query of one page of some deliveries: these first, one by one
// (OFFSET keeps the planner to it), then what must hold of them.
func (f *deliveryFilter) amongSQL(c access.Caller, ids []uuid.UUID) (string, []any) {
	s := &statement{}
	s.text.WriteString(`SELECT ` + deliveryColumns(c) + ` FROM unnest(` + s.arg(ids) + `::uuid[]) AS u(id) CROSS JOIN LATERAL (SELECT ` +
		filterColumns + `, d.org_id FROM read.deliveries d WHERE d.delivery_id = u.id OFFSET 0) d WHERE d.org_id = ` + s.arg(f.org))
	f.either(s)
	f.conditions(s)
	s.text.WriteString(listOrder + ` LIMIT ` + f.fetch())
	return s.text.String(), s.args
}

// either writes that the row is of one of the groups and has one of the statuses.
func (f *deliveryFilter) either(s *statement) {
	if f.groups != nil {
		s.text.WriteString(` AND d.group_id = ANY(` + s.arg(f.groups) + `)`)
	}
	if f.tracking != nil {
		s.text.WriteString(` AND d.status = ANY(` + s.arg(f.tracking.statuses) + `)`)
	}
}

// countSQL returns the query of how many rows an export of the whole list has: one
// for each item, and one for a delivery without items.
func (f *deliveryFilter) countSQL() (string, []any) {
	s := &statement{}
	s.text.WriteString(`SELECT coalesce(sum(greatest(d.item_count, 1)), 0)::bigint FROM read.deliveries d WHERE d.org_id = ` + s.arg(f.org))
	f.either(s)
	if f.doNumber != "" {
		s.text.WriteString(` AND d.do_number = ` + s.arg(f.doNumber))
	}
	f.conditions(s)
	return s.text.String(), s.args
}
