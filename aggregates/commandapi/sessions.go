package commandapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/access/route"
	"waybill/aggregates/command"
	"waybill/events"
	"waybill/events/fault"
)

// Credentials sign somebody in.
type Credentials struct {
	Email        string    `json:"email"`
	Password     string    `json:"password" secret:"true"`
	Organisation uuid.UUID `json:"organisation,omitzero" doc:"Needed by those who belong to several."`
	Portal       string    `json:"portal,omitzero" enum:"dispatcher,client" doc:"Where the caller signs in: staff or clients. The role's own when absent."`
}

// SessionOpened is the answer.
type SessionOpened struct {
	Token        string    `json:"token" secret:"true" doc:"Send it as Authorization: Bearer. It cannot be had again."`
	ExpiresAt    time.Time `json:"expires_at"`
	User         uuid.UUID `json:"user"`
	Organisation uuid.UUID `json:"organisation"`
	Portal       string    `json:"portal"`
}

func (a *api) sessionRoutes() []route.Route {
	routes := []route.Route{
		{Method: http.MethodPost, Path: "/v1/sessions", Name: "signIn", Verb: "login", Summary: "Sign in.", Public: true,
			Example: Credentials{Email: "adam@example.com", Password: "one fruit a day"},
			Handler: a.handler(a.signIn), Body: route.Of[Credentials](), Answer: route.Of[SessionOpened](), Status: http.StatusCreated},
		{Method: http.MethodDelete, Path: "/v1/sessions/current", Name: "signOut", Verb: "logout", Open: true, Personal: true, Summary: "End this session.",
			Handler: a.handler(a.signOut), Status: http.StatusNoContent},
		{Method: http.MethodGet, Path: "/v1/sessions", Name: "listSessions", Verb: "session list", Personal: true, Columns: []string{"id", "portal", "ip", "created_at", "expires_at", "current"}, Summary: "The caller's own open sessions, the latest first.",
			Handler: a.handler(a.listSessions), Answer: route.Of[Sessions](), Status: http.StatusOK},
		{Method: http.MethodDelete, Path: "/v1/sessions/{id}", Name: "endSession", Verb: "session end", Open: true, Personal: true, Summary: "End one of the caller's own sessions.",
			Handler: a.endOwn(a.cfg.Access.EndSessionOf), Status: http.StatusNoContent},
		{Method: http.MethodDelete, Path: "/v1/sessions", Name: "signOutEverywhere", Verb: "session end-all", Open: true, Personal: true, Summary: "End all of the caller's sessions.",
			Handler: a.handler(a.signOutEverywhere), Status: http.StatusNoContent},
		{Method: http.MethodPost, Path: "/v1/passwords", Name: "setPassword", Verb: "password set", Summary: "Set a password with a one-time token; an invitation is accepted by it.", Public: true,
			Example: NewPassword{Token: "the one of the link", Email: "adam@example.com", Password: "one fruit a day"},
			Handler: a.handler(a.setPassword(newRefusals(a))), Body: route.Of[NewPassword](), Answer: route.Of[PasswordSet](), Status: http.StatusOK},
	}
	return append(append(routes, a.apiKeyRoutes()...), pageRoutes()...)
}

