package readmodel_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/events"
	"waybill/events/search"
)

// The sample of the published truth table.
var (
	org, otherOrg         = number(1), number(2)
	allGroup              = number(10)
	apple, banana, orange = number(11), number(12), number(13)
	old                   = number(14) // archived
	foreign               = number(15) // of the other organisation
	vans                  = map[string]uuid.UUID{"van of Apple": number(21), "van of none": number(22)}
	people                = map[string]uuid.UUID{"Adam": number(31), "Betty": number(32), "Ortega": number(33),
		"Vincent": number(34), "Wayne": number(35), "Nobody": number(36), "Otto": number(37), "Foreigner": number(38)}
	drops = map[string]uuid.UUID{"D1": number(41), "D2": number(42), "D3": number(43), "D4": number(44),
		"D5": number(45), "D6": number(46)}
	customers = map[string]uuid.UUID{"Apple Ltd": number(51), "Banana Ltd": number(52)}
)

func sample() *history {
	h := newHistory()
	group := func(o, id uuid.UUID, p *events.GroupCreated) { h.happens(events.CategoryGroup, o, id, p) }
	group(org, allGroup, &events.GroupCreated{Kind: events.GroupKindAll, Name: "ALL",
		Organisation: &events.Organisation{Name: "Fruit Movers", Kind: events.OrganisationOperator, Timezone: "Asia/Singapore"}})
	group(org, apple, &events.GroupCreated{Kind: events.GroupKindStandard, Name: "Apple"})
	group(org, banana, &events.GroupCreated{Kind: events.GroupKindStandard, Name: "Banana"})
	group(org, orange, &events.GroupCreated{Kind: events.GroupKindStandard, Name: "Orange"})
	group(org, old, &events.GroupCreated{Kind: events.GroupKindStandard, Name: "Old"})
	group(otherOrg, foreign, &events.GroupCreated{Kind: events.GroupKindStandard, Name: "Foreign"})
	h.happens(events.CategoryGroup, org, apple, &events.CustomerCodeMapped{Code: "APL"})
	h.happens(events.CategoryGroup, org, allGroup, &events.VehicleAddedToGroup{Vehicle: vans["van of Apple"], Name: "van of Apple"})
	h.happens(events.CategoryGroup, org, allGroup, &events.VehicleAddedToGroup{Vehicle: vans["van of none"], Name: "van of none"})
	h.happens(events.CategoryGroup, org, apple, &events.VehicleAddedToGroup{Vehicle: vans["van of Apple"]})

	for name, groups := range map[string][]uuid.UUID{"Adam": {apple}, "Betty": {banana}, "Ortega": {orange}, "Vincent": nil,
		"Wayne": {apple, banana, orange}, "Nobody": {}, "Otto": {old}} {
		id := people[name]
		h.happens(events.CategoryUser, org, id, &events.UserAdded{Identity: number(900), Role: "customer", Access: events.AccessGroups,
			Name: events.PersonalText(id, name), Email: events.PersonalText(id, name+"@example.com")})
		for _, g := range groups {
			h.happens(events.CategoryUser, org, id, &events.GroupAccessGranted{Grant: uuid.NewSHA1(id, g[:]), Group: g, Basis: events.BasisDirect})
		}
		if groups == nil {
			h.happens(events.CategoryUser, org, id, &events.AllGroupsAccessGranted{Grant: uuid.NewSHA1(id, nil), Basis: events.BasisNoGroupsAtCreation})
		}
	}
	gone := number(39) // Nobody had Apple, and lost it
	h.happens(events.CategoryUser, org, people["Nobody"], &events.GroupAccessGranted{Grant: gone, Group: apple, Basis: events.BasisDirect})
	h.happens(events.CategoryUser, org, people["Nobody"], &events.GroupAccessRevoked{Grant: gone, Group: apple})
	h.happens(events.CategoryUser, org, people["Nobody"], &events.GroupAccessRequested{Request: number(41), Group: apple, By: people["Vincent"]})
	h.happens(events.CategoryUser, org, people["Betty"], &events.GroupAccessRequested{Request: number(42), Group: apple, By: people["Vincent"]})
	h.happens(events.CategoryUser, org, people["Wayne"], &events.GroupAccessRequested{Request: number(43), Group: banana, By: people["Vincent"]})
	id := people["Foreigner"]
	h.happens(events.CategoryUser, otherOrg, id, &events.UserAdded{Identity: number(900), Role: "owner", Access: events.AccessAll,
		Name: events.PersonalText(id, "Foreigner"), Email: events.PersonalText(id, "f@example.com")})
	h.happens(events.CategoryUser, otherOrg, id, &events.AllGroupsAccessGranted{Grant: number(40), Basis: events.BasisRole})

	for name, c := range map[string]struct{ group, dispatcher uuid.UUID }{"Apple Ltd": {apple, people["Betty"]}, "Banana Ltd": {banana, uuid.Nil}} {
		id := customers[name]
		h.happens(events.CategoryClientAccount, org, id, &events.ClientAdded{BusinessName: name, Email: events.PersonalText(id, "c@example.com")})
		h.happens(events.CategoryClientAccount, org, id, &events.ClientGroupLinked{Group: c.group})
		if c.dispatcher != uuid.Nil {
			h.happens(events.CategoryClientAccount, org, id, &events.DispatcherAssigned{To: c.dispatcher})
		}
	}
	for name, tagged := range map[string]struct{ org, group uuid.UUID }{"D1": {org, apple}, "D2": {org, banana}, "D3": {org, orange},
		"D4": {org, uuid.Nil}, "D5": {org, old}, "D6": {otherOrg, foreign}} {
		h.happens(events.CategoryDelivery, tagged.org, drops[name], &events.DeliveryCreated{DONumber: name, Type: events.TypeDelivery,
			Date: "2026-03-02", Group: tagged.group, Attempt: 1, Items: []events.Item{{ID: "1", Description: name, Quantity: 1}}})
	}
	h.happens(events.CategoryGroup, org, old, &events.GroupArchived{})
	return h
}

