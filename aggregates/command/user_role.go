package command

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/group"
	"waybill/aggregates/user"
	"waybill/events"
	"waybill/events/fault"
)

// ChangeRole asks for another role.
type ChangeRole struct {
	User   uuid.UUID
	Role   string
	Groups []uuid.UUID // with Access, the access from then on; required of those who always saw everything
	Access string      // "", "all", "none" or "groups"
}

// ChangeRole gives a user another role, and the access that comes with it.
// Errors: NotFound (user, group), Denied, Invalid, Conflict (last-owner,
// group-archived, user-removed).
func (s *Service) ChangeRole(ctx context.Context, c access.Caller, env Envelope, in ChangeRole) (aggregates.Result, error) {
	cmd := s.command(c, env)
	change := user.ChangeRole{
		Role: in.Role, Scope: user.Scope{Groups: in.Groups, Access: in.Access}, NewGrant: newGrant(cmd), At: cmd.At,
	}
	res, err := s.leaving(ctx, c, cmd, in.User, func(u user.State) ([]events.Payload, error) {
		evs, err := change.Decide(u)
		if err != nil || len(evs) == 0 {
			return evs, err
		}
		switch {
		case !c.MayGiveRole(in.Role):
			return nil, fault.New(fault.Denied, "role-not-conferrable", "You cannot give a role that may do more than yourself.")
		case !c.MayRaise(u.May(), access.Effective(in.Role, u.Permissions)):
			return nil, errNotConferrable()
		}
		return evs, s.mayRescope(ctx, c, u, change.Scope, evs, cmd.At)
	})
	if err != nil || in.Role != access.RoleOwner {
		return res, err
	}
	owners, err := s.recordOwner(ctx, cmd.Then("record owner"), in.User)
	return res.Later(owners), err
}

func errNotConferrable() error {
	return fault.New(fault.Denied, "permission-not-conferrable", "You cannot give a permission that you do not have.")
}

// newGrant gives the grants of a command their ids.
func newGrant(cmd aggregates.Command) user.NewGrant {
	return func(g uuid.UUID) uuid.UUID { return cmd.Derive("grant " + g.String()) }
}

// leaving is onUser for a command after which an owner may not be one any more,
// or not count as one.
//
// The set of owners comes first, so that of two owners who remove each other one
// stays. Stopped after it, the organisation counts an owner too few, which does no
// harm, until the command is repeated. Refused after it, the owner is put back.
func (s *Service) leaving(ctx context.Context, c access.Caller, cmd aggregates.Command, id uuid.UUID,
	decide func(user.State) ([]events.Payload, error)) (aggregates.Result, error) {
	left := false
	res, err := s.onUser(ctx, c, cmd, id, func(u user.State) ([]events.Payload, error) {
		evs, err := decide(u)
		if err != nil || len(evs) == 0 || u.Role != access.RoleOwner {
			return evs, err
		}
		left = true
		_, err = aggregates.Execute(ctx, s.x, groups, group.AllID(cmd.Org), s.owners(cmd, "remove owner"), group.RemoveOwner{User: id}.Decide)
		return evs, err
	})
	var refused *fault.Error
	if left && errors.As(err, &refused) && refused.Kind != fault.Unavailable {
		_, back := s.recordOwner(ctx, s.owners(cmd, "keep owner"), id)
		err = errors.Join(err, back)
	}
	return res, err
}

// owners returns a command on the set of owners. Its id is new every time: the
// set may have been put back since the last try.
func (s *Service) owners(cmd aggregates.Command, label string) aggregates.Command {
	then := cmd.Then(label)
	then.ID = s.cfg.NewID()
	return then
}
