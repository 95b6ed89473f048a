package delivery

import (
	"strings"

	"github.com/google/uuid"

	"waybill/events"
	"waybill/events/fault"
)

// None is the answer about a delivery that does not exist, or not for the
// caller.
func None() error {
	return fault.New(fault.NotFound, "delivery-not-found", "There is no such delivery.")
}

// Tag moves the delivery to a group.
type Tag struct {
	Group  uuid.UUID
	Reason string // required when it moves from another group
}

// Decide gives DeliveryTagged; nothing when it is in the group already.
func (c Tag) Decide(s State) ([]events.Payload, error) {
	switch {
	case !s.Exists():
		return nil, None()
	case s.Key.Group == c.Group:
		return nil, nil
	case s.Key.Group != uuid.Nil && strings.TrimSpace(c.Reason) == "":
		return nil, fault.InvalidField("reason", "is required to move a delivery from one group to another")
	}
	return []events.Payload{&events.DeliveryTagged{FromGroup: s.Key.Group, Group: c.Group}}, nil
}

// Untag takes the delivery out of its group.
type Untag struct{}

// Decide gives DeliveryUntagged; nothing when it is in none.
func (Untag) Decide(s State) ([]events.Payload, error) {
	switch {
	case !s.Exists():
		return nil, None()
	case s.Key.Group == uuid.Nil:
		return nil, nil
	}
	return []events.Payload{&events.DeliveryUntagged{FromGroup: s.Key.Group}}, nil
}

// Assign puts the delivery on a vehicle.
type Assign struct{ Vehicle uuid.UUID }

// Decide gives DeliveryAssigned; nothing when it is on that vehicle already.
func (c Assign) Decide(s State) ([]events.Payload, error) {
	if err := s.open("put on a vehicle"); err != nil {
		return nil, err
	}
	if s.Vehicle == c.Vehicle {
		return nil, nil
	}
	return []events.Payload{&events.DeliveryAssigned{Vehicle: c.Vehicle}}, nil
}

// Unassign takes the delivery off its vehicle.
type Unassign struct{}

// Decide gives DeliveryUnassigned; nothing when it is on none.
func (Unassign) Decide(s State) ([]events.Payload, error) {
	if err := s.open("taken off its vehicle"); err != nil {
		return nil, err
	}
	if s.Vehicle == uuid.Nil {
		return nil, nil
	}
	return []events.Payload{&events.DeliveryUnassigned{Vehicle: s.Vehicle}}, nil
}

// Delete takes the delivery out of sight for good.
type Delete struct{}

// Decide gives DeliveryDeleted.
func (Delete) Decide(s State) ([]events.Payload, error) {
	switch {
	case !s.Exists():
		return nil, None()
	case s.Concluded:
		return nil, fault.New(fault.Conflict, "delivery-concluded",
			"A delivery that was completed, completed partially or failed is never deleted.")
	}
	return []events.Payload{&events.DeliveryDeleted{}}, nil
}
