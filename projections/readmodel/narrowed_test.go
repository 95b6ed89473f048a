package readmodel_test

import (
	"testing"

	"github.com/google/uuid"
)

func TestAKeyForSomeGroupsSeesWhatIsTheirsAndNothingForBeingItsUser(t *testing.T) {
	t.Parallel()
	h := sample()
	b := newBench(t, h.codec)
	b.project(t, h.records)
	const (
		deliveries = `SELECT do_number FROM read.deliveries`
		clients    = `SELECT business_name FROM read.clients`
		grants     = `SELECT coalesce(r.name, 'ALL') FROM read.grants g LEFT JOIN read.groups r USING (group_id)`
		users      = `SELECT name FROM read.users`
		asked      = `SELECT group_id::text FROM read.access_requests`
		vehicles   = `SELECT name FROM read.vehicles`
		counts     = `SELECT coalesce(sum(count), 0)::text FROM read.progress`
	)
	for _, c := range []struct {
		user      string
		key       []uuid.UUID // nil: not for some groups
		sql, want string
	}{
		{"Betty", nil, clients, "Apple Ltd Banana Ltd"}, // the dispatcher of one, the group of the other
		{"Betty", []uuid.UUID{banana}, clients, "Banana Ltd"},
		{"Betty", []uuid.UUID{}, clients, ""},
		{"Betty", []uuid.UUID{}, grants, ""},
		{"Wayne", []uuid.UUID{apple}, deliveries, "D1"},
		{"Wayne", []uuid.UUID{apple}, clients, "Apple Ltd"},
		{"Wayne", []uuid.UUID{apple}, grants, "Apple"},
		{"Wayne", []uuid.UUID{apple}, users, "Wayne"},
		{"Wayne", []uuid.UUID{apple}, asked, ""}, // his is for Banana
		{"Vincent", []uuid.UUID{apple}, deliveries, "D1"},
		{"Vincent", []uuid.UUID{apple}, counts, "1"},
		{"Vincent", []uuid.UUID{apple}, clients, "Apple Ltd"},
		{"Vincent", []uuid.UUID{apple}, grants, ""}, // his is on everything
		{"Vincent", []uuid.UUID{apple}, users, "Vincent"},
		{"Vincent", []uuid.UUID{banana}, vehicles, ""},
		{"Vincent", []uuid.UUID{apple}, vehicles, "van of Apple"},
	} {
		a := b.caller(t, people[c.user], "view_vehicles")
		if c.key != nil {
			a.all, a.groups, a.may = false, nil, append(a.may, "narrowed")
			for _, g := range c.key {
				a.groups = append(a.groups, g.String())
			}
		}
		if got := b.sees(t, a, c.sql); got != c.want {
			t.Errorf("a key of %s for %d groups sees %q, want %q: %s", c.user, len(c.key), got, c.want, c.sql)
		}
	}
}
