package main

import (
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"waybill/events"
)

// seen is who sees what, found out from the events alone, slowly: what an auditor
// has to be able to do.
type seen struct {
	users      map[uuid.UUID]*seenUser
	groups     map[uuid.UUID]bool // in use
	deliveries map[uuid.UUID]uuid.UUID
	vehicles   map[uuid.UUID]map[uuid.UUID]bool // in which groups, the ALL group among them
}

type seenUser struct {
	gone   bool
	all    uuid.UUID // the event that gave everything
	grants []seenGrant
}

type seenGrant struct {
	id, event, group uuid.UUID
	end              time.Time // zero: open end
}

// replay compares who sees what after every event with sight.txt, and by which
// fact.
func (w *worked) replay(log []logged, facts map[uuid.UUID]string) {
	w.Helper()
	m := seen{map[uuid.UUID]*seenUser{}, map[uuid.UUID]bool{}, map[uuid.UUID]uuid.UUID{}, map[uuid.UUID]map[uuid.UUID]bool{}}
	changes := 0
	for i, ev := range log {
		switch ev.Payload.(type) {
		case *events.AllGroupsAccessGranted, *events.GroupAccessGranted, *events.GroupAccessRevoked, *events.GroupAccessExpired:
			changes++
		}
		if a := ev.Metadata.Approval; a.By != "" && a.By == a.RequestedBy {
			w.Errorf("#%s was asked for and approved by the same person", facts[ev.Record.ID])
		}
		m.apply(ev)
		if i+1 < len(log) && log[i+1].effective.Equal(ev.effective) {
			continue // ties go by position
		}
		if got, want := m.at(ev.effective, w, facts), w.seenAt(ev.effective); !maps.EqualFunc(got, want, maps.Equal) {
			w.Errorf("%s: the events tell that\n%v is seen, want\n%v", ev.effective, got, want)
		}
	}
	if changes != 18 {
		w.Errorf("access changed %d times, want 18", changes)
	}
}

func (m seen) apply(ev logged) {
	id := ev.Stream.UUID()
	switch e := ev.Payload.(type) {
	case *events.UserAdded:
		m.users[id] = &seenUser{}
	case *events.AllGroupsAccessGranted:
		m.users[id].all = ev.Record.ID
	case *events.GroupAccessGranted:
		m.users[id].grants = append(m.users[id].grants, seenGrant{e.Grant, ev.Record.ID, e.Group, e.ExpiresAt})
	case *events.GroupAccessRevoked:
		m.users[id].end(e.Grant)
	case *events.GroupAccessExpired:
		m.users[id].end(e.Grant)
	case *events.UserRemoved:
		m.users[id].gone = true
	case *events.GroupCreated:
		m.groups[id] = true
	case *events.GroupArchived:
		m.groups[id] = false
	case *events.VehicleAddedToGroup:
		if m.vehicles[e.Vehicle] == nil {
			m.vehicles[e.Vehicle] = map[uuid.UUID]bool{}
		}
		m.vehicles[e.Vehicle][id] = true
	case *events.DeliveryCreated:
		m.deliveries[id] = e.Group
	case *events.DeliveryTagged:
		m.deliveries[id] = e.Group
	case *events.DeliveryUntagged:
		m.deliveries[id] = uuid.Nil
	}
}

func (u *seenUser) end(grant uuid.UUID) {
	u.grants = slices.DeleteFunc(u.grants, func(g seenGrant) bool { return g.id == grant })
}

// group returns the event by which a user sees a group at a time, if it does.
func (m seen) group(u *seenUser, group uuid.UUID, at time.Time) (by uuid.UUID) {
	active, exists := m.groups[group]
	switch {
	case u.gone:
		return by
	case u.all != uuid.Nil && (exists || group == uuid.Nil):
		return u.all
	}
	for _, g := range u.grants {
		if active && g.group == group && (g.end.IsZero() || at.Before(g.end)) {
			by = g.event
		}
	}
	return by
}

// at returns who sees what at a time, by name, and by which fact.
func (m seen) at(at time.Time, w *worked, facts map[uuid.UUID]string) map[string]map[string]string {
	all := map[string]map[string]string{}
	note := func(thing, user, by uuid.UUID) {
		if by == uuid.Nil {
			return
		}
		name := w.ids[thing.String()]
		if all[name] == nil {
			all[name] = map[string]string{}
		}
		all[name][w.ids[user.String()]] = facts[by]
	}
	for id, u := range m.users {
		for g := range m.groups {
			if w.ids[g.String()] != "ALL" {
				note(g, id, m.group(u, g, at))
			}
		}
		for d, g := range m.deliveries {
			note(d, id, m.group(u, g, at))
		}
		for v, in := range m.vehicles {
			for g := range in {
				if all := w.ids[g.String()] == "ALL"; !all || u.all != uuid.Nil {
					note(v, id, m.group(u, g, at))
				}
			}
		}
	}
	return all
}
