package main

import (
	"slices"

	"github.com/google/uuid"
)

// asker is who asks or commands: a user with a session, or an API key of it.
type asker struct {
	*muser
	key *mkey
}

// awake reports whether anybody is let in.
func (a asker) awake() bool {
	return a.status == "active" && (a.key == nil || !a.key.over && (a.key.ends.IsZero() || a.of.time.Now().Before(a.key.ends)))
}

// may is R8: the role and its switches, as they stand, and no more than the key
// gives.
func (a asker) may(permission string) bool {
	return slices.Contains(a.permissions(), permission)
}

func (a asker) permissions() []string {
	may := a.muser.may()
	if a.key != nil && a.key.may != nil {
		may = slices.DeleteFunc(may, func(p string) bool { return !slices.Contains(a.key.may, p) })
	}
	return may
}

// narrowed keys are of no role.
func (a asker) narrowed() bool { return a.key != nil && (a.key.chosen || a.key.may != nil) }

// everything is the scope ALL.
func (a asker) everything() bool { return a.all && (a.key == nil || !a.key.chosen) }

// sees is R2 for groups, with what a key leaves of it. The nil group is that of
// untagged deliveries: R4.
func (a asker) sees(g *mgroup) bool {
	switch {
	case !a.awake(), g != nil && g.of != a.of:
		return false
	case a.everything():
		return true
	case g == nil, g.status != "active", a.key != nil && a.key.chosen && !slices.Contains(a.key.groups, g):
		return false
	}
	return a.all || slices.Contains(a.groups(), g) // R5
}

// seen are the groups through which somebody without ALL sees.
func (a asker) seen() []*mgroup {
	var seen []*mgroup
	for _, g := range a.of.groups {
		if a.sees(g) {
			seen = append(seen, g)
		}
	}
	return seen
}

// seesDelivery is R3 and R4.
func (a asker) seesDelivery(d *mdelivery) bool {
	return d.of == a.of && !d.deleted && a.sees(d.group)
}

// seesVehicle is R6.
func (a asker) seesVehicle(v *mvehicle) bool {
	if !a.awake() || v.of != a.of || v.gone || !a.may("view_vehicles") {
		return false
	}
	return a.everything() || slices.ContainsFunc(a.seen(), func(g *mgroup) bool { return slices.Contains(g.vehicles, v) })
}

// seesUser is the first half of R7.
func (a asker) seesUser(u *muser) bool {
	switch {
	case !a.awake(), u.of != a.of:
		return false
	case a.everything(), u == a.muser:
		return true
	}
	return a.may("manage_users") && slices.ContainsFunc(u.groups(), a.sees)
}

// seesClient is the second half of R7. A key for some groups looks after nobody.
func (a asker) seesClient(k *mclient) bool {
	if !a.awake() || k.of != a.of {
		return false
	}
	return a.everything() || k.dispatcher == a.muser && (a.key == nil || !a.key.chosen) || k.group != nil && a.sees(k.group)
}

// seesAny reports whether somebody sees something, of whatever kind it is.
func (a asker) seesAny(one any) bool {
	switch one := one.(type) {
	case *mdelivery:
		return a.seesDelivery(one)
	case *mgroup:
		return a.sees(one)
	case *muser:
		return a.seesUser(one)
	case *mclient:
		return a.seesClient(one)
	case *mvehicle:
		return a.seesVehicle(one)
	}
	return false
}

// view is what somebody sees of an organisation, list by list.
type view map[string][]uuid.UUID

// lists are the names of what is listed.
func lists() []string { return []string{"deliveries", "groups", "users", "clients", "vehicles"} }

// viewOf is everything that somebody sees.
func viewOf(a asker) view {
	s := view{}
	for _, d := range a.of.deliveries {
		if a.seesDelivery(d) {
			s["deliveries"] = append(s["deliveries"], d.id)
		}
	}
	for _, g := range a.of.groups {
		if a.sees(g) {
			s["groups"] = append(s["groups"], g.id)
		}
	}
	for _, u := range a.of.users {
		if a.seesUser(u) {
			s["users"] = append(s["users"], u.id)
		}
	}
	for _, k := range a.of.clients {
		if a.seesClient(k) {
			s["clients"] = append(s["clients"], k.id)
		}
	}
	for _, v := range a.of.vehicles {
		if a.seesVehicle(v) {
			s["vehicles"] = append(s["vehicles"], v.id)
		}
	}
	return s
}
