package main

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// The independent slow model: plain lists of what is the case, from which sight is
// found by looking at all of them, as the rules R2 to R9 are written. It knows
// nothing of events, deciders or tables.

// tenant is an organisation.
type tenant struct {
	id, all    uuid.UUID // all is its ALL group
	time       *handClock
	field      bool // the Group field is on
	users      []*muser
	groups     []*mgroup
	vehicles   []*mvehicle
	clients    []*mclient
	deliveries []*mdelivery
	codes      map[string]*mgroup // by their normal form
	order      string             // of dates in files, where a group says nothing
	zone       *time.Location
	imported   map[dkey]bool // what an import has created: no other does so again
	files      []mfile       // that were sent
}

// muser is a user.
type muser struct {
	id             uuid.UUID
	of             *tenant
	email, role    string
	status, before string // before it was blocked
	all            bool   // the scope ALL
	grants         []*mgrant
	requests       []*mrequest
	switches       map[string]bool

	invited        bool // there is an invitation of its own
	withdrawn      bool // which was revoked, or has expired
	invitationEnds time.Time
	held           bool     // blocked by somebody
	blockedFor     *mclient // whose logins have ended

	token string // of an open session; empty: none
	stale string // of one that must not work any more
	keys  []*mkey
}

type mgrant struct {
	group *mgroup
	basis string
	from  any       // what the basis points to
	ends  time.Time // zero: never
}

type mrequest struct {
	id    uuid.UUID
	group *mgroup
	by    *muser
	ends  time.Time
}

// mkey is an API key.
type mkey struct {
	id     uuid.UUID
	user   *muser
	token  string
	may    []string  // nil: what its user may
	groups []*mgroup // with chosen: no more than these
	chosen bool
	ends   time.Time

	over, revoked bool // it works no more; its user has ended it
}

type mgroup struct {
	id       uuid.UUID
	of       *tenant
	name     string
	status   string // active, archived or merged
	into     *mgroup
	client   *mclient
	vehicles []*mvehicle
	order    string // of dates in its files
}

type mvehicle struct {
	id          uuid.UUID
	of          *tenant
	name, plate string
	gone        bool
}

type mclient struct {
	id          uuid.UUID
	of          *tenant
	name, email string
	dispatcher  *muser
	group       *mgroup
	mode        string // empty: no account
	withdrawn   bool   // the approval
	approved    []time.Time
	contact     *muser
	removed     bool
	fate        string
	invitation  uuid.UUID // the last one
	accepted    uuid.UUID // the one that was accepted
	open        bool      // it was not answered, withdrawn or found to be over
	invitedTo   string    // the e-mail
	ends        time.Time
}

type mdelivery struct {
	id                uuid.UUID
	of                *tenant
	kind, number, day string
	group             *mgroup
	vehicle           *mvehicle
	status, held      string
	arrived           bool
	concluded         bool // had an outcome once
	attempt           int
	next              *mdelivery
	deleted           bool
	quantity          int // of its one item
	rejected          int // of a partial completion
}

// permissionsOf are the defaults of a role.
func permissionsOf(role string) []string {
	switch role {
	case "owner", "super_admin":
		return []string{"export_deliveries", "update_status", "create_deliveries", "delete_deliveries", "assign_vehicles", "view_vehicles",
			"manage_vehicles", "manage_users", "manage_groups", "manage_clients", "grant_all_access", "view_audit", "manage_webhooks"}
	case "manager":
		return []string{"export_deliveries", "update_status", "create_deliveries", "delete_deliveries", "assign_vehicles", "view_vehicles",
			"manage_vehicles", "manage_users", "manage_groups", "manage_clients"}
	case "dispatcher":
		return []string{"export_deliveries", "update_status", "create_deliveries", "assign_vehicles", "view_vehicles"}
	case "cso":
		return []string{"export_deliveries", "update_status", "create_deliveries", "view_vehicles"}
	case "customer":
		return []string{"export_deliveries", "view_vehicles"}
	case "auditor":
		return []string{"export_deliveries", "view_vehicles", "view_audit"}
	}
	return nil
}

// holdsAll: owners and super admins always have ALL.
func holdsAll(role string) bool { return role == "owner" || role == "super_admin" }

// effective are the defaults of a role with switches.
func effective(role string, switches map[string]bool) []string {
	var may []string
	for _, p := range permissionsOf("owner") {
		on, said := switches[p]
		if said && on || !said && slices.Contains(permissionsOf(role), p) {
			may = append(may, p)
		}
	}
	return may
}

func (u *muser) may() []string { return effective(u.role, u.switches) }

// present: neither of another organisation's making, nor removed.
func (u *muser) present() bool { return u.status != "removed" }

// open are the grants that hold now.
func (u *muser) open() []*mgrant {
	var open []*mgrant
	for _, g := range u.grants {
		if g.ends.IsZero() || u.of.time.Now().Before(g.ends) {
			open = append(open, g)
		}
	}
	return open
}

// groups are those of the open grants, each once.
func (u *muser) groups() []*mgroup {
	var groups []*mgroup
	for _, g := range u.open() {
		if !slices.Contains(groups, g.group) {
			groups = append(groups, g.group)
		}
	}
	return groups
}

// until is when the user's sight of a group ends; zero: never.
func (u *muser) until(g *mgroup) time.Time {
	var last time.Time
	for _, o := range u.open() {
		switch {
		case o.group != g:
		case o.ends.IsZero():
			return time.Time{}
		case o.ends.After(last):
			last = o.ends
		}
	}
	return last
}

// end ends grants. Those whose time is over are over already.
func (u *muser) end(which func(*mgrant) bool) {
	u.grants = slices.DeleteFunc(u.grants, which)
}

// owners are who can act as one: the last of them stays.
func (o *tenant) owners() int {
	n := 0
	for _, u := range o.users {
		if u.role == "owner" && u.status == "active" {
			n++
		}
	}
	return n
}

// manageable: nobody works on what belongs to a client that has withdrawn its
// approval, or was removed.
func (g *mgroup) manageable() bool {
	return g == nil || g.client == nil || !g.client.removed && !(g.client.mode != "" && g.client.withdrawn)
}

// isOpen reports whether the client's invitation can be answered.
func (k *mclient) isOpen() bool {
	return k.open && !k.removed && k.mode == "" && k.of.time.Now().Before(k.ends)
}
