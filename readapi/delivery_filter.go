package readapi

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/events/search"
)

// deliveryFilter is what a list of deliveries is asked for, within the caller's
// scope.
type deliveryFilter struct {
	org      uuid.UUID
	groups   []uuid.UUID // any of these; nil = the whole organisation
	untagged bool        // only what is in no group
	nothing  bool        // the filters leave nothing of the caller's scope
	tracking *trackingFilter
	from, to *time.Time // days, inclusive
	doNumber string
	words    []string // all found in number, recipient or address
	after    *deliveryPlace
	walking  bool // the pages before were walked for, because the index has too much
	limit    int
	today    time.Time
}

// deliveryPlace is where a page ended: lists run by date and id, latest first.
type deliveryPlace struct {
	date time.Time
	id   uuid.UUID
}

// Bounds of a text to search for.
const (
	maxWords  = 8
	maxSearch = 200 // bytes
)

// placeSize is the size of a place in bytes: days and id.
const placeSize = 4 + 16

// walkingMark follows a place of a search that is walking.
const walkingMark = "w"

// filterParams are the parameters of a filter.
func filterParams() []string {
	return []string{"group", "status", "date_from", "date_to", "do_number", "q"}
}

func (a *api) deliveryFilter(r *http.Request, c access.Caller) (deliveryFilter, error) {
	p := paramsOf(r, append(filterParams(), "limit", "cursor")...)
	f := a.filter(p, c)
	f.limit = p.limit()
	if err := p.err(); err != nil {
		return f, err
	}
	if cursor := p.text("cursor"); cursor != "" {
		raw, err := a.cursors.open(c, list(r), cursor)
		if err != nil {
			return f, err
		}
		if len(raw) != placeSize && len(raw) != placeSize+len(walkingMark) {
			return f, errCursor()
		}
		f.after = &deliveryPlace{daysOfRaw(raw[:4]).time(), uuid.UUID(raw[4:placeSize])}
		f.walking = len(raw) > placeSize
	}
	return f, nil
}

// filter reads what is asked for, without where a page begins and ends.
func (a *api) filter(p *params, c access.Caller) deliveryFilter {
	f := deliveryFilter{org: c.Org, from: p.date("date_from"), to: p.date("date_to"),
		doNumber: strings.TrimSpace(p.text("do_number")), today: a.zones.today(a.cfg.Now(), c.Timezone)}
	if text := p.text("status"); text != "" {
		t, ok := parseTracking(text)
		if !ok {
			p.refuse("status", "must be one of %s", strings.Join(trackingStatuses(), ", "))
		}
		f.tracking = &t
	}
	if q := p.text("q"); q != "" {
		f.words = search.Words(q)
		if len(f.words) == 0 || len(f.words) > maxWords || len(q) > maxSearch || strings.ContainsRune(q, 0) || !utf8.ValidString(q) {
			p.refuse("q", "must be text of 1 to %d words, in %d bytes at most", maxWords, maxSearch)
		}
	}
	group, given := p.group()
	f.narrow(c, group, given)
	return f
}

// narrow brings caller's scope and group filter together. A group that the
// caller does not see is as empty as one that does not exist.
func (f *deliveryFilter) narrow(c access.Caller, group uuid.UUID, given bool) {
	switch {
	case c.SeesAll() && !given:
	case c.SeesAll() && group == uuid.Nil:
		f.untagged = true
	case !given:
		f.groups = c.Groups
		f.nothing = len(c.Groups) == 0
	case c.Sees(group):
		f.groups = []uuid.UUID{group}
	default:
		f.nothing = true
	}
}

// deliveryColumns of the row d. The vehicle is there only where the caller sees
// it.
func deliveryColumns(c access.Caller) string {
	vehicle := `NULL::uuid`
	switch {
	case c.SeesAll() && c.May(access.ViewVehicles):
		vehicle = `d.vehicle_id`
	case c.May(access.ViewVehicles):
		vehicle = `(SELECT v.vehicle_id FROM read.vehicles v WHERE v.vehicle_id = d.vehicle_id)`
	}
	return `d.delivery_id, d.group_id, d.status, d.vehicle_id IS NOT NULL, d.date, d.details, d.revision, d.updated_at, d.mark, d.eta, ` + vehicle
}

// statement is SQL under construction.
type statement struct {
	text strings.Builder
	args []any
}

// arg adds an argument and returns its placeholder.
func (s *statement) arg(v any) string {
	if id, ok := v.(uuid.UUID); ok {
		v = raw(id)
	}
	s.args = append(s.args, v)
	return "$" + strconv.Itoa(len(s.args))
}

// filterColumns of the row d are what filters and deliveryColumns look at.
const filterColumns = `d.delivery_id, d.group_id, d.status, d.vehicle_id, d.date, d.details, d.revision, d.updated_at, d.mark, d.eta, d.search`

