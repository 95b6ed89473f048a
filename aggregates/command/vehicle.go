package command

import (
	"context"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/group"
	"waybill/events"
	"waybill/events/fault"
)

// RegisterVehicle asks for a vehicle in the organisation's register.
type RegisterVehicle struct{ Name, Plate string }

// RegisterVehicle registers a vehicle. Errors: Denied, Invalid, Conflict.
func (s *Service) RegisterVehicle(ctx context.Context, c access.Caller, env Envelope, in RegisterVehicle) (Created, error) {
	if err := needAll(c, access.ManageVehicles); err != nil {
		return Created{}, err
	}
	cmd := s.command(c, env)
	id := cmd.Derive("vehicle")
	res, err := aggregates.Execute(ctx, s.x, groups, group.AllID(c.Org), cmd,
		group.RegisterVehicle{Vehicle: id, Name: in.Name, Plate: in.Plate}.Decide)
	return Created{id, res}, err
}

// AddVehicleToGroup asks that those who see a group see a vehicle.
type AddVehicleToGroup struct{ Vehicle, Group uuid.UUID }

// AddVehicleToGroup adds a registered vehicle to a group. Errors: NotFound
// (vehicle, group), Denied, Conflict (group-archived, client-not-managed).
func (s *Service) AddVehicleToGroup(ctx context.Context, c access.Caller, env Envelope, in AddVehicleToGroup) (aggregates.Result, error) {
	if !c.Sees(in.Group) || in.Group == uuid.Nil {
		return aggregates.Result{}, noGroup()
	}
	if err := need(c, access.ManageVehicles); err != nil {
		return aggregates.Result{}, err
	}
	return aggregates.Execute(ctx, s.x, groups, in.Group, s.command(c, env), func(g group.State) ([]events.Payload, error) {
		if err := s.seesVehicle(ctx, c, in.Vehicle); err != nil {
			return nil, err
		}
		return s.managed(ctx, c, group.AddVehicle{Vehicle: in.Vehicle}.Decide)(g)
	})
}

// RemoveVehicleFromGroup asks that those who see a group see a vehicle no more
// through it.
type RemoveVehicleFromGroup struct{ Vehicle, Group uuid.UUID }

// RemoveVehicleFromGroup takes a vehicle out of a group. Errors: NotFound
// (vehicle, group), Denied.
func (s *Service) RemoveVehicleFromGroup(ctx context.Context, c access.Caller, env Envelope, in RemoveVehicleFromGroup) (aggregates.Result, error) {
	if !c.Sees(in.Group) || in.Group == uuid.Nil || in.Group == group.AllID(c.Org) {
		return aggregates.Result{}, noGroup()
	}
	return aggregates.Execute(ctx, s.x, groups, in.Group, s.command(c, env), func(g group.State) ([]events.Payload, error) {
		if !g.Exists() {
			return nil, noGroup()
		}
		// Also of one that left the register, which is in no group.
		if err := s.seesVehicle(ctx, c, in.Vehicle); err != nil {
			return nil, err
		}
		if err := need(c, access.ManageVehicles); err != nil {
			return nil, err
		}
		return group.RemoveVehicle{Vehicle: in.Vehicle}.Decide(g)
	})
}

// RemoveVehicle takes a vehicle out of the organisation's register and thereby
// out of every group. Errors: NotFound, Denied.
func (s *Service) RemoveVehicle(ctx context.Context, c access.Caller, env Envelope, id uuid.UUID) (aggregates.Result, error) {
	cmd := s.command(c, env)
	if err := s.seesVehicle(ctx, c, id); err != nil {
		return unlessDone(ctx, s, groups, group.AllID(c.Org), cmd, err)
	}
	if err := needAll(c, access.ManageVehicles); err != nil {
		return aggregates.Result{}, err
	}
	return aggregates.Execute(ctx, s.x, groups, group.AllID(c.Org), cmd, group.RemoveVehicle{Vehicle: id}.Decide)
}

// MayReportPositions refuses who may not tell where a vehicle is. Errors: NotFound,
// Denied.
func (s *Service) MayReportPositions(ctx context.Context, c access.Caller, id uuid.UUID) error {
	if err := s.seesVehicle(ctx, c, id); err != nil {
		return err
	}
	return need(c, access.ManageVehicles)
}

func noVehicle() error {
	return fault.New(fault.NotFound, "vehicle-not-found", "There is no such vehicle.")
}

// seesVehicle refuses a vehicle that is not registered or, for a caller with
// groups, in none of them (rule R6). What left the register is in no group,
// whatever the group's own stream says.
func (s *Service) seesVehicle(ctx context.Context, c access.Caller, id uuid.UUID) error {
	if !c.May(access.ViewVehicles) {
		return noVehicle()
	}
	all, err := s.organisation(ctx, c)
	if err != nil {
		return err
	}
	if !all.HasVehicle(id) {
		return noVehicle()
	}
	if c.SeesAll() {
		return nil
	}
	for _, g := range c.Groups {
		state, err := aggregates.Load(ctx, s.x, groups, c.Org, g)
		if err != nil {
			return err
		}
		if state.IsActive() && state.HasVehicle(id) {
			return nil
		}
	}
	return noVehicle()
}