func (a *api) signIn(w http.ResponseWriter, r *http.Request) error {
	var in Credentials
	if err := readBody(w, r, &in, false); err != nil {
		return err
	}
	if in.Portal != "" && in.Portal != access.PortalDispatcher && in.Portal != access.PortalClient {
		return fault.InvalidField("portal", "must be %s or %s", access.PortalDispatcher, access.PortalClient)
	}
	try, err := a.try(r, access.TrySignIn, in.Email)
	if err != nil {
		return err
	}
	source := access.SourceOf(r)
	members, err := a.cfg.Access.SignIn(r.Context(), in.Email, in.Password)
	if err != nil {
		return a.refuseSignIn(w, r, err, nil, source)
	}
	// The wrong portal is not told from a wrong password, nor is an invitation
	// accepted there.
	here, elsewhere := ofPortal(members, in.Portal)
	m, err := a.choose(r.Context(), here, in.Organisation, source)
	if err == nil || fault.Is(err, fault.Invalid) { // the organisation is still to be said
		try.Succeeded()
	}
	if err != nil {
		return a.refuseSignIn(w, r, err, elsewhere, source)
	}
	source.Portal = access.PortalOf(m.Role)
	s, err := a.cfg.Access.OpenSession(r.Context(), m, source)
	if err != nil {
		return err
	}
	a.cfg.Trail.Record(m.Org, events.Actor{Type: events.ActorUser, ID: m.User.String()}, source, &events.SignedIn{User: m.User, Session: s.ID})
	w.Header().Set("Location", "/v1/sessions/current")
	return send(w, http.StatusCreated, SessionOpened{Token: s.Token.Reveal(), ExpiresAt: s.ExpiresAt, User: m.User, Organisation: m.Org, Portal: source.Portal})
}

// ofPortal divides memberships into those of a portal and the others. Without a
// portal all are.
func ofPortal(members []access.Membership, portal string) (here, elsewhere []access.Membership) {
	for _, m := range members {
		if portal == "" || portal == access.PortalOf(m.Role) {
			here = append(here, m)
		} else {
			elsewhere = append(elsewhere, m)
		}
	}
	return here, elsewhere
}

// choose finds the one membership that is meant. Memberships that are only
// invitations become active: whoever has a password already needs no link.
func (a *api) choose(ctx context.Context, members []access.Membership, org uuid.UUID, source events.Source) (access.Membership, error) {
	var fit []access.Membership
	for _, m := range members {
		if org != uuid.Nil && m.Org != org {
			continue
		}
		if m.Status == access.StatusInvited {
			accepted, err := a.accept(ctx, m.Org, m.User, m.Identity, uuid.Nil, source, false)
			if err != nil {
				return m, err
			}
			if accepted.IsZero() {
				continue
			}
		}
		fit = append(fit, m)
	}
	switch len(fit) {
	case 0:
		return access.Membership{}, access.ErrSignIn()
	case 1:
		return fit[0], nil
	}
	e := fault.New(fault.Invalid, "organisation-needed", "You belong to several organisations. Say which one you sign in to.")
	for _, m := range fit {
		e.Fields = append(e.Fields, fault.Field{Name: "organisation", Detail: m.Org.String() + " is " + m.Organisation})
	}
	return access.Membership{}, e
}

// accept accepts an invitation on behalf of the identity that has just proved
// itself, and waits until that is visible. An invitation that is not open any
// more gives the zero position and no error.
func (a *api) accept(ctx context.Context, org, user, identity, invitation uuid.UUID, source events.Source, passwordSet bool) (events.Position, error) {
	who := access.Caller{Org: org, Identity: identity, Actor: events.Actor{Type: events.ActorIdentity, ID: identity.String()}, Source: source}
	res, err := a.cfg.Commands.AcceptInvitation(ctx, who, command.Envelope{CommandID: a.cfg.NewID()},
		command.AcceptInvitation{User: user, Invitation: invitation, PasswordSet: passwordSet})
	switch {
	case fault.Is(err, fault.Conflict), fault.Is(err, fault.NotFound):
		a.cfg.Logger.InfoContext(ctx, "an invitation was not open any more", "user", user, "error", err)
		return events.Position{}, nil
	case err != nil:
		return events.Position{}, err
	}
	if !a.visible(ctx, res.Position) {
		return events.Position{}, fault.Wrap(errors.New("read model is behind"), fault.Unavailable, "not-yet-visible", "The account is being prepared. Try again in a moment.")
	}
	return res.Position, nil
}

func (a *api) signOut(w http.ResponseWriter, r *http.Request) error {
	c := access.CallerOf(r.Context())
	if err := a.cfg.Access.EndSession(r.Context(), c.Session); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *api) signOutEverywhere(w http.ResponseWriter, r *http.Request) error {
	c := access.CallerOf(r.Context())
	if err := a.cfg.Access.SignOut(r.Context(), c.Org, c.User); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