// listOrder is the order of lists of deliveries.
const listOrder = ` ORDER BY d.date DESC, d.delivery_id DESC`

// sql returns the query of one page. Every variant names its group or
// organisation, so that an index that runs in the list's direction serves it.
func (f *deliveryFilter) sql(c access.Caller) (string, []any) {
	s := &statement{}
	const columns = filterColumns
	const order = listOrder + ` LIMIT `
	limit := f.fetch()
	s.text.WriteString(`SELECT ` + deliveryColumns(c) + ` FROM `)
	switch {
	case f.doNumber != "":
		// First by number, then the rest: the planner must not walk the list in
		// its order in the hope of meeting the number early.
		s.text.WriteString(`(WITH d AS MATERIALIZED (SELECT ` + columns + ` FROM read.deliveries d WHERE d.org_id = ` + s.arg(f.org) +
			` AND d.do_number = ` + s.arg(f.doNumber) + `) SELECT * FROM d) d WHERE true`)
		f.either(s)
		f.conditions(s)
	case f.armCount() == 1:
		s.text.WriteString(`read.deliveries d WHERE `)
		f.key(s, `status`)
		f.conditions(s)
	default:
		// One short walk of an index per group and status, then merged.
		s.text.WriteString(f.arms(s) + ` CROSS JOIN LATERAL (SELECT ` + columns + ` FROM read.deliveries d WHERE `)
		f.key(s, `arms`)
		f.conditions(s)
		s.text.WriteString(order + limit + `) d`)
	}
	s.text.WriteString(order + limit)
	return s.text.String(), s.args
}

// armCount is how many (group, status) pairs a list is made of.
func (f *deliveryFilter) armCount() int {
	n := max(1, len(f.groups))
	if f.tracking != nil {
		n *= len(f.tracking.statuses)
	}
	return n
}

// arms is the source of (group, status) pairs.
func (f *deliveryFilter) arms(s *statement) string {
	var sources []string
	if len(f.groups) > 1 {
		sources = append(sources, `unnest(`+s.arg(f.groups)+`::uuid[]) AS g(group_id)`)
	}
	if f.tracking != nil {
		sources = append(sources, `unnest(`+s.arg(f.tracking.statuses)+`::text[]) AS t(status)`)
	}
	return strings.Join(sources, ` CROSS JOIN `)
}

// key writes the equalities that an index begins with.
func (f *deliveryFilter) key(s *statement, from string) {
	switch {
	case from == `arms` && len(f.groups) > 1:
		s.text.WriteString(`d.group_id = g.group_id`)
	case len(f.groups) == 1:
		s.text.WriteString(`d.group_id = ` + s.arg(f.groups[0]))
	default:
		s.text.WriteString(`d.org_id = ` + s.arg(f.org))
	}
	switch {
	case f.tracking == nil:
	case from == `arms`:
		s.text.WriteString(` AND d.status = t.status`)
	default:
		s.text.WriteString(` AND d.status = ` + s.arg(f.tracking.statuses[0]))
	}
}

// conditions writes what else must hold.
func (f *deliveryFilter) conditions(s *statement) {
	f.bounds(s)
	if len(f.words) > 0 {
		s.text.WriteString(` AND ` + f.matches(s))
	}
}

// matches is the condition that all words are found.
func (f *deliveryFilter) matches(s *statement) string {
	found := make([]string, len(f.words))
	for i, w := range f.words {
		found[i] = `strpos(d.search, ` + s.arg(w) + `) > 0`
	}
	return strings.Join(found, ` AND `)
}

// bounds writes what must hold besides the words.
func (f *deliveryFilter) bounds(s *statement) {
	if f.untagged {
		s.text.WriteString(` AND d.group_id IS NULL`)
	}
	if f.tracking != nil && f.tracking.extra != "" {
		extra := f.tracking.extra
		if strings.Contains(extra, `$today`) {
			extra = strings.ReplaceAll(extra, `$today`, s.arg(f.today))
		}
		s.text.WriteString(` AND ` + extra)
	}
	if f.from != nil {
		s.text.WriteString(` AND d.date >= ` + s.arg(*f.from))
	}
	if f.to != nil {
		s.text.WriteString(` AND d.date <= ` + s.arg(*f.to))
	}
	if f.after != nil {
		s.text.WriteString(` AND (d.date, d.delivery_id) < (` + s.arg(f.after.date) + `, ` + s.arg(f.after.id) + `)`)
	}
}

// fetch is how many rows are asked for: one more than a page, to know whether
// there is a next one. It is written into the text, since a plan for an unknown
// limit is a worse one, and rounded up, so that there are few texts.
func (f *deliveryFilter) fetch() string {
	for _, most := range [...]int{defaultLimit, maxLimit} {
		if f.limit <= most {
			return strconv.Itoa(most + 1)
		}
	}
	return strconv.Itoa(slices.Max([]int{f.limit, maxLimit}) + 1)
}
