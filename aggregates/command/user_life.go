package command

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/user"
	"waybill/events"
	"waybill/events/fault"
)

// RemoveUser ends a membership for good; its e-mail is free for another user
// then. Errors: NotFound, Denied, Conflict (last-owner).
func (s *Service) RemoveUser(ctx context.Context, c access.Caller, env Envelope, id uuid.UUID) (aggregates.Result, error) {
	cmd := s.command(c, env)
	res, err := s.leaving(ctx, c, cmd, id, func(u user.State) ([]events.Payload, error) {
		if id == c.User {
			return nil, fault.New(fault.Denied, "not-oneself", "You cannot remove yourself.")
		}
		return user.Remove{At: cmd.At}.Decide(u)
	})
	if err != nil {
		return res, err
	}
	// Stopped before it, the claim is found to be given up by whoever wants it.
	if err := s.releaseEmail(ctx, cmd, id); err != nil {
		s.cfg.Logger.WarnContext(ctx, "the e-mail of a removed user is released later", "user", id, "error", err)
	}
	return res, nil
}

// releaseEmail gives up the claim of a removed user on its e-mail.
func (s *Service) releaseEmail(ctx context.Context, cmd aggregates.Command, id uuid.UUID) error {
	stream := events.Stream(events.CategoryUser, cmd.Org, id).String()
	records, err := s.cfg.Store.Read(ctx, stream, 0, 1)
	if err != nil || len(records) == 0 {
		return err
	}
	first, err := s.cfg.Codec.Decode(records[0])
	if err != nil {
		return err
	}
	opened := []events.Event{first}
	if err := s.cfg.Codec.Open(ctx, opened); err != nil {
		return err
	}
	added, ok := opened[0].Payload.(*events.UserAdded)
	if !ok || added.Email.Erased() {
		return nil // nobody can come back with it but by naming it
	}
	_, err = s.claims.Settle(ctx, cmd.Then("release e-mail"), emailKey(added.Email.Text()), aggregates.Holder{Category: events.CategoryUser, ID: id})
	if err != nil {
		return fmt.Errorf("release the e-mail of user %s: %w", id, err)
	}
	return nil
}

// InvitationResent is what came of resending an invitation.
type InvitationResent struct {
	Expires time.Time
	aggregates.Result
}

// ResendInvitation gives an invitation another token, also one that was revoked
// or has expired; earlier tokens are void. Errors: NotFound, Denied, Conflict
// (invitation-accepted, user-removed).
func (s *Service) ResendInvitation(ctx context.Context, c access.Caller, env Envelope, id uuid.UUID) (InvitationResent, error) {
	cmd := s.command(c, env)
	out := InvitationResent{Expires: cmd.At.UTC().Truncate(time.Microsecond).Add(s.cfg.InvitationLifetime)}
	var err error
	out.Result, err = s.onUser(ctx, c, cmd, id, user.ResendInvitation{ExpiresAt: out.Expires}.Decide)
	return out, err
}

// RevokeInvitation withdraws an invitation. Errors: NotFound, Denied, Conflict
// (invitation-accepted, user-removed).
func (s *Service) RevokeInvitation(ctx context.Context, c access.Caller, env Envelope, id uuid.UUID) (aggregates.Result, error) {
	return s.onUser(ctx, c, s.command(c, env), id, user.RevokeInvitation{}.Decide)
}

// ExpireInvitation records that nobody accepted an invitation in time; nothing
// when it is not open any more. It is for the clock. Errors: NotFound.
func (s *Service) ExpireInvitation(ctx context.Context, c access.Caller, env Envelope, id, invitation uuid.UUID) (aggregates.Result, error) {
	cmd := s.command(c, env)
	return s.bySystem(ctx, c, cmd, id, user.ExpireInvitation{Invitation: invitation, At: cmd.At}.Decide)
}

// ExpireGrant records that the time of a grant is over; nothing when it has ended
// already. It is for the clock. Errors: NotFound.
func (s *Service) ExpireGrant(ctx context.Context, c access.Caller, env Envelope, id, grant uuid.UUID) (aggregates.Result, error) {
	cmd := s.command(c, env)
	return s.bySystem(ctx, c, cmd, id, user.ExpireGrant{Grant: grant, At: cmd.At}.Decide)
}

func (s *Service) bySystem(ctx context.Context, c access.Caller, cmd aggregates.Command, id uuid.UUID,
	decide func(user.State) ([]events.Payload, error)) (aggregates.Result, error) {
	if !c.System {
		return aggregates.Result{}, fault.New(fault.Denied, "system-only", "This is done by waybill itself.")
	}
	return aggregates.Execute(ctx, s.x, users, id, cmd, decide)
}
