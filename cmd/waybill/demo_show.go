package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"waybill/aggregates/access"
)

// shown is what a demo ends with, as --json tells it.
type shown struct {
	Organisation string        `json:"organisation"`
	ID           uuid.UUID     `json:"organisation_id"`
	Import       importSummary `json:"import"`
	Deliveries   int           `json:"deliveries"` // in the read models, counted by SQL
	Items        int           `json:"items"`
	Untagged     int           `json:"untagged"`
	GroupsInAll  int           `json:"groups"`
	PerGroup     []shownGroup  `json:"per_group"`
	Users        []shownUser   `json:"users"`
	Clients      []shownClient `json:"clients"`                       // both ways to an account
	Numbers      []string      `json:"truth_table_columns,omitempty"` // D.O. numbers
	URL          string        `json:"url,omitzero"`
	Storage      string        `json:"storage"`
	Mail         string        `json:"mail,omitzero"` // where it goes
	curlEmail    string        // whose link the curl lines use
	curlToken    access.Token
}

type shownGroup struct {
	Name       string `json:"name"`
	Deliveries int    `json:"deliveries"` // by SQL
	Manager    int    `json:"manager"`    // as the manager sees it through the query API
}

type shownUser struct {
	Name       string   `json:"name"`
	Email      string   `json:"email"`
	Role       string   `json:"role"`
	Groups     []string `json:"groups"`               // names; ["ALL"] with everything
	Deliveries int      `json:"deliveries"`           // through the query API
	Truth      []bool   `json:"truth_table,omitzero"` // per number of the truth table
	Link       string   `json:"link,omitzero"`
}

// truthTable are the D.O. numbers of the sample's truth table, and what the
// columns are called.
var truthTable = []struct{ number, group string }{{"D1", "Apple"}, {"D2", "Banana"}, {"D3", "Orange"}, {"D4", "untagged"}}

// show asks as everybody and compares with what SQL counts: who sees more or less
// than the deliveries of the own groups is an error.
func (d *demo) show(ctx context.Context, people []person) (*shown, error) {
	v, err := d.viewer()
	if err != nil {
		return nil, err
	}
	groups, untagged, err := d.groups(ctx)
	if err != nil {
		return nil, err
	}
	callers, status, err := d.callers(ctx)
	if err != nil {
		return nil, err
	}
	out := &shown{Organisation: d.org.Name, ID: d.org.ID, Import: d.imports, URL: d.base, Storage: d.s.storage.String(),
		Deliveries: untagged.Deliveries, Items: untagged.Items, Untagged: untagged.Deliveries, GroupsInAll: len(groups)}
	byID := map[uuid.UUID]demoGroup{}
	for _, g := range groups {
		byID[g.ID] = g
		out.Deliveries += g.Deliveries
		out.Items += g.Items
	}
	if d.cmd.File == "" {
		for _, t := range truthTable {
			out.Numbers = append(out.Numbers, t.number)
		}
	}
	for _, p := range people {
		c, ok := callers[p.User]
		if !ok {
			continue // blocked since an earlier run
		}
		u, err := d.look(ctx, v, p, c, out, byID)
		if err != nil {
			return nil, err
		}
		out.Users = append(out.Users, u)
	}
	if err := d.managerPerGroup(ctx, v, callers[managerOf(people).User], groups, out); err != nil {
		return nil, err
	}
	if d.base != "" {
		out.Mail = d.s.mailWay()
		err = d.links(ctx, people, status, out)
	}
	return out, err
}

// look counts what one user sees.
func (d *demo) look(ctx context.Context, v *viewer, p person, c access.Caller, out *shown, byID map[uuid.UUID]demoGroup) (shownUser, error) {
	u := shownUser{Name: p.Name, Email: p.Email, Role: c.Role, Groups: []string{}}
	want := 0
	if c.All {
		u.Groups, want = []string{"ALL"}, out.Deliveries
	} else {
		for _, id := range c.Groups {
			u.Groups = append(u.Groups, byID[id].Name)
			want += byID[id].Deliveries
		}
		slices.Sort(u.Groups)
	}
	var err error
	if u.Deliveries, err = v.count(ctx, c, ""); err != nil {
		return u, err
	}
	if u.Deliveries != want {
		return u, fmt.Errorf("user %s sees %d deliveries through the API, and its groups hold %d by SQL: please report this", p.Email, u.Deliveries, want)
	}
	for _, number := range out.Numbers {
		sees, err := v.sees(ctx, c, number)
		if err != nil {
			return u, err
		}
		u.Truth = append(u.Truth, sees)
	}
	return u, nil
}

func managerOf(people []person) person {
	return people[slices.IndexFunc(people, func(p person) bool { return p.Role == access.RoleManager })]
}

// managerPerGroup counts every group as the manager sees it.
func (d *demo) managerPerGroup(ctx context.Context, v *viewer, manager access.Caller, groups []demoGroup, out *shown) error {
	for _, g := range groups {
		n, err := v.count(ctx, manager, g.ID.String())
		if err != nil {
			return err
		}
		if n != g.Deliveries && manager.All {
			return fmt.Errorf("the manager sees %d deliveries of group %s through the API, and SQL counts %d: please report this", n, g.Name, g.Deliveries)
		}
		out.PerGroup = append(out.PerGroup, shownGroup{Name: g.Name, Deliveries: g.Deliveries, Manager: n})
	}
	return nil
}

// linksShown is how many people get their link printed; the others' are had with
// waybill sign-in-link.
const linksShown = 9

// links makes one-time links for the first people, who are of every kind. The
// curl lines are those of the first client.
func (d *demo) links(ctx context.Context, people []person, status map[uuid.UUID]string, out *shown) error {
	for i := range out.Users[:min(linksShown, len(out.Users))] {
		u := &out.Users[i]
		for _, p := range people {
			if p.Email != u.Email {
				continue
			}
			of := member{Membership: access.Membership{Identity: p.Identity, Org: d.org.ID, User: p.User, Status: status[p.User]}, Email: p.Email}
			token, _, err := d.s.link(ctx, of)
			if err != nil {
				return err
			}
			u.Link = linkOf(d.base, token, p.Email)
			if out.curlEmail == "" && p.Role == access.RoleCustomer {
				out.curlEmail, out.curlToken = p.Email, token
			}
		}
	}
	return nil
}
