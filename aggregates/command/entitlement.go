package command

import (
	"context"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/user"
	"waybill/events"
	"waybill/events/fault"
)

// onUser executes a command on a user that the caller sees and may change.
func (s *Service) onUser(ctx context.Context, c access.Caller, cmd aggregates.Command, id uuid.UUID,
	decide func(user.State) ([]events.Payload, error)) (aggregates.Result, error) {
	return aggregates.Execute(ctx, s.x, users, id, cmd, func(u user.State) ([]events.Payload, error) {
		subject := u.Subject(id, cmd.At)
		switch {
		case !u.Exists() || !c.SeesUser(subject):
			return nil, user.None()
		case !c.MayActOn(subject):
			return nil, fault.New(fault.Denied, "user-beyond-caller",
				"Changing this user needs the permission %q, and its role and groups must be within your own.", access.ManageUsers)
		}
		return decide(u)
	})
}

// SetPermissions asks for a user's switches to be replaced.
type SetPermissions struct {
	User        uuid.UUID
	Permissions events.Permissions // what is not in it is at its role's default
}

// SetPermissions sets a user's switches. Errors: NotFound, Denied, Invalid.
func (s *Service) SetPermissions(ctx context.Context, c access.Caller, env Envelope, in SetPermissions) (aggregates.Result, error) {
	return s.onUser(ctx, c, s.command(c, env), in.User, func(u user.State) ([]events.Payload, error) {
		if !c.MayRaise(u.May(), access.Effective(u.Role, in.Permissions)) {
			return nil, fault.New(fault.Denied, "permission-not-conferrable", "You cannot give a permission that you do not have.")
		}
		return user.SetPermissions{Permissions: in.Permissions}.Decide(u)
	})
}

// GrantGroupAccess asks for a user's sight of a group.
type GrantGroupAccess struct {
	User, Group uuid.UUID
	ExpiresAt   time.Time // zero = never
}

// GrantGroupAccess gives a user sight of a group. Nobody gives it to oneself: what
// one has for a time, or on somebody's approval, would become one's own. Nor does
// anybody give for longer what he has for a time. Errors:
// NotFound, Denied, Invalid, Conflict (user-has-all, role-holds-all,
// group-archived).
func (s *Service) GrantGroupAccess(ctx context.Context, c access.Caller, env Envelope, in GrantGroupAccess) (aggregates.Result, error) {
	cmd := s.command(c, env)
	grant := user.GrantGroup{Grant: cmd.Derive("grant " + in.Group.String()), Group: in.Group, ExpiresAt: in.ExpiresAt, At: cmd.At}
	return s.onUser(ctx, c, cmd, in.User, func(u user.State) ([]events.Payload, error) {
		if _, err := s.usableGroup(ctx, c, in.Group); err != nil {
			return nil, err
		}
		evs, err := grant.Decide(u)
		if err == nil && len(evs) > 0 && in.User == c.User {
			return nil, fault.New(fault.Denied, "not-oneself", "You cannot give yourself access; request it, and somebody else approves.")
		}
		if err == nil && len(evs) > 0 {
			err = mayLast(c, in.Group, in.ExpiresAt, "expires_at")
		}
		return evs, err
	})
}

// RevokeGroupAccess asks for the end of a user's sight of a group.
type RevokeGroupAccess struct{ User, Group uuid.UUID }

// RevokeGroupAccess ends every grant of a group to a user, whatever its basis.
// Errors: NotFound, Denied, Conflict (user-has-all).
func (s *Service) RevokeGroupAccess(ctx context.Context, c access.Caller, env Envelope, in RevokeGroupAccess) (aggregates.Result, error) {
	cmd := s.command(c, env)
	return s.onUser(ctx, c, cmd, in.User, func(u user.State) ([]events.Payload, error) {
		if err := s.seesGroup(ctx, c, in.Group); err != nil {
			return nil, err
		}
		return user.RevokeGroup{Group: in.Group, At: cmd.At}.Decide(u)
	})
}

// seesGroup refuses a group that the caller does not see, or that does not exist.
func (s *Service) seesGroup(ctx context.Context, c access.Caller, id uuid.UUID) error {
	if id == uuid.Nil || !c.Sees(id) {
		return noGroup()
	}
	g, err := aggregates.Load(ctx, s.x, groups, c.Org, id)
	if err == nil && !g.Exists() {
		err = noGroup()
	}
	return err
}

// EndGrant asks for the end of one grant.
type EndGrant struct{ User, Grant uuid.UUID }

