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

// RequestGroupAccess asks for somebody's sight of a group to be approved.
type RequestGroupAccess struct {
	User, Group uuid.UUID
	ExpiresAt   time.Time // zero = never
}

// RequestGroupAccess asks for access, for oneself or, with manage_users, for
// somebody else. The envelope's reason is required. Errors: NotFound (user,
// group), Denied, Invalid, Conflict (access-already-requested,
// access-already-held, user-has-all, role-holds-all, group-archived,
// user-removed).
func (s *Service) RequestGroupAccess(ctx context.Context, c access.Caller, env Envelope, in RequestGroupAccess) (Created, error) {
	cmd := s.command(c, env)
	out := Created{ID: cmd.Derive("request " + in.User.String() + " " + in.Group.String())}
	request := user.RequestGroup{Request: out.ID, Group: in.Group, By: c.User, Reason: env.Reason, ExpiresAt: in.ExpiresAt, At: cmd.At}
	var err error
	out.Result, err = aggregates.Execute(ctx, s.x, users, in.User, cmd, func(u user.State) ([]events.Payload, error) {
		switch {
		case !u.Exists() || !c.SeesUser(u.Subject(in.User, cmd.At)):
			return nil, user.None()
		case c.User != in.User && !c.May(access.ManageUsers):
			return nil, fault.New(fault.Denied, "permission-missing", "Asking for somebody else's access needs the permission %q.", access.ManageUsers)
		}
		if _, err := s.usableGroup(ctx, c, in.Group); err != nil {
			return nil, err
		}
		return request.Decide(u)
	})
	return out, err
}

// DecideRequest names a request for access.
type DecideRequest struct{ User, Request uuid.UUID }

// ApproveGroupAccess approves a request and grants what it asks for, in one
// append. Whoever asked, and whoever gets the access, cannot. Errors: NotFound
// (user, request), Denied, Conflict (request-not-open, request-outdated,
// user-has-all, role-holds-all, group-archived, user-removed).
func (s *Service) ApproveGroupAccess(ctx context.Context, c access.Caller, env Envelope, in DecideRequest) (aggregates.Result, error) {
	cmd := s.command(c, env)
	r, err := s.request(ctx, c, cmd, in)
	if err != nil {
		return unlessDone(ctx, s, users, in.User, cmd, err)
	}
	cmd.Approval = events.Approval{By: c.User.String(), RequestedBy: r.By.String(), Request: r.ID.String(), Reference: env.Approval.Reference}
	if cmd.Reason == "" {
		cmd.Reason = r.Why
	}
	approve := user.ApproveRequest{Request: in.Request, Grant: cmd.Derive("grant " + in.Request.String()), At: cmd.At}
	return s.onUser(ctx, c, cmd, in.User, func(u user.State) ([]events.Payload, error) {
		own, err := s.concerned(ctx, c, in.User, r)
		switch {
		case err != nil:
			return nil, err
		case own:
			return nil, fault.New(fault.Denied, "approver-not-independent", "Whoever asks for access, or gets it, cannot approve it.")
		}
		if _, err := s.usableGroup(ctx, c, r.Group); err != nil {
			return nil, err
		}
		if own, ok := c.MayGiveUntil(r.Group, r.ExpiresAt); !ok {
			return nil, outlasting(own)
		}
		return approve.Decide(u)
	})
}

// concerned reports whether the caller is who gets the access or who asked for it:
// that user, a machine on that user's behalf, or the same person as another user,
// having been removed and come back.
func (s *Service) concerned(ctx context.Context, c access.Caller, beneficiary uuid.UUID, r user.Request) (bool, error) {
	if c.User == beneficiary || c.User == r.By {
		return true, nil
	}
	if c.Identity == uuid.Nil || r.By == uuid.Nil {
		return false, nil
	}
	by, err := aggregates.Load(ctx, s.x, users, c.Org, r.By)
	return by.Identity == c.Identity, err
}

// DenyGroupAccess ends a request without a grant. Errors: NotFound (user,
// request), Denied, Conflict (request-not-open, user-removed).
func (s *Service) DenyGroupAccess(ctx context.Context, c access.Caller, env Envelope, in DecideRequest) (aggregates.Result, error) {
	cmd := s.command(c, env)
	r, err := s.request(ctx, c, cmd, in)
	if err != nil {
		return unlessDone(ctx, s, users, in.User, cmd, err)
	}
	return s.onUser(ctx, c, cmd, in.User, user.DenyRequest{Request: r.ID}.Decide)
}

// request finds an open request whose user and group the caller sees.
func (s *Service) request(ctx context.Context, c access.Caller, cmd aggregates.Command, in DecideRequest) (user.Request, error) {
	u, err := aggregates.Load(ctx, s.x, users, cmd.Org, in.User)
	if err != nil {
		return user.Request{}, err
	}
	r, open := u.Request(in.Request)
	switch {
	case !u.Exists() || !c.SeesUser(u.Subject(in.User, cmd.At)):
		return r, user.None()
	case !open && c.SeesAll():
		return r, fault.New(fault.Conflict, "request-not-open", "There is no such request, or it was decided on already.")
	case !open || !c.Sees(r.Group):
		return r, fault.New(fault.NotFound, "request-not-found", "There is no such request.")
	}
	return r, nil
}

// RecordAccessReview says what somebody's review of a user's access came to.
type RecordAccessReview struct {
	User     uuid.UUID
	Decision string      // events.ReviewKeep, ReviewReduce or ReviewRevoke
	Groups   []uuid.UUID // what ReviewReduce takes away
}

// RecordAccessReview records a review and takes away what it found too much.
// Nobody reviews oneself. Errors: NotFound (user, group), Denied, Invalid,
// Conflict (user-has-all, role-holds-all, user-removed).
func (s *Service) RecordAccessReview(ctx context.Context, c access.Caller, env Envelope, in RecordAccessReview) (aggregates.Result, error) {
	cmd := s.command(c, env)
	return s.onUser(ctx, c, cmd, in.User, func(u user.State) ([]events.Payload, error) {
		if c.User == in.User {
			return nil, fault.New(fault.Denied, "not-oneself", "You cannot review your own access.")
		}
		for _, g := range in.Groups {
			if !c.Sees(g) {
				return nil, noGroup()
			}
		}
		return user.Review{Decision: in.Decision, Groups: in.Groups, At: cmd.At}.Decide(u)
	})
}
