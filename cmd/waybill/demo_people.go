package main

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/events"
)

// demoGroup is one group with what stands in its table rows.
type demoGroup struct {
	ID                uuid.UUID
	Name              string
	Deliveries, Items int
}

// person is one user of the demo.
type person struct {
	Name, Email, Role string
	All               bool
	Groups            []demoGroup // meaningless with All
	User, Identity    uuid.UUID   // known once added
}

// named are the clients of the sample's first groups, as in the truth table.
var named = map[string]string{"Apple": "Adam", "Banana": "Betty", "Orange": "Ortega"}

// groups returns the organisation's groups by name, with their deliveries and
// items counted by SQL, past row-level security; the group without id stands for
// the untagged ones.
func (d *demo) groups(ctx context.Context) (groups []demoGroup, untagged demoGroup, err error) {
	rows, err := d.s.pools.Projector.Query(ctx, `
		SELECT g.group_id, g.name, count(d.delivery_id), coalesce(sum(d.item_count), 0)
		FROM read.groups g
		LEFT JOIN read.deliveries d ON d.org_id = g.org_id AND d.group_id = g.group_id
		WHERE g.org_id = $1 AND g.kind = 'standard'
		GROUP BY g.group_id, g.name
		UNION ALL
		SELECT '00000000-0000-0000-0000-000000000000', '', count(*), coalesce(sum(item_count), 0)
		FROM read.deliveries
		WHERE org_id = $1 AND group_id IS NULL
		ORDER BY 2`, d.org.ID)
	if err == nil {
		groups, err = pgx.CollectRows(rows, pgx.RowToStructByPos[demoGroup])
	}
	if err != nil {
		return nil, untagged, access.Storage(fmt.Errorf("count deliveries: %w", err))
	}
	return groups[1:], groups[0], nil // the empty name comes first
}

// people plans who there is: the owner, a manager with everything, an employee in
// several groups, and one client user per group.
func (d *demo) people(ctx context.Context) ([]person, error) {
	groups, _, err := d.groups(ctx)
	if err != nil {
		return nil, err
	}
	several := groups[:min(3, len(groups))]
	if d.cmd.File == "" {
		several = nil
		for _, g := range groups {
			if named[g.Name] != "" {
				several = append(several, g)
			}
		}
	}
	people := []person{d.owner, {Name: "Vincent", Email: d.email("vincent"), Role: access.RoleManager, All: true}}
	if len(several) > 1 {
		people = append(people, person{Name: "Wayne", Email: d.email("wayne"), Role: access.RoleCSO, Groups: several})
	}
	taken := map[string]bool{}
	for _, g := range groups {
		name, mail := "Client "+g.Name, "client-"+slugOf(g.Name)
		if first := named[g.Name]; first != "" && d.cmd.File == "" {
			name, mail = first, slugOf(first)
		}
		if taken[mail] { // two names with the same letters
			mail += "-" + g.ID.String()[:8]
		}
		taken[mail] = true
		people = append(people, person{Name: name, Email: d.email(mail), Role: access.RoleCustomer, Groups: []demoGroup{g}})
	}
	return people, nil
}

// adders is how many users are added at a time.
const adders = 8

// add makes the users, and waits until the read models know them.
func (d *demo) add(ctx context.Context, people []person) error {
	work, working := errgroup.WithContext(ctx)
	work.SetLimit(adders)
	at := make([]events.Position, len(people))
	for i := range people {
		if people[i].User != uuid.Nil {
			continue // the owner came with the organisation
		}
		work.Go(func() error {
			p := &people[i]
			in := command.AddUser{Name: p.Name, Email: p.Email, Role: p.Role}
			for _, g := range p.Groups {
				in.Groups = append(in.Groups, g.ID)
			}
			added, err := d.s.commands.AddUser(working, access.System(d.org.ID), d.envelope("user "+p.Email), in)
			if err != nil {
				return fmt.Errorf("add user %s: %w", p.Email, err)
			}
			p.User, p.Identity, at[i] = added.ID, added.Identity, added.Position
			return nil
		})
	}
	if err := work.Wait(); err != nil {
		return err
	}
	for _, p := range at {
		if err := d.s.progress.Wait(ctx, p); err != nil {
			return err
		}
	}
	return nil
}
