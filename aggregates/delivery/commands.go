package delivery

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

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
	switch s.Status {
	case "":
		return nil, None()
	case events.StatusInfoReceived, events.StatusInTransit, events.StatusDispatched, events.StatusOnHold:
	default:
		return nil, errStatus(s.Status, "put on a vehicle")
	}
	if s.Vehicle == c.Vehicle {
		return nil, nil
	}
	return []events.Payload{&events.DeliveryAssigned{Vehicle: c.Vehicle}}, nil
}

// Dispatch gives the delivery out to be delivered.
type Dispatch struct{ OccurredAt time.Time }

// Decide gives DeliveryDispatched.
func (c Dispatch) Decide(s State) ([]events.Payload, error) {
	switch s.Status {
	case "":
		return nil, None()
	case events.StatusInfoReceived, events.StatusInTransit:
		return []events.Payload{&events.DeliveryDispatched{OccurredAt: moment(c.OccurredAt)}}, nil
	}
	return nil, errStatus(s.Status, "dispatched")
}

// Complete says that everything was handed over.
type Complete struct {
	OccurredAt time.Time
	Proof      []events.Proof
}

// Decide gives DeliveryCompleted.
func (c Complete) Decide(s State) ([]events.Payload, error) {
	switch s.Status {
	case "":
		return nil, None()
	case events.StatusDispatched:
	default:
		return nil, errStatus(s.Status, "completed")
	}
	for i, p := range c.Proof {
		sum, err := hex.DecodeString(p.SHA256)
		if p.Reference == "" {
			return nil, fault.InvalidField(fmt.Sprintf("proof[%d].reference", i), "is required")
		}
		if err != nil || len(sum) != 32 || strings.ToLower(p.SHA256) != p.SHA256 {
			return nil, fault.InvalidField(fmt.Sprintf("proof[%d].sha256", i), "must be 64 lower-case hexadecimal digits")
		}
	}
	return []events.Payload{&events.DeliveryCompleted{OccurredAt: moment(c.OccurredAt), Proof: c.Proof}}, nil
}

// Fail says that nothing was handed over, and why.
type Fail struct {
	OccurredAt time.Time
	Reason     string
}

// Decide gives DeliveryFailed.
func (c Fail) Decide(s State) ([]events.Payload, error) {
	switch {
	case !s.Exists():
		return nil, None()
	case s.Status != events.StatusDispatched:
		return nil, errStatus(s.Status, "failed")
	case strings.TrimSpace(c.Reason) == "":
		return nil, fault.InvalidField("reason", "is required to fail a delivery")
	}
	return []events.Payload{&events.DeliveryFailed{OccurredAt: moment(c.OccurredAt)}}, nil
}

// errStatus says that the delivery does not move so from where it is.
func errStatus(status, move string) error {
	return fault.New(fault.Conflict, "delivery-status", "A delivery that is %s cannot be %s.", strings.ReplaceAll(status, "_", " "), move)
}

// moment is a time as events hold it.
func moment(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Microsecond)
}
