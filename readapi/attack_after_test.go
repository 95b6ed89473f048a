package readapi_test

import (
	"context"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"waybill/aggregates/access/route"
	"waybill/events"
	"waybill/events/store"
	"waybill/readapi"
)

// sealed are cursors, of which no two are the same.
var sealed = regexp.MustCompile(`("next":"|cursor=)[A-Za-z0-9_-]+`)

// lookOn compares every answer of every list, and about every thing of one's own,
// before and after more is planted around it.
func (tb *table) lookOn(t *testing.T, attackers []*attacker) {
	t.Helper()
	look := func() map[string]string {
		answers := map[string]string{}
		for _, a := range attackers {
			for _, sh := range tb.shapes {
				if !sh.Public && sh.Method == http.MethodGet {
					tb.look(t, a, sh, answers)
				}
			}
		}
		return answers
	}
	before := look()
	g := tb.g
	later := holdings{}
	g.plant(t, later, markLater, "2")
	g.loose(t, markLater, "2")
	g.retire(t, g.owner.group(t, markLater+" Archived"), markLater, "2")
	drop := g.deliver(t, markHidden, "3", g.hidden)
	for kind, ids := range later {
		g.beyond[kind] = append(g.beyond[kind], ids...)
	}
	g.secret.add(aDelivery, drop)
	g.owner.caughtUp(t, g.owner.done(t, http.MethodPut, "/v1/settings/group-field", `{"enabled": true}`).Position)
	after := look()
	if len(before) < 200 || !maps.Equal(before, after) {
		for what, was := range before {
			if after[what] != was && !strings.Contains(what, "a member of every group") { // who sees the last one
				t.Errorf("%s: before\n%s\n\nafter more was planted\n%s", what, was, after[what])
			}
		}
	}
}

// look asks for all that a route has for an attacker, page by page as well.
func (tb *table) look(t *testing.T, a *attacker, sh shape, answers map[string]string) {
	t.Helper()
	plain := ways(sh)[0]
	get := func(path string) answer {
		got := tb.send(t, a, sh, plain, path, "", "")
		answers[a.name+" "+sealed.ReplaceAllString(path, "$1…")] += sealed.ReplaceAllString(told(got, nil), "$1…")
		return got
	}
	paths := []string{}
	first, _ := sh.request(a.own, nil)
	paths = append(paths, first)
	for _, sl := range sh.slots {
		if sl.in == "path" {
			for _, id := range a.own[sl.kind] {
				path, _ := sh.request(a.own, called{sl: {id}})
				paths = append(paths, path)
			}
		}
	}
	for _, p := range sh.Params {
		switch p.Name {
		case "q":
			paths = append(paths, first+"?q=xyzzy", first+"?q=street")
		case "limit":
			for path, pages := first+"?limit=2", 0; path != "" && pages < 10; pages++ {
				link := get(path).header.Get("Link")
				path = strings.TrimSuffix(strings.TrimPrefix(link, "<"), `>; rel="next"`)
			}
		}
		for _, value := range p.Enum {
			if p.In == "query" {
				paths = append(paths, first+"?"+p.Name+"="+strings.ReplaceAll(value, " ", "%20"))
			}
		}
	}
	slices.Sort(paths)
	for _, path := range slices.Compact(paths) {
		get(path)
	}
}

// state is all rows of the read model, and where the log ends.
type state struct {
	rows map[string][]string
	head events.Position
}

// record notes how everything is.
func (tb *table) record(t *testing.T) state {
	t.Helper()
	s := state{rows: map[string][]string{}}
	pools := tb.g.s.pools
	for pool, schema := range map[*pgxpool.Pool]string{pools.Projector: "read", pools.Identity: "telemetry"} {
		for _, name := range tablesOf(t, pool, schema) {
			rows, err := pool.Query(t.Context(), `SELECT t::text FROM `+name+` t ORDER BY 1`)
			must(t, err)
			s.rows[name], err = pgx.CollectRows(rows, pgx.RowTo[string])
			must(t, err)
		}
	}
	var err error
	s.head, err = tb.g.s.store.Head(t.Context())
	must(t, err)
	return s
}

// tablesOf lists the tables of a schema that a pool may read; of all schemas when
// it is empty.
func tablesOf(t *testing.T, pool *pgxpool.Pool, schema string) []string {
	t.Helper()
	rows, err := pool.Query(t.Context(), `
		SELECT table_schema || '.' || table_name FROM information_schema.tables
		WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND ($1 = '' OR table_schema = $1)
		  AND has_any_column_privilege(quote_ident(table_schema) || '.' || quote_ident(table_name), 'SELECT')
		ORDER BY 1`, schema)
	must(t, err)
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	if len(names) == 0 {
		t.Fatalf("the schema %s has no tables", schema)
	}
	return names
}

// unchanged compares with how everything was: what was refused wrote nothing.
func (tb *table) unchanged(t *testing.T, before state) {
	t.Helper()
	for r, err := range tb.g.s.store.ReadAll(context.WithoutCancel(t.Context()), before.head, store.Forwards) {
		must(t, err)
		if !strings.HasPrefix(r.Stream, "$") && !strings.HasPrefix(r.Stream, events.CategoryTrail) {
			t.Errorf("after all was refused, %s has another event: %s %s", r.Stream, r.Type, r.Metadata)
		}
	}
	after := tb.record(t)
	for name, rows := range before.rows {
		if !slices.Equal(rows, after.rows[name]) {
			t.Errorf("after all was refused, %s is not as it was", name)
		}
	}
}

// actors are how tables say who did something.
var actors = regexp.MustCompile(`(user|api_key|identity):[0-9a-f-]{36}`)

