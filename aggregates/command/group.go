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

// CreateGroup asks for a group of kind standard.
type CreateGroup struct{ Name string }

// CreateGroup makes a group. Errors: Denied, Invalid, Conflict
// (group-name-taken).
func (s *Service) CreateGroup(ctx context.Context, c access.Caller, env Envelope, in CreateGroup) (Created, error) {
	if err := need(c, access.ManageGroups); err != nil {
		return Created{}, err
	}
	cmd := s.command(c, env)
	return s.createGroup(ctx, cmd, cmd.Derive("group"), group.Create{Name: in.Name})
}

// createGroup claims the name, then makes the group.
func (s *Service) createGroup(ctx context.Context, cmd aggregates.Command, id uuid.UUID, in group.Create) (Created, error) {
	if _, err := in.Decide(group.State{}); err != nil {
		return Created{}, err
	}
	if err := s.claims.Take(ctx, cmd, nameKey(in.Name), groupHolder(id)); err != nil {
		return Created{}, err
	}
	res, err := aggregates.Create(ctx, s.x, groups, id, cmd, in.Decide)
	return Created{id, res}, err
}

// managing is onGroup for a command that manages what is in the group: refused when
// the group's client has withdrawn its approval, or was removed. What only takes
// something away from who works for the client (codes, vehicles, grants) goes on,
// and so does restoring a group, without which its client could not come back.
func (s *Service) managing(ctx context.Context, c access.Caller, cmd aggregates.Command, id uuid.UUID,
	decide func(group.State) ([]events.Payload, error)) (aggregates.Result, error) {
	return s.onGroup(ctx, c, cmd, id, s.managed(ctx, c, decide))
}

// managed decides about a group only when what is in it is managed here. What
// would change nothing is never refused.
func (s *Service) managed(ctx context.Context, c access.Caller, decide func(group.State) ([]events.Payload, error)) func(group.State) ([]events.Payload, error) {
	return func(g group.State) ([]events.Payload, error) {
		evs, err := decide(g)
		if err == nil && len(evs) > 0 {
			err = s.manageableOf(ctx, c, g)
		}
		return evs, err
	}
}

// onGroup executes a command on one group that the caller sees.
func (s *Service) onGroup(ctx context.Context, c access.Caller, cmd aggregates.Command, id uuid.UUID,
	decide func(group.State) ([]events.Payload, error)) (aggregates.Result, error) {
	if !c.Sees(id) || id == uuid.Nil {
		return aggregates.Result{}, noGroup()
	}
	return aggregates.Execute(ctx, s.x, groups, id, cmd, func(g group.State) ([]events.Payload, error) {
		if !g.Exists() {
			return nil, noGroup()
		}
		if err := need(c, access.ManageGroups); err != nil {
			return nil, err
		}
		return decide(g)
	})
}

// MapCustomerCode asks that rows with a customer code belong to a group.
type MapCustomerCode struct {
	Code  string
	Group uuid.UUID
}

// MapCustomerCode maps a customer code. Errors: NotFound, Denied, Invalid,
// Conflict (customer-code-taken, group-archived).
func (s *Service) MapCustomerCode(ctx context.Context, c access.Caller, env Envelope, in MapCustomerCode) (aggregates.Result, error) {
	g, err := s.usableGroup(ctx, c, in.Group)
	if err != nil {
		return aggregates.Result{}, err
	}
	if err := need(c, access.ManageGroups); err != nil {
		return aggregates.Result{}, err
	}
	if _, err := (group.MapCode{Code: in.Code}).Decide(g); err != nil {
		return aggregates.Result{}, err
	}
	return s.mapCode(ctx, s.command(c, env), in)
}

func (s *Service) mapCode(ctx context.Context, cmd aggregates.Command, in MapCustomerCode) (aggregates.Result, error) {
	key, holder := codeKey(in.Code), groupHolder(in.Group)
	if err := s.claims.Move(ctx, cmd, key, holder); err != nil {
		return aggregates.Result{}, err
	}
	res, err := aggregates.Execute(ctx, s.x, groups, in.Group, cmd, group.MapCode{Code: in.Code}.Decide)
	if _, settleErr := s.claims.Settle(ctx, cmd, key, holder); err == nil {
		err = settleErr
	}
	return res, err
}

// UnmapCustomerCode takes a customer code away from the group that has it.
// Errors: NotFound, Denied.
func (s *Service) UnmapCustomerCode(ctx context.Context, c access.Caller, env Envelope, code string) (aggregates.Result, error) {
	key := codeKey(code)
	claim, err := s.claims.Look(ctx, c.Org, key)
	if err != nil {
		return aggregates.Result{}, err
	}
	cmd := s.command(c, env)
	none := fault.New(fault.NotFound, "customer-code-not-found", "That customer code is not mapped.")
	if claim.Holder == uuid.Nil || !c.Sees(claim.Holder) {
		return aggregates.Result{}, none
	}
	if !claim.Held {
		return unlessDone(ctx, s, groups, claim.Holder, cmd, none)
	}
	res, err := s.onGroup(ctx, c, cmd, claim.Holder, group.UnmapCode{Code: code}.Decide)
	if err != nil {
		return res, err
	}
	_, err = s.claims.Settle(ctx, cmd, key, groupHolder(claim.Holder))
	return res, err
}

// groupOfCode returns the group that a customer code is mapped to; the zero id
// when there is none.
func (s *Service) groupOfCode(ctx context.Context, org uuid.UUID, code string) (uuid.UUID, group.State, error) {
	claim, err := s.claims.Look(ctx, org, codeKey(code))
	if err != nil || !claim.Held {
		return uuid.Nil, group.State{}, err
	}
	g, err := aggregates.Load(ctx, s.x, groups, org, claim.Holder)
	if err != nil || !g.HasCode(code) {
		return uuid.Nil, group.State{}, err
	}
	return claim.Holder, g, nil
}
