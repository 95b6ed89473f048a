package readapi

import (
	"strconv"
	"strings"

	"github.com/google/uuid"

	"waybill/aggregates/access"
)

// text is what is searched for, in one piece.
func (f *deliveryFilter) text() string { return strings.Join(f.words, " ") }

// walkSQL returns the query of a short walk: how many rows it met, and which of
// them have the words, in the order of the list.
func (f *deliveryFilter) walkSQL() (string, []any) {
	s := &statement{}
	limit := listOrder + ` LIMIT ` + strconv.Itoa(walkedRows)
	s.text.WriteString(`
		SELECT count(*), array_agg(d.delivery_id` + listOrder + `) FILTER (WHERE ` + f.matches(s) + `)
		FROM (SELECT d.delivery_id, d.date, d.search FROM `)
	if f.armCount() == 1 {
		s.text.WriteString(`read.deliveries d WHERE `)
		f.key(s, `status`)
		f.bounds(s)
	} else {
		s.text.WriteString(f.arms(s) + ` CROSS JOIN LATERAL (SELECT ` + filterColumns + ` FROM read.deliveries d WHERE `)
		f.key(s, `arms`)
		f.bounds(s)
		s.text.WriteString(limit + `) d`)
	}
	s.text.WriteString(limit + `) d`)
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
