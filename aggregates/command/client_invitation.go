package command

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/client"
	"waybill/events"
	"waybill/events/fault"
)

// InviteClient asks for a client to be invited to make its account itself.
type InviteClient struct {
	Client    uuid.UUID
	GroupName string // of the group that is made when there is none; empty: the business name
}

// ClientInvited is what came of it.
type ClientInvited struct {
	Invitation uuid.UUID
	ExpiresAt  time.Time
	Group      uuid.UUID // the client's
	aggregates.Result
}

// InviteClient opens an invitation, bound to the client's e-mail as it is known.
// Errors: NotFound, Denied, Invalid, Conflict (invitation-open,
// client-has-account, client-removed, group-name-taken, group-archived).
func (s *Service) InviteClient(ctx context.Context, c access.Caller, env Envelope, in InviteClient) (ClientInvited, error) {
	cmd := s.command(c, env)
	t, err := s.story(ctx, c.Org, in.Client)
	if err != nil {
		return ClientInvited{}, err
	}
	if err := mayManage(c, t.State); err != nil {
		return ClientInvited{}, err
	}
	out := ClientInvited{Invitation: cmd.Derive("client invitation"), ExpiresAt: s.invitationEnd(cmd), Group: t.Group}
	dry := t.State
	dry.Group = uuid.Max // it is made on demand
	open := client.Invite{Client: in.Client, Invitation: out.Invitation, Email: t.details.Email, ExpiresAt: out.ExpiresAt, At: cmd.At}
	if _, err := open.Decide(dry); err != nil {
		out.Result, err = unlessDone(ctx, s, clients, in.Client, cmd, err)
		return out, err
	}
	if out.Group, err = s.groupFor(ctx, c, cmd, in.Client, t, in.GroupName, t.details.BusinessName); err != nil {
		return out, err
	}
	out.Result, err = s.onClient(ctx, c, cmd, in.Client, func(state client.State) ([]events.Payload, error) {
		known, err := s.known(ctx, c.Org, in.Client, state)
		if err != nil {
			return nil, err
		}
		open.Email = known.details.Email
		return open.Decide(state)
	})
	return out, err
}

func (s *Service) invitationEnd(cmd aggregates.Command) time.Time {
	return cmd.At.UTC().Truncate(time.Microsecond).Add(s.cfg.InvitationLifetime)
}

// ResendClientInvitation gives an open invitation a new time and, with its next
// token, ends the earlier ones. Errors: NotFound, Denied, Conflict
// (invitation-not-open, client-removed).
func (s *Service) ResendClientInvitation(ctx context.Context, c access.Caller, env Envelope, id uuid.UUID) (ClientInvited, error) {
	cmd := s.command(c, env)
	out := ClientInvited{ExpiresAt: s.invitationEnd(cmd)}
	var err error
	out.Result, err = s.onClient(ctx, c, cmd, id, client.Resend{ExpiresAt: out.ExpiresAt, At: cmd.At}.Decide)
	if err != nil {
		return out, err
	}
	t, err := aggregates.Load(ctx, s.x, clients, c.Org, id)
	out.Invitation, out.Group = t.Invitation, t.Group
	return out, err
}

// RevokeClientInvitation withdraws an open invitation. Errors: NotFound, Denied,
// Conflict (client-removed).
func (s *Service) RevokeClientInvitation(ctx context.Context, c access.Caller, env Envelope, id uuid.UUID) (aggregates.Result, error) {
	cmd := s.command(c, env)
	return s.onClient(ctx, c, cmd, id, client.Revoke{At: cmd.At}.Decide)
}

// ExpireClientInvitation names an invitation whose time is over.
type ExpireClientInvitation struct{ Client, Invitation uuid.UUID }

// ExpireClientInvitation records that nobody accepted in time; it does nothing
// while there is time left, or when the invitation was answered. It is for the
// clock. Errors: NotFound.
func (s *Service) ExpireClientInvitation(ctx context.Context, c access.Caller, env Envelope, in ExpireClientInvitation) (aggregates.Result, error) {
	if !c.System {
		return aggregates.Result{}, systemOnly()
	}
	cmd := s.command(c, env)
	return aggregates.Execute(ctx, s.x, clients, in.Client, cmd, client.Expire{Invitation: in.Invitation, At: cmd.At}.Decide)
}

// AcceptClientInvitation asks for a client to become an account, by the client
// itself. The caller is the identity of the e-mail, who came with the
// invitation's token; without an id it is whoever gives that e-mail.
type AcceptClientInvitation struct {
	Client, Invitation uuid.UUID
	Email              string
	PasswordSet        bool // a password comes with it
}

