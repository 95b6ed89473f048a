package commandapi

import (
	"errors"
	"net/http"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/client"
	"waybill/aggregates/command"
	"waybill/events/fault"
)

// ClientAcceptance accepts a client's invitation.
type ClientAcceptance struct {
	Token    string `json:"token" secret:"true" doc:"From the link."`
	Email    string `json:"email" doc:"The one that was invited."`
	Password string `json:"password,omitzero" secret:"true" doc:"At least 8 characters, at most 1024 bytes. Absent: the request carries a session of the person who was invited."`
}

// ClientAccepted is the answer.
type ClientAccepted struct {
	User         uuid.UUID `json:"user" doc:"Who may log in."`
	Organisation uuid.UUID `json:"organisation"`
}

// ClientRefusal declines a client's invitation.
type ClientRefusal struct {
	Token string `json:"token" secret:"true" doc:"From the link."`
	Email string `json:"email" doc:"The one that was invited."`
}

// acceptClient makes a client an account by its own acceptance. The events come
// first and the password after them: should the process stop between the two, the
// same link finishes it. Whatever is wrong with link, e-mail or invitation has one
// answer.
func (a *api) acceptClient(w http.ResponseWriter, r *http.Request) error {
	var in ClientAcceptance
	if err := readBody(w, r, &in, false); err != nil {
		return err
	}
	signedIn := in.Password == "" && r.Header.Get("Authorization") != ""
	if !signedIn {
		if err := access.CheckPassword(in.Password, in.Email); err != nil {
			return err
		}
	}
	who, t, try, err := a.invitee(r, in.Token, in.Email)
	if err != nil {
		return err
	}
	if signedIn {
		c, err := a.cfg.Access.CallerOfRequest(r)
		if err != nil {
			return err
		}
		if c.Session == uuid.Nil { // a machine is nobody's own yes
			return access.ErrToken()
		}
		who.Identity, who.Actor.ID = c.Identity, c.Identity.String()
	}
	out, err := a.cfg.Commands.AcceptClientInvitation(r.Context(), who, command.Envelope{CommandID: a.cfg.NewID()},
		command.AcceptClientInvitation{Client: t.Client, Invitation: t.Invitation, Email: in.Email, PasswordSet: !signedIn})
	if err != nil {
		return closed(err)
	}
	try.Succeeded()
	if err := a.cfg.Access.UseClientInvitation(r.Context(), in.Token, in.Password); err != nil {
		return err
	}
	if !a.visible(r.Context(), out.Position) {
		w.Header().Set(visibleHeader, "pending")
	}
	told(w, out.Position)
	return send(w, http.StatusOK, ClientAccepted{User: out.User, Organisation: t.Org})
}

// declineClient is the client's no.
func (a *api) declineClient(w http.ResponseWriter, r *http.Request) error {
	var in ClientRefusal
	if err := readBody(w, r, &in, false); err != nil {
		return err
	}
	who, t, try, err := a.invitee(r, in.Token, in.Email)
	if err != nil {
		return err
	}
	res, err := a.cfg.Commands.DeclineClientInvitation(r.Context(), who, command.Envelope{CommandID: a.cfg.NewID()},
		command.DeclineClientInvitation{Client: t.Client, Invitation: t.Invitation, Email: in.Email})
	if err != nil {
		return closed(err)
	}
	try.Succeeded()
	if err := a.cfg.Access.UseClientInvitation(r.Context(), in.Token, ""); err != nil {
		return err
	}
	told(w, res.Position)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// invitee returns whoever gives an e-mail with the token of a client's invitation,
// what that is for, and the try that this is. Neither is the e-mail known to be the
// invited one yet, which the command finds out, nor is an identity made for it: the
// try has succeeded, and the person is known, when the command has.
func (a *api) invitee(r *http.Request, token, email string) (access.Caller, access.Ticket, access.Try, error) {
	none := func(err error) (access.Caller, access.Ticket, access.Try, error) {
		return access.Caller{}, access.Ticket{}, access.Try{}, err
	}
	email, err := access.NormaliseEmail(email)
	if err != nil {
		return none(err)
	}
	try, err := a.try(r, access.TryToken, email)
	if err != nil {
		return none(err)
	}
	t, err := a.cfg.Access.ClientInvitation(r.Context(), token)
	if err != nil {
		return none(err)
	}
	identity, called, err := a.cfg.Access.Unproven(r.Context(), email)
	if err != nil {
		return none(err)
	}
	source := access.SourceOf(r)
	source.Portal = access.PortalClient
	return access.Caller{Org: t.Org, Identity: identity, Actor: called, Source: source}, t, try, nil
}

// closed makes an invitation that is not open look like a token that never was.
func closed(err error) error {
	var f, notOpen *fault.Error
	if errors.As(err, &f) && errors.As(client.NotOpen(), &notOpen) && f.Code == notOpen.Code {
		return access.ErrToken()
	}
	return err
}
