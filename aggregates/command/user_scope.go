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

// ReplaceGroups asks for another access scope.
type ReplaceGroups struct {
	User   uuid.UUID
	Groups []uuid.UUID
	Access string // "", "all", "none" or "groups"; said when there are no groups
}

// ReplaceGroups makes groups the user's whole scope, in one append. Errors:
// NotFound (user, group), Denied, Invalid, Conflict (role-holds-all,
// group-archived, user-removed).
func (s *Service) ReplaceGroups(ctx context.Context, c access.Caller, env Envelope, in ReplaceGroups) (aggregates.Result, error) {
	cmd := s.command(c, env)
	return s.onUser(ctx, c, cmd, in.User, s.replace(ctx, c, cmd, in))
}

func (s *Service) replace(ctx context.Context, c access.Caller, cmd aggregates.Command, in ReplaceGroups) func(user.State) ([]events.Payload, error) {
	scope := user.Scope{Groups: in.Groups, Access: in.Access}
	return s.rescoping(ctx, c, cmd, scope, user.ReplaceGroups{Scope: scope, NewGrant: newGrant(cmd), At: cmd.At}.Decide)
}

// GrantAllGroupsAccess gives a user the scope ALL. The envelope's reason is
// required. Errors: NotFound, Denied, Invalid, Conflict (user-removed).
func (s *Service) GrantAllGroupsAccess(ctx context.Context, c access.Caller, env Envelope, id uuid.UUID) (aggregates.Result, error) {
	cmd := s.command(c, env)
	return s.onUser(ctx, c, cmd, id, s.grantAll(ctx, c, cmd))
}

func (s *Service) grantAll(ctx context.Context, c access.Caller, cmd aggregates.Command) func(user.State) ([]events.Payload, error) {
	return s.rescoping(ctx, c, cmd, user.Scope{Access: user.AccessAll}, user.GrantAll{Reason: cmd.Reason, NewGrant: newGrant(cmd), At: cmd.At}.Decide)
}

// RevokeAllGroupsAccess asks for the end of the scope ALL.
type RevokeAllGroupsAccess struct {
	User   uuid.UUID
	Groups []uuid.UUID // what is left; none = the user sees nothing
}

// RevokeAllGroupsAccess takes the scope ALL away and leaves some groups. The
// envelope's reason is required. Errors: NotFound (user, group), Denied, Invalid,
// Conflict (role-holds-all, all-not-held, group-archived, user-removed).
func (s *Service) RevokeAllGroupsAccess(ctx context.Context, c access.Caller, env Envelope, in RevokeAllGroupsAccess) (aggregates.Result, error) {
	cmd := s.command(c, env)
	return s.onUser(ctx, c, cmd, in.User, s.revokeAll(ctx, c, cmd, in))
}

func (s *Service) revokeAll(ctx context.Context, c access.Caller, cmd aggregates.Command, in RevokeAllGroupsAccess) func(user.State) ([]events.Payload, error) {
	revoke := user.RevokeAll{Groups: in.Groups, Reason: cmd.Reason, NewGrant: newGrant(cmd), At: cmd.At}
	return s.rescoping(ctx, c, cmd, user.Scope{Groups: in.Groups}, revoke.Decide)
}

// rescoping decides on a scope, and whether the caller may give it.
func (s *Service) rescoping(ctx context.Context, c access.Caller, cmd aggregates.Command, to user.Scope,
	decide func(user.State) ([]events.Payload, error)) func(user.State) ([]events.Payload, error) {
	return func(u user.State) ([]events.Payload, error) {
		for _, g := range to.Groups { // before anything tells that they exist
			if !c.MayGiveGroup(g) {
				return nil, noGroup()
			}
		}
		evs, err := decide(u)
		if err != nil {
			return nil, err
		}
		return evs, s.mayRescope(ctx, c, u, to, evs, cmd.At)
	}
}

// mayRescope refuses a caller who lacks what a scope gives: ALL, or a group.
// Groups that the user has already are not given.
func (s *Service) mayRescope(ctx context.Context, c access.Caller, u user.State, to user.Scope, evs []events.Payload, at time.Time) error {
	for _, e := range evs {
		if _, ok := e.(*events.AllGroupsAccessGranted); ok && !c.MayGiveAll() {
			return fault.New(fault.Denied, "all-not-conferrable", "Giving access to all groups needs it oneself, and the permission %q.", access.GrantAllAccess)
		}
	}
	for _, g := range to.Groups {
		if !c.MayGiveGroup(g) {
			return noGroup()
		}
	}
	for _, g := range u.Missing(to, at) {
		if _, err := s.usableGroup(ctx, c, g); err != nil {
			return err
		}
		if err := mayLast(c, g, time.Time{}, "groups"); err != nil {
			return err
		}
	}
	return nil
}
