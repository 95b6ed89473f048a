package group

import (
	"strings"

	"github.com/google/uuid"

	"waybill/events"
	"waybill/events/fault"
)

// RegisterVehicle puts a vehicle into the organisation's register.
type RegisterVehicle struct {
	Vehicle     uuid.UUID
	Name, Plate string
}

// Decide gives VehicleAddedToGroup. A plate is registered once, compared
// without regard to case and blanks.
func (c RegisterVehicle) Decide(s State) ([]events.Payload, error) {
	if err := s.organisation(); err != nil {
		return nil, err
	}
	if err := checkText("name", c.Name); err != nil {
		return nil, err
	}
	if err := checkText("plate", c.Plate); err != nil {
		return nil, err
	}
	for _, v := range s.Vehicles {
		if normalPlate(v.Plate) == normalPlate(c.Plate) {
			return nil, fault.New(fault.Conflict, "plate-taken", "A vehicle with the plate %q is registered already.", v.Plate)
		}
	}
	return []events.Payload{&events.VehicleAddedToGroup{Vehicle: c.Vehicle, Name: Tidy(c.Name), Plate: Tidy(c.Plate)}}, nil
}

func normalPlate(p string) string { return strings.ReplaceAll(NormalName(p), " ", "") }

// AddVehicle adds a registered vehicle to a group.
type AddVehicle struct{ Vehicle uuid.UUID }

// Decide gives VehicleAddedToGroup; nothing when it is there already.
func (c AddVehicle) Decide(s State) ([]events.Payload, error) {
	if err := s.Usable(); err != nil {
		return nil, err
	}
	if s.HasVehicle(c.Vehicle) {
		return nil, nil
	}
	return []events.Payload{&events.VehicleAddedToGroup{Vehicle: c.Vehicle}}, nil
}

// RemoveVehicle takes a vehicle out of a group; out of the ALL group, out of the
// register and thereby of every group.
type RemoveVehicle struct{ Vehicle uuid.UUID }

// Decide gives VehicleRemovedFromGroup; nothing when it is not there. What is
// archived or merged can still lose a vehicle.
func (c RemoveVehicle) Decide(s State) ([]events.Payload, error) {
	switch {
	case !s.Exists():
		return nil, errNone()
	case !s.HasVehicle(c.Vehicle):
		return nil, nil
	}
	return []events.Payload{&events.VehicleRemovedFromGroup{Vehicle: c.Vehicle}}, nil
}