// withPast are tables whose rows tell of where a delivery was before, and what it
// was on.
var withPast = []string{"read.deliveries", "read.delivery_timeline"}

// withoutData are tables that hold nothing of any organisation.
var withoutData = []string{"ops.projections"}

// rows reads every table that the query API's role may read, without any
// condition, as every attacker.
func (tb *table) rows(t *testing.T, attackers []*attacker) {
	g := tb.g
	owner := &attacker{name: "the owner", person: g.owner}
	// What is searched for by: something that is in nearly everything.
	var gram string
	must(t, g.s.pools.Projector.QueryRow(t.Context(),
		`SELECT '{' || g || '}' FROM read.delivery_search, unnest(grams) g GROUP BY g ORDER BY count(*) DESC, g LIMIT 1`).Scan(&gram))
	for _, name := range tablesOf(t, g.s.pools.Reader, "") {
		read := func(a *attacker) []string {
			c, err := g.s.access.Caller(t.Context(), a.token)
			must(t, err)
			batch := readapi.Scoped(c)
			batch.Queue(`SELECT set_config('waybill.grams', $1, true)`, gram)
			var rows []string
			batch.Queue(`SELECT t::text FROM ` + name + ` t`).Query(func(r pgx.Rows) (err error) {
				rows, err = pgx.CollectRows(r, pgx.RowTo[string])
				return err
			})
			must(t, g.s.pools.Reader.SendBatch(t.Context(), batch).Close())
			tb.cells.Add(1)
			return rows
		}
		if all := read(owner); !slices.Contains(withoutData, name) && !slices.ContainsFunc(all, func(row string) bool { return strings.Contains(row, g.org.String()) }) {
			t.Errorf("%s: nothing of the attacked organisation is planted in it, or it cannot be told whose a row is", name)
		}
		for _, a := range attackers {
			for _, row := range read(a) {
				if a.user.String() != "" && strings.Contains(row, a.user.String()) {
					continue // its own, such as a grant that has ended
				}
				// Rows are the database's to hide. Columns are the query's: who did it,
				// and what a delivery that is seen by now has from before.
				if seen := slices.ContainsFunc(a.own[aDelivery], func(id string) bool { return strings.Contains(row, id) }); seen && slices.Contains(withPast, name) {
					continue
				}
				if found := tb.leaks(a, actors.ReplaceAllString(row, ""), ""); len(found) > 0 {
					t.Errorf("%s as %s: %q in %s", name, a.name, found, row)
				}
			}
		}
	}
}

// cursors gives everybody the owner's cursors.
func (tb *table) cursors(t *testing.T, attackers []*attacker) {
	lists := 0
	for _, sh := range tb.shapes {
		if sh.Method != http.MethodGet || !slices.ContainsFunc(sh.Params, func(p route.Param) bool { return p.Name == "cursor" }) {
			continue
		}
		lists++
		path, _ := sh.request(tb.g.own, nil)
		link := tb.g.owner.ok(t, path+"?limit=1").header.Get("Link")
		if link == "" {
			continue
		}
		theirs := strings.TrimSuffix(strings.TrimPrefix(link, "<"), `>; rel="next"`)
		for _, a := range attackers {
			got := tb.send(t, a, sh, ways(sh)[0], theirs, "", "")
			own := a.user == tb.g.owner.user // by an API key
			if !own && got.status != http.StatusBadRequest && got.status != http.StatusNotFound || own && got.status != http.StatusOK {
				t.Errorf("%s as %s with the owner's cursor: %d %s", sh.Name, a.name, got.status, got.body)
			}
		}
	}
	if lists < 5 {
		t.Errorf("%d lists have pages", lists)
	}
}

// control finds that what is attacked can be had, by who may: else every answer
// would be the same for another reason.
func (tb *table) control(t *testing.T) {
	g := tb.g
	owner := &attacker{name: "the owner", person: g.owner, may: true, own: g.own, foreign: []holdings{g.secret, g.beyond}}
	var told strings.Builder
	for _, sh := range tb.shapes {
		for _, id := range append(owner.things(aVehicle), owner.things(aDelivery)...) {
			if sh.Public || sh.Method != http.MethodGet || len(sh.slots) > 0 && sh.slots[0].in == "path" && !slices.Contains(owner.things(sh.slots[0].kind), id) {
				continue
			}
			path, _ := sh.request(g.own, called{slot{in: "path", name: "id", kind: aVehicle}: {id}, slot{in: "path", name: "id", kind: aDelivery}: {id}})
			told.WriteString(strings.ToLower(owner.get(t, path).body))
		}
	}
	for _, mark := range []string{markOrg, markMine, markHidden, markOld, markLoose, markWard, markLater, hiddenLatitude} {
		if !strings.Contains(told.String(), mark) {
			t.Errorf("%s is planted nowhere", mark)
		}
	}
	for _, sh := range tb.shapes {
		for _, sl := range sh.slots {
			if sh.Public || sl.kind == aSession || sl.kind == aKey || sl.kind == aText || sl.in == "query" && sh.Method == http.MethodGet {
				continue
			}
			there := false
			for _, target := range owner.things(sl.kind) {
				path, body := sh.request(g.own, called{sl: {target}})
				got := owner.do(t, sh.Method, path, body, "If-Match", `"7777"`)
				there = there || got.status != http.StatusNotFound && !strings.Contains(got.body, `"status":404`)
			}
			if !there {
				t.Errorf("%s, %s %s: the owner does not find it either", sh.Name, sl.in, sl.name)
			}
		}
	}
}
