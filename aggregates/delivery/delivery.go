// Package delivery decides about deliveries: one drop to make, or one
// collection.
//
// It is pure: no clock, no I/O, no ids made inside. Who may do it, and whether
// the group and the vehicle it names may be used, is decided around it.
package delivery

import (
	"time"

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
//   - Its status moves as the table in status.go says. Heading and arrived are
//     marks of a dispatched delivery, and end when it is stopped or changes its
//     vehicle. What is on hold is released to where it was.
//   - Failing needs a reason; completing partially needs an item of which some
//     was rejected. An outcome is changed by a correction only, with a reason.
//   - What failed or was completed partially is attempted again once: as a
//     delivery of its own.
//   - Until it has an outcome, its details and its expected time can be changed,
//     and a vehicle assigned or taken away.
//   - What never had an outcome can be deleted, and is then as if it were not
//     there. Its stream is never used again.
//   - A stream that was abandoned before its creation never becomes a delivery.

// State is what a delivery has become. The zero value is a delivery that does
// not exist yet.
type State struct {
	Abandoned bool
	Deleted   bool
	Status    string // empty = was never created
	Held      string // the status before it was put on hold
	Mark      string // MarkHeading, MarkArrived or empty
	Key       Key
	Vehicle   uuid.UUID
	Eta       time.Time
	Attempt   int
	Imported  bool
	Lines     []Line                // its items, as far as decisions need them
	Rejected  []events.RejectedItem // of a partial completion
	Concluded bool                  // it had an outcome once
	Next      uuid.UUID             // the delivery that attempts it again
	Version   int                   // how often its details were set
}

// Marks of a dispatched delivery.
const (
	MarkHeading = "heading" // the vehicle is on its way to this drop
	MarkArrived = "arrived" // the vehicle is there
)

// Line is how much of an item there is.
type Line struct {
	Item     string // the item's id
	Quantity int64
}

// Born reports whether the delivery was created, be it deleted since or not.
func (s State) Born() bool { return s.Status != "" }

// Exists reports whether the delivery was created and not deleted.
func (s State) Exists() bool { return s.Born() && !s.Deleted }

// Evolve returns the state after an event.
func Evolve(s State, p events.Payload) State {
	switch e := p.(type) {
	case *events.CreationAbandoned:
		s.Abandoned = true
	case *events.DeliveryCreated:
		s.Status = events.StatusInfoReceived
		s.Key = Key{Group: e.Group, Type: e.Type, DONumber: e.DONumber, Date: e.Date}
		s.Vehicle, s.Attempt, s.Imported = e.Vehicle, e.Attempt, e.Import != nil
		s.Lines, s.Version = linesOf(e.Items), 1
	case *events.DeliveryChanged:
		s.Key.DONumber, s.Key.Date = e.After.DONumber, e.After.Date
		s.Lines, s.Version = linesOf(e.After.Items), s.Version+1
	case *events.DeliveryTagged:
		s.Key.Group = e.Group
	case *events.DeliveryUntagged:
		s.Key.Group = uuid.Nil
	case *events.DeliveryAssigned:
		s.Vehicle, s.Mark = e.Vehicle, ""
	case *events.DeliveryUnassigned:
		s.Vehicle, s.Mark = uuid.Nil, ""
	case *events.DeliveryEtaRevised:
		s.Eta = e.Eta
	case *events.DeliveryReattempted:
		s.Next = e.Next
	case *events.DeliveryDeleted:
		s.Deleted = true
	default:
		return s.evolveStatus(p)
	}
	return s
}

// evolveStatus is Evolve for what moves the status and its marks.
func (s State) evolveStatus(p events.Payload) State {
	switch e := p.(type) {
	case *events.DeliveryGoodsReceived:
		s.Status = events.StatusInTransit
	case *events.DeliveryDispatched:
		s.Status = events.StatusDispatched
	case *events.DeliveryHeadingStarted:
		s.Mark = MarkHeading
	case *events.DeliveryArrived:
		s.Mark = MarkArrived
	case *events.DeliveryCompleted:
		s.Status, s.Concluded = events.StatusCompleted, true
	case *events.DeliveryPartiallyCompleted:
		s.Status, s.Concluded, s.Rejected = events.StatusCompletedPartially, true, e.Rejected
	case *events.DeliveryFailed:
		s.Status, s.Concluded = events.StatusFailed, true
	case *events.DeliveryOutcomeCorrected:
		s.Status, s.Rejected = e.To, e.Rejected
	case *events.DeliveryPutOnHold:
		s.Held, s.Status, s.Mark = s.Status, events.StatusOnHold, ""
	case *events.DeliveryReleased:
		s.Status, s.Held = e.To, ""
	case *events.DeliveryReturned:
		s.Status = events.StatusReturned
	case *events.DeliveryCancelled:
		s.Status = events.StatusCancelled
	}
	return s
}

func linesOf(items []events.Item) []Line {
	if len(items) == 0 {
		return nil
	}
	lines := make([]Line, len(items))
	for i, it := range items {
		lines[i] = Line{it.ID, it.Quantity}
	}
	return lines
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