// EndGrant ends one grant. It is for policies. Errors: NotFound.
func (s *Service) EndGrant(ctx context.Context, c access.Caller, env Envelope, in EndGrant) (aggregates.Result, error) {
	if !c.System {
		return aggregates.Result{}, fault.New(fault.Denied, "system-only", "This is done by waybill itself.")
	}
	cmd := s.command(c, env)
	return aggregates.Execute(ctx, s.x, users, in.User, cmd, user.EndGrant{Grant: in.Grant, At: cmd.At}.Decide)
}

// BlockUser ends a user's access until UnblockUser. A blocked owner does not
// count as one. Errors: NotFound, Denied, Conflict (last-owner, user-removed).
func (s *Service) BlockUser(ctx context.Context, c access.Caller, env Envelope, id uuid.UUID) (aggregates.Result, error) {
	return s.leaving(ctx, c, s.command(c, env), id, func(u user.State) ([]events.Payload, error) {
		if id == c.User {
			return nil, fault.New(fault.Denied, "not-oneself", "You cannot block yourself.")
		}
		return user.Block{}.Decide(u)
	})
}

// UnblockUser gives a blocked user back what it held. Errors: NotFound, Denied.
func (s *Service) UnblockUser(ctx context.Context, c access.Caller, env Envelope, id uuid.UUID) (aggregates.Result, error) {
	cmd := s.command(c, env)
	res, err := s.onUser(ctx, c, cmd, id, user.Unblock{}.Decide)
	if err != nil {
		return res, err
	}
	owner, err := s.recordOwner(ctx, cmd.Then("record owner"), id)
	return res.Later(owner), err
}

// AcceptInvitation asks for an invited user to become active.
type AcceptInvitation struct {
	User, Invitation uuid.UUID // a zero Invitation is whichever is open
	PasswordSet      bool      // a password was set with it
}

// AcceptInvitation makes an invited user active, and an owner count as one. The
// caller is the identity behind the user, who has proved it, or waybill itself.
// Errors: NotFound, Conflict (invitation-not-open, user-blocked).
func (s *Service) AcceptInvitation(ctx context.Context, c access.Caller, env Envelope, in AcceptInvitation) (aggregates.Result, error) {
	cmd := s.command(c, env)
	accept := user.AcceptInvitation{Invitation: in.Invitation, PasswordSet: in.PasswordSet, At: cmd.At}
	res, err := s.asIdentity(ctx, c, cmd, in.User, accept.Decide)
	if err != nil {
		return res, err
	}
	owner, err := s.recordOwner(ctx, cmd.Then("record owner"), in.User)
	if err != nil { // a policy makes up for it
		s.cfg.Logger.WarnContext(ctx, "an owner is counted as one later", "user", in.User, "error", err)
	}
	return res.Later(owner), nil
}

// RefuseInvitation says whose invitation somebody tried to accept in vain.
type RefuseInvitation struct {
	User, Invitation uuid.UUID // a zero invitation is whichever is open
	Cause            string    // such as user.CauseEmailMismatch
}

// RefuseInvitation records an attempt to accept an invitation that was turned away.
// Of too many nothing more is recorded. Whoever tried has proved nothing, so it is
// waybill itself that does it. Errors: Denied, NotFound, Conflict
// (invitation-not-open).
func (s *Service) RefuseInvitation(ctx context.Context, c access.Caller, env Envelope, in RefuseInvitation) (aggregates.Result, error) {
	cmd := s.command(c, env)
	return s.bySystem(ctx, c, cmd, in.User, user.RefuseInvitation{Invitation: in.Invitation, Cause: in.Cause, At: cmd.At}.Decide)
}

// RecordPasswordSet records that the identity behind a user set a password.
// Errors: NotFound.
func (s *Service) RecordPasswordSet(ctx context.Context, c access.Caller, env Envelope, id uuid.UUID) (aggregates.Result, error) {
	return s.asIdentity(ctx, c, s.command(c, env), id, user.RecordPasswordSet{}.Decide)
}

// asIdentity executes a command that only the person behind a user may give.
func (s *Service) asIdentity(ctx context.Context, c access.Caller, cmd aggregates.Command, id uuid.UUID,
	decide func(user.State) ([]events.Payload, error)) (aggregates.Result, error) {
	return aggregates.Execute(ctx, s.x, users, id, cmd, func(u user.State) ([]events.Payload, error) {
		if !u.Exists() || !c.System && (c.Identity == uuid.Nil || c.Identity != u.Identity) {
			return nil, user.None()
		}
		return decide(u)
	})
}