// asker is what access says of a caller to the database.
type asker struct {
	org, user uuid.UUID
	all       bool
	groups    []string
	may       []string
	search    string // a word
}

// caller looks a user up as access does: its open grants on active groups.
func (b *bench) caller(t *testing.T, user uuid.UUID, may ...string) asker {
	t.Helper()
	a := asker{user: user, may: may}
	err := b.pools.Identity.QueryRow(t.Context(), `
		SELECT u.org_id,
		       EXISTS (SELECT FROM read.grants g WHERE g.user_id = u.user_id AND g.ended_at IS NULL AND g.group_id IS NULL),
		       ARRAY(SELECT g.group_id::text FROM read.grants g JOIN read.groups r ON r.group_id = g.group_id AND r.status = 'active'
		             WHERE g.user_id = u.user_id AND g.ended_at IS NULL)
		FROM read.users u
		WHERE u.user_id = $1 AND u.status <> 'blocked'`, user.String()).Scan(&a.org, &a.all, &a.groups)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (a asker) settings(b *pgx.Batch) {
	set := func(name, value string) { b.Queue(`SELECT set_config($1, $2, true)`, name, value) }
	set("waybill.org", a.org.String())
	set("waybill.user", a.user.String())
	set("waybill.groups", strings.Join(a.groups, ","))
	if a.all {
		set("waybill.all", "on")
	}
	for _, p := range a.may {
		set("waybill."+p, "on")
	}
	if a.search != "" {
		set("waybill.grams", strings.NewReplacer("[", "{", "]", "}", " ", ",").Replace(fmt.Sprint(search.Grams(a.org, a.search))))
	}
}

// sees returns the first column of a query as the reader role, sorted.
func (b *bench) sees(t *testing.T, a asker, sql string) string {
	t.Helper()
	batch := &pgx.Batch{}
	a.settings(batch)
	var rows []string
	batch.Queue(sql).Query(func(r pgx.Rows) (err error) {
		rows, err = pgx.CollectRows(r, pgx.RowTo[string])
		return err
	})
	if err := b.pools.Reader.SendBatch(t.Context(), batch).Close(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(rows)
	return strings.Join(rows, " ")
}

func TestTheTruthTableHoldsInEveryTableByTheDatabaseAlone(t *testing.T) {
	t.Parallel()
	h := sample()
	b := newBench(t, h.codec)
	b.project(t, h.records)
	for user, want := range map[string]string{
		"Adam": "D1", "Betty": "D2", "Ortega": "D3", "Vincent": "D1 D2 D3 D4 D5", "Wayne": "D1 D2 D3",
		"Nobody": "", "Otto": "", "Foreigner": "D6",
	} {
		a := b.caller(t, people[user])
		for what, sql := range map[string]string{
			"a list":      `SELECT do_number FROM read.deliveries`,
			"the items":   `SELECT description FROM read.delivery_items`,
			"the details": `SELECT details::text FROM read.deliveries`,
			"by number":   `SELECT do_number FROM read.deliveries WHERE do_number LIKE 'D%'`,
		} {
			got := b.sees(t, a, sql)
			if what == "the details" {
				got = ""
				for d := range strings.SplitSeq(want, " ") {
					if d != "" && !strings.Contains(b.sees(t, a, sql), `"do_number":"`+d+`"`) {
						t.Errorf("%s does not see the details of %s", user, d)
					}
				}
				if n := strings.Count(b.sees(t, a, sql), `"do_number"`); n != len(strings.Fields(want)) {
					t.Errorf("%s sees the details of %d deliveries, want %d", user, n, len(strings.Fields(want)))
				}
				continue
			}
			if got != want {
				t.Errorf("%s sees in %s: %q, want %q", user, what, got, want)
			}
		}
		n := fmt.Sprint(len(strings.Fields(want)))
		for what, sql := range map[string]string{
			"the counts":   `SELECT coalesce(sum(count), 0)::text FROM read.progress`,
			"the timeline": `SELECT count(*)::text FROM read.delivery_timeline`,
			"a count":      `SELECT count(*)::text FROM read.deliveries`,
		} {
			if got := b.sees(t, a, sql); got != n {
				t.Errorf("%s sees in %s: %s, want %s", user, what, got, n)
			}
		}
		for name, id := range drops {
			want := map[bool]string{true: name}[slices.Contains(strings.Fields(want), name)]
			if got := b.sees(t, a, `SELECT do_number FROM read.deliveries WHERE delivery_id = '`+id.String()+`'`); got != want {
				t.Errorf("%s asks for %s by id and sees %q, want %q", user, name, got, want)
			}
		}
	}
}

func TestPeopleClientsGroupsAndVehiclesAreSeenByTheirRules(t *testing.T) {
	t.Parallel()
	h := sample()
	b := newBench(t, h.codec)
	b.project(t, h.records)
	const (
		users    = `SELECT name FROM read.users`
		clients  = `SELECT business_name FROM read.clients`
		groups   = `SELECT name FROM read.groups`
		vehicles = `SELECT name FROM read.vehicles`
		codes    = `SELECT code FROM read.customer_codes`
		asked    = `SELECT u.name || ' for ' || r.name FROM read.access_requests a JOIN read.users u USING (user_id) JOIN read.groups r USING (group_id)`
		grants   = `SELECT coalesce(r.name, 'ALL') FROM read.grants g LEFT JOIN read.groups r USING (group_id)`
	)
	for _, c := range []struct{ user, may, sql, want string }{
		{"Adam", "", users, "Adam"},
		{"Adam", "manage_users", users, "Adam Wayne"}, // not Nobody, whose grant has ended
		{"Betty", "manage_users", users, "Betty Wayne"},
		{"Nobody", "manage_users", users, "Nobody"},
		{"Vincent", "", users, "Adam Betty Nobody Ortega Otto Vincent Wayne"},
		{"Adam", "", grants, "Apple"},
		{"Adam", "manage_users", grants, "Apple Apple"}, // of Wayne only the overlap
		{"Vincent", "", grants, "ALL Apple Apple Apple Banana Banana Old Orange Orange"},
		{"Vincent", "", asked, "Betty for Apple Nobody for Apple Wayne for Banana"},
		{"Wayne", "", asked, "Wayne for Banana"},
		{"Wayne", "manage_users", asked, "Betty for Apple Wayne for Banana"}, // not Nobody, who has no group of Wayne's
		{"Adam", "manage_users", asked, ""},                                  // Betty is not seen with Apple alone
		{"Betty", "", asked, ""},                                             // of a group that is not hers she learns nothing
		{"Adam", "", clients, "Apple Ltd"},
		{"Betty", "", clients, "Apple Ltd Banana Ltd"}, // the dispatcher of one, the group of the other
		{"Ortega", "", clients, ""},
		{"Vincent", "", clients, "Apple Ltd Banana Ltd"},
		{"Wayne", "", groups, "Apple Banana Orange"},
		{"Otto", "", groups, ""}, // archived
		{"Vincent", "", groups, "ALL Apple Banana Old Orange"},
		{"Adam", "view_vehicles", vehicles, "van of Apple"},
		{"Betty", "view_vehicles", vehicles, ""},
		{"Vincent", "view_vehicles", vehicles, "van of Apple van of none"},
		{"Vincent", "", vehicles, ""},
		{"Adam", "", vehicles, ""},
		{"Adam", "", codes, "APL"},
		{"Betty", "", codes, ""},
	} {
		a := b.caller(t, people[c.user])
		if c.may != "" {
			a.may = []string{c.may}
		}
		if got := b.sees(t, a, c.sql); got != c.want {
			t.Errorf("%s (%s) sees %q, want %q: %s", c.user, c.may, got, c.want, c.sql)
		}
	}
}

func TestWithoutSettingsThereIsNoRowAndNoneIsLeftOnAPooledConnection(t *testing.T) {
	t.Parallel()
	h := sample()
	b := newBench(t, h.codec)
	b.project(t, h.records)
	conn, err := b.pools.Reader.Acquire(t.Context()) // one connection, as the pool hands it out again
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	nothing := func(when string) {
		t.Helper()
		for _, table := range readTables {
			var n int
			if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM read.`+table).Scan(&n); err != nil || n != 0 {
				t.Errorf("%s, the reader sees %d rows of read.%s (%v)", when, n, table, err)
			}
		}
	}
	nothing("before any settings")
	a := b.caller(t, people["Vincent"], "manage_users", "view_vehicles")
	for when, query := range map[string]string{
		"after a batch":        `SELECT 1 FROM read.deliveries`,
		"after a failed batch": `SELECT 1/0 FROM read.deliveries`,
	} {
		batch := &pgx.Batch{}
		a.settings(batch)
		batch.Queue(query)
		_ = conn.SendBatch(t.Context(), batch).Close()
		nothing(when)
	}
	batch := &pgx.Batch{}
	a.settings(batch)
	for _, table := range readTables {
		if table == "delivery_search" {
			continue // seen in a search only, which has a test of its own
		}
		batch.Queue(`SELECT count(*) FROM read.` + table).QueryRow(func(r pgx.Row) error {
			var n int
			if err := r.Scan(&n); err != nil || n == 0 {
				t.Errorf("with settings, Vincent sees nothing of read.%s (%v): the test would prove nothing", table, err)
			}
			return nil
		})
	}
	if err := conn.SendBatch(context.Background(), batch).Close(); err != nil {
		t.Fatal(err)
	}
}
