package commandapi

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/events"
	"waybill/events/fault"
)

// NewPassword sets a password.
type NewPassword struct {
	Token    string `json:"token" secret:"true" doc:"From the link."`
	Email    string `json:"email" doc:"The one that the link was made for."`
	Password string `json:"password" secret:"true" doc:"At least 8 characters, at most 1024 bytes."`
}

// PasswordSet is the answer.
type PasswordSet struct {
	User         uuid.UUID `json:"user"`
	Organisation uuid.UUID `json:"organisation"`
}

// setPassword uses up a one-time token. The password comes first and the event
// after it: should the process stop between the two, signing in accepts the
// invitation, since whoever has a password needs no link. Who comes with an
// invitation's token and another e-mail is answered like everybody whose token does
// not work, and that it happened is recorded.
func (a *api) setPassword(refused *refusals) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		var in NewPassword
		if err := readBody(w, r, &in, false); err != nil {
			return err
		}
		if err := access.CheckPassword(in.Password, in.Email); err != nil {
			return err // it says nothing about the link, so it is no try
		}
		try, err := a.try(r, access.TryToken, in.Email)
		if err != nil {
			return err
		}
		t, err := a.cfg.Access.SetPassword(r.Context(), in.Token, in.Email, in.Password)
		if err != nil {
			refused.take(r, in.Email, err)
			return err
		}
		try.Succeeded()
		at, err := a.record(r.Context(), t, access.SourceOf(r))
		if err != nil {
			return err
		}
		told(w, at)
		return send(w, http.StatusOK, PasswordSet{User: t.User, Organisation: t.Org})
	}
}

// record records that a password was set, and returns where in the log; the zero
// position when there is nothing to record it about.
func (a *api) record(ctx context.Context, t access.Ticket, source events.Source) (events.Position, error) {
	if t.Purpose == access.PurposeInvitation {
		return a.accept(ctx, t.Org, t.User, t.Identity, t.Invitation, source, true)
	}
	who := access.Caller{Org: t.Org, Identity: t.Identity, Actor: events.Actor{Type: events.ActorIdentity, ID: t.Identity.String()}, Source: source}
	res, err := a.cfg.Commands.RecordPasswordSet(ctx, who, command.Envelope{CommandID: a.cfg.NewID()}, t.User)
	if fault.Is(err, fault.NotFound) {
		err = nil // the membership is gone; the password is set all the same
	}
	return res.Position, err
}
