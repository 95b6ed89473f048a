package command

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/group"
	"waybill/aggregates/user"
	"waybill/events"
	"waybill/events/fault"
)

// AddUser asks for a user of the organisation.
type AddUser struct {
	Name, Email, Role string
	Groups            []uuid.UUID
	Access            string             // "", "all", "none" or "groups"; see the rules of package user
	Permissions       events.Permissions // switches against the role's defaults
}

// UserAdded is what came of it.
type UserAdded struct {
	ID                uuid.UUID
	Identity          uuid.UUID
	Invitation        uuid.UUID
	InvitationExpires time.Time
	aggregates.Result
}

// AddUser adds and invites a user. The answer and the events are the same
// whether or not the e-mail is known in other organisations. An owner counts as one
// from the acceptance on. Errors: Denied,
// Invalid, NotFound (a group), Conflict (email-taken, group-archived).
func (s *Service) AddUser(ctx context.Context, c access.Caller, env Envelope, in AddUser) (UserAdded, error) {
	if err := need(c, access.ManageUsers); err != nil {
		return UserAdded{}, err
	}
	cmd := s.command(c, env)
	add, err := s.newUser(cmd, in)
	if err != nil {
		return UserAdded{}, err
	}
	if _, err := add.Decide(user.State{}); err != nil {
		return UserAdded{}, err
	}
	if err := s.confer(ctx, c, add); err != nil {
		out := UserAdded{ID: add.User, Invitation: add.Invitation, InvitationExpires: add.InvitationExpires}
		if out.Result, err = unlessDone(ctx, s, users, add.User, cmd, err); err != nil {
			return UserAdded{}, err
		}
		out.Identity, err = s.cfg.Identities.Ensure(ctx, add.Email)
		return out, err
	}
	return s.create(ctx, cmd, add)
}

// newUser fills in what the command gives to its user.
func (s *Service) newUser(cmd aggregates.Command, in AddUser) (user.Add, error) {
	email, err := access.NormaliseEmail(in.Email)
	if err != nil {
		return user.Add{}, err
	}
	id := cmd.Derive("user")
	return user.Add{
		User: id, Name: in.Name, Email: email, Role: in.Role, Groups: in.Groups, Access: in.Access, Permissions: in.Permissions,
		Invitation:        cmd.Derive("invitation"),
		InvitationExpires: cmd.At.UTC().Truncate(time.Microsecond).Add(s.cfg.InvitationLifetime),
		NewGrant:          func(g uuid.UUID) uuid.UUID { return cmd.Derive("grant " + g.String()) },
	}, nil
}

// confer refuses what the caller cannot give because it lacks it.
func (s *Service) confer(ctx context.Context, c access.Caller, add user.Add) error {
	switch basis, err := add.Scope(); {
	case err != nil:
		return err
	case !c.MayGiveRole(add.Role):
		return fault.New(fault.Denied, "role-not-conferrable", "You cannot give a role that may do more than yourself.")
	case !c.MayRaise(0, access.Effective(add.Role, add.Permissions)):
		return fault.New(fault.Denied, "permission-not-conferrable", "You cannot give a permission that you do not have.")
	case basis != "" && !c.MayGiveAll():
		return fault.New(fault.Denied, "all-not-conferrable",
			"Without groups the user would see everything, and giving that needs access to all groups and the permission %q; name groups, or say access \"none\".", access.GrantAllAccess)
	}
	for _, g := range add.Groups {
		if _, err := s.usableGroup(ctx, c, g); err != nil {
			return err
		}
		if err := mayLast(c, g, time.Time{}, "groups"); err != nil {
			return err
		}
	}
	return nil
}

// create finds the identity, claims the e-mail and makes the user.
func (s *Service) create(ctx context.Context, cmd aggregates.Command, add user.Add) (UserAdded, error) {
	out := UserAdded{ID: add.User, Invitation: add.Invitation, InvitationExpires: add.InvitationExpires}
	var err error
	if add.Identity, err = s.cfg.Identities.Ensure(ctx, add.Email); err != nil {
		return out, fmt.Errorf("identity of user %s: %w", add.User, err)
	}
	out.Identity = add.Identity
	holder := aggregates.Holder{Category: events.CategoryUser, ID: add.User}
	if err := s.claims.Take(ctx, cmd, emailKey(add.Email), holder); err != nil {
		return out, err
	}
	out.Result, err = aggregates.Create(ctx, s.x, users, add.User, cmd, add.Decide)
	return out, err
}

// recordOwner puts a user that is an owner and can act as one into the set of
// owners on the ALL group. For any other user it does nothing. Who is but invited
// may never come, and does not let the last of the others go; whom the organisation
// was made for counts from the start, since there is nobody else.
func (s *Service) recordOwner(ctx context.Context, cmd aggregates.Command, id uuid.UUID) (aggregates.Result, error) {
	u, err := aggregates.Load(ctx, s.x, users, cmd.Org, id)
	if err != nil || u.Role != access.RoleOwner || u.Status != user.Active {
		return aggregates.Result{}, err
	}
	return aggregates.Execute(ctx, s.x, groups, group.AllID(cmd.Org), cmd, group.AddOwner{User: id}.Decide)
}

// IsOwner reports whether a user has the role of an owner. It is for policies.
func (s *Service) IsOwner(ctx context.Context, c access.Caller, id uuid.UUID) (bool, error) {
	if !c.System {
		return false, systemOnly()
	}
	u, err := aggregates.Peek(ctx, s.x, users, c.Org, id)
	return u.Role == access.RoleOwner, err
}

// RecordOwner records an owner on the ALL group, when that was left undone. It
// is for policies. Errors: NotFound.
func (s *Service) RecordOwner(ctx context.Context, c access.Caller, env Envelope, id uuid.UUID) (aggregates.Result, error) {
	if !c.System {
		return aggregates.Result{}, fault.New(fault.Denied, "system-only", "This is done by waybill itself.")
	}
	return s.recordOwner(ctx, s.command(c, env), id)
}