// AcceptClientInvitation makes the account, with the client's approval, and the
// person who accepts a user who sees its group. Another e-mail than the invited
// one is refused, which is recorded, and the invitation stays open. Errors:
// Conflict (invitation-not-open for whatever is wrong; email-taken).
func (s *Service) AcceptClientInvitation(ctx context.Context, c access.Caller, env Envelope, in AcceptClientInvitation) (ClientAccountMade, error) {
	cmd := s.command(c, env)
	out, err := s.acceptClient(ctx, c, cmd, in)
	if isCode(err, "email-taken") {
		// By the same person, maybe, who accepted at the same time and was first.
		if t, _, err := s.answering(ctx, c, in.Client); err == nil && t.Accepted == in.Invitation {
			return s.acceptClient(ctx, c, cmd, in)
		}
	}
	return out, err
}

func (s *Service) acceptClient(ctx context.Context, c access.Caller, cmd aggregates.Command, in AcceptClientInvitation) (ClientAccountMade, error) {
	t, invited, err := s.answering(ctx, c, in.Client)
	if err != nil {
		return ClientAccountMade{}, err
	}
	email, err := access.NormaliseEmail(in.Email)
	if err != nil {
		return ClientAccountMade{}, err
	}
	done := t.Accepted == in.Invitation && t.Identity == c.Identity && in.Invitation != uuid.Nil && c.Identity != uuid.Nil
	if !done && !t.IsOpen(in.Invitation, cmd.At) {
		return ClientAccountMade{}, client.NotOpen()
	}
	if !done && (email != invited || invited == "") {
		return ClientAccountMade{}, s.refuse(ctx, cmd, in, client.CauseEmailMismatch)
	}
	accept := client.Accept{Client: in.Client, Invitation: in.Invitation, Details: t.details, Identity: t.Identity, User: t.User, PasswordSet: in.PasswordSet, At: cmd.At}
	accept.Details.Email = email
	if !done {
		// Only now: nobody makes identities by asking.
		if accept.Identity, err = s.cfg.Identities.Ensure(ctx, email); err != nil {
			return ClientAccountMade{}, fmt.Errorf("identity of an invited client: %w", err)
		}
		switch c.Identity {
		case accept.Identity:
		case uuid.Nil:
			c.Identity, cmd.Actor.ID = accept.Identity, accept.Identity.String()
		default:
			return ClientAccountMade{}, s.refuse(ctx, cmd, in, client.CauseIdentityMismatch)
		}
		if accept.User, _, err = s.contact(ctx, c, cmd, email); err != nil {
			return ClientAccountMade{}, err
		}
	}
	res, err := aggregates.Execute(ctx, s.x, clients, in.Client, cmd, accept.Decide)
	if err != nil {
		return ClientAccountMade{}, err
	}
	out := ClientAccountMade{User: accept.User, Group: t.Group, Result: s.followUp(ctx, in.Client, res)}
	now, err := aggregates.Load(ctx, s.x, clients, c.Org, in.Client) // who else accepted first may have made another user
	if err == nil {
		out.User = now.User
	}
	return out, err
}

// answering returns the client whose invitation somebody answers, who is a
// person known by an e-mail and no user here, and the e-mail that was invited.
func (s *Service) answering(ctx context.Context, c access.Caller, id uuid.UUID) (t story, invited string, err error) {
	if c.Identity == uuid.Nil && c.Actor.Type != events.ActorIdentity {
		return t, "", fault.New(fault.Denied, "identity-needed", "An invitation is answered by the person it was made for.")
	}
	if t, err = s.story(ctx, c.Org, id); err != nil {
		return t, "", err
	}
	if !t.Exists() {
		return t, "", client.NotOpen()
	}
	invited, err = s.invited(ctx, c.Org, id, t.State)
	return t, invited, err
}

// refuse records an attempt to accept and answers it like any other invitation
// that does not work.
func (s *Service) refuse(ctx context.Context, cmd aggregates.Command, in AcceptClientInvitation, cause string) error {
	_, err := aggregates.Execute(ctx, s.x, clients, in.Client, cmd, client.Refuse{Invitation: in.Invitation, Cause: cause, At: cmd.At}.Decide)
	if err != nil {
		return err
	}
	return client.NotOpen()
}

// DeclineClientInvitation names the invitation that a client says no to.
type DeclineClientInvitation struct {
	Client, Invitation uuid.UUID
	Email              string
}

// DeclineClientInvitation is the client's own no. Errors: Conflict
// (invitation-not-open for whatever is wrong).
func (s *Service) DeclineClientInvitation(ctx context.Context, c access.Caller, env Envelope, in DeclineClientInvitation) (aggregates.Result, error) {
	cmd := s.command(c, env)
	_, invited, err := s.answering(ctx, c, in.Client)
	if err != nil {
		return aggregates.Result{}, err
	}
	email, err := access.NormaliseEmail(in.Email)
	if err != nil {
		return aggregates.Result{}, err
	}
	if email != invited || invited == "" {
		return aggregates.Result{}, client.NotOpen()
	}
	return aggregates.Execute(ctx, s.x, clients, in.Client, cmd, client.Decline{Invitation: in.Invitation, At: cmd.At}.Decide)
}
