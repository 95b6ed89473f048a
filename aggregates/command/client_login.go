package command

import (
	"context"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/user"
	"waybill/events"
)

// endContact ends the login of a removed client's contact.
func (f follow) endContact(ctx context.Context) (aggregates.Result, error) {
	t, err := aggregates.Load(ctx, f.s.x, clients, f.org, f.client)
	if err != nil || t.User == uuid.Nil {
		return aggregates.Result{}, err
	}
	return f.s.endLogin(ctx, f.command("end login "+t.User.String()), f.client, t.User)
}

// restoreContact gives the contact of a reinstated client its login back.
func (f follow) restoreContact(ctx context.Context) (aggregates.Result, error) {
	t, err := aggregates.Load(ctx, f.s.x, clients, f.org, f.client)
	if err != nil || t.User == uuid.Nil || t.IsRemoved {
		return aggregates.Result{}, err
	}
	cmd := f.command("restore login")
	restore := user.RestoreLogin{Client: f.client, Group: t.Group, Grant: cmd.Derive("grant"), At: cmd.At}
	return aggregates.Execute(ctx, f.s.x, users, t.User, cmd, restore.Decide)
}

// EndClientLogin ends what a customer has of a removed client whose logins end,
// and the login itself when nothing remains. For anybody else, or another client,
// it does nothing. It is for policies. Errors: NotFound.
func (s *Service) EndClientLogin(ctx context.Context, c access.Caller, env Envelope, clientID, userID uuid.UUID) (aggregates.Result, error) {
	if !c.System {
		return aggregates.Result{}, systemOnly()
	}
	return s.endLogin(ctx, s.command(c, env), clientID, userID)
}

func (s *Service) endLogin(ctx context.Context, cmd aggregates.Command, clientID, userID uuid.UUID) (aggregates.Result, error) {
	t, err := aggregates.Load(ctx, s.x, clients, cmd.Org, clientID)
	if err != nil || !t.IsRemoved || t.Fate != events.FateEnded || t.Group == uuid.Nil {
		return aggregates.Result{}, err
	}
	cmd.Reason = "client_removed"
	end := user.EndLogin{Client: clientID, Group: t.Group, At: cmd.At}
	return aggregates.Execute(ctx, s.x, users, userID, cmd, end.Decide)
}
