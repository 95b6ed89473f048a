// Package delivery decides about deliveries: one drop to make, or one
// collection.
//
// It is pure: no clock, no I/O, no ids made inside. Who may do it, and whether
// the group and the vehicle it names may be used, is decided around it.
package delivery

import (
	"github.com/google/uuid"

	"waybill/events"
)

// The rules of a delivery.
//
//   - It is created once, with its first group, if any. Its key (group or none,
//     type, D.O. number, date) is unique in the organisation, kept so by a claim
//     around this package; the key it was imported with stays known for life.
//   - It is tagged with at most one group. Moving it from one group to another
//     needs a reason. Without a group only ALL users see it.
//   - info_received or in_transit -> dispatched -> completed or failed. Failing
//     needs a reason.
//   - A vehicle is assigned as long as the delivery is under way.
//   - A stream that was abandoned before its creation never becomes a delivery.

// State is what a delivery has become. The zero value is a delivery that does
// not exist yet.
type State struct {
	Abandoned bool
	Status    string // empty = does not exist
	Key       Key
	Vehicle   uuid.UUID
	Attempt   int
	Imported  bool
}

// Exists reports whether the delivery was created.
func (s State) Exists() bool { return s.Status != "" }

// Evolve returns the state after an event.
func Evolve(s State, p events.Payload) State {
	switch e := p.(type) {
	case *events.CreationAbandoned:
		s.Abandoned = true
	case *events.DeliveryCreated:
		s.Status = events.StatusInfoReceived
		s.Key = Key{Group: e.Group, Type: e.Type, DONumber: e.DONumber, Date: e.Date}
		s.Vehicle, s.Attempt, s.Imported = e.Vehicle, e.Attempt, e.Import != nil
	case *events.DeliveryTagged:
		s.Key.Group = e.Group
	case *events.DeliveryUntagged:
		s.Key.Group = uuid.Nil
	case *events.DeliveryAssigned:
		s.Vehicle = e.Vehicle
	case *events.DeliveryDispatched:
		s.Status = events.StatusDispatched
	case *events.DeliveryCompleted:
		s.Status = events.StatusCompleted
	case *events.DeliveryFailed:
		s.Status = events.StatusFailed
	}
	return s
}

// Touches returns the groups that an event of the delivery touches.
func Touches(_ uuid.UUID, s State, p events.Payload) []uuid.UUID {
	var to uuid.UUID
	switch e := p.(type) {
	case *events.DeliveryCreated:
		to = e.Group
	case *events.DeliveryTagged:
		to = e.Group
	}
	var groups []uuid.UUID
	if s.Key.Group != uuid.Nil {
		groups = append(groups, s.Key.Group)
	}
	if to != uuid.Nil && to != s.Key.Group {
		groups = append(groups, to)
	}
	return groups
}

// Key is what makes a delivery unique in its organisation: every group has its
// own number space, and so have the deliveries of no group.
type Key struct {
	Group    uuid.UUID // zero = untagged
	Type     string
	DONumber string
	Date     string // YYYY-MM-DD
}

// Parts returns the key as the parts of a claim, the number in its normal form.
func (k Key) Parts() []string {
	return []string{k.Group.String(), k.Type, NormalNumber(k.DONumber), k.Date}
}
