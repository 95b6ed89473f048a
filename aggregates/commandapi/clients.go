package commandapi

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/access/route"
	"waybill/aggregates/command"
)

// NewClient asks for a client.
type NewClient struct {
	Said         `json:",inline"`
	BusinessName string    `json:"business_name"`
	Contact      string    `json:"contact,omitzero" doc:"Name of a person."`
	Email        string    `json:"email"`
	Dispatcher   uuid.UUID `json:"dispatcher,omitzero" kind:"user" doc:"The user who looks after it; the owners do when absent."`
	GroupName    string    `json:"group_name,omitzero" doc:"When given, its group is made and linked as well."`
}

// ClientMade is the answer.
type ClientMade struct {
	Done  `json:",inline"`
	Group uuid.UUID `json:"group,omitzero" doc:"Its group, when one was made."`
}

// ClientGroup asks for the group of a client that has none.
type ClientGroup struct {
	Said      `json:",inline"`
	GroupName string `json:"group_name"`
}

// ClientDetails are all that is known of a client.
type ClientDetails struct {
	Said         `json:",inline"`
	BusinessName string `json:"business_name"`
	Contact      string `json:"contact,omitzero" doc:"Name of a person."`
	Email        string `json:"email"`
	Phone        string `json:"phone,omitzero"`
}

// ClientAccount asks for a client's account. What is absent is taken from the
// account's draft.
type ClientAccount struct {
	Said         `json:",inline"`
	BusinessName string `json:"business_name,omitzero"`
	Contact      string `json:"contact,omitzero" doc:"Name of a person."`
	Email        string `json:"email,omitzero" doc:"Whoever has it logs in."`
	Phone        string `json:"phone,omitzero"`
	GroupName    string `json:"group_name,omitzero" doc:"Of the group that is made when the client has none; its business name when absent."`
}

// ClientAccountMade is the answer.
type ClientAccountMade struct {
	Done  `json:",inline"`
	User  uuid.UUID `json:"user" doc:"The client's contact, who may log in."`
	Group uuid.UUID `json:"group"`
}

// ClientInvitation asks for a client to be invited.
type ClientInvitation struct {
	Said      `json:",inline"`
	GroupName string `json:"group_name,omitzero" doc:"Of the group that is made when the client has none; its business name when absent."`
}

// ClientInvited is the answer.
type ClientInvited struct {
	Done      `json:",inline"`
	ExpiresAt time.Time `json:"expires_at"`
}

// ClientDispatcher names who looks after a client.
type ClientDispatcher struct {
	Said       `json:",inline"`
	Dispatcher uuid.UUID `json:"dispatcher" kind:"user" doc:"The user who looks after it."`
}

// ClientRemoval says what becomes of a removed client's people.
type ClientRemoval struct {
	Said `json:",inline"`
	Fate string `json:"fate,omitzero" enum:"kept_by_client,ended" doc:"Whether its people keep reading their own deliveries, or their logins end. Absent: kept_by_client for an account made by invitation, ended for others."`
}

func (a *api) clientRoutes() []route.Route {
	commands := a.cfg.Commands
	routes := []route.Route{
		on(a, spec{method: http.MethodPost, path: "/v1/clients", name: "addClient", verb: "client add", needs: access.SetOf(access.ManageClients),
			example: NewClient{BusinessName: "Cherry Ltd", Contact: "Carl", Email: "carl@example.com"}, summary: "Add a client to the list.", created: true, widens: true, answer: ClientMade{}},
			func(ctx context.Context, c call, in NewClient) (outcome, error) {
				out, err := commands.AddClient(ctx, c.caller, c.env, command.AddClient{BusinessName: in.BusinessName, Contact: in.Contact,
					Email: in.Email, Dispatcher: in.Dispatcher, GroupName: in.GroupName})
				d := done(out.Result)
				d.ID = out.ID
				return outcome{answer: ClientMade{d, out.Group}, position: out.Position, location: "/v1/clients/" + out.ID.String()}, err
			}),
		onClient(a, spec{method: http.MethodPut, name: "updateClientDetails", verb: "client update", needs: access.SetOf(access.ManageClients),
			example: ClientDetails{BusinessName: "Cherry Ltd", Contact: "Cora", Email: "cora@example.com"}, summary: "Replace what is known of a client.", widens: true, matched: true},
			func(ctx context.Context, c call, id uuid.UUID, in ClientDetails) (outcome, error) {
				return plain(commands.UpdateClientDetails(ctx, c.caller, c.env, command.UpdateClientDetails{Client: id,
					Details: command.ClientDetails{BusinessName: in.BusinessName, Contact: in.Contact, Email: in.Email, Phone: in.Phone}}))
			}),
		onClient(a, spec{method: http.MethodDelete, name: "removeClient", verb: "client remove", needs: access.SetOf(access.ManageClients),
			example: ClientRemoval{Fate: "ended"}, summary: "Take a client out of the list.", bodyless: true, widens: true},
			func(ctx context.Context, c call, id uuid.UUID, in ClientRemoval) (outcome, error) {
				return plain(commands.RemoveClient(ctx, c.caller, c.env, command.RemoveClient{Client: id, Fate: in.Fate}))
			}),
		onClient(a, spec{method: http.MethodPost, path: "/reinstate", name: "reinstateClient", verb: "client reinstate", needs: access.SetOf(access.ManageClients), summary: "Bring a removed client back to the state before.", bodyless: true, widens: true},
			plainly(commands.ReinstateClient)),
		onClient(a, spec{method: http.MethodPost, path: "/group", name: "linkClientGroup", verb: "client create-group", args: "group_name", needs: access.SetOf(access.ManageClients),
			example: ClientGroup{GroupName: "Cherry"}, summary: "Make a client's group.", created: true, widens: true},
			func(ctx context.Context, c call, id uuid.UUID, in ClientGroup) (outcome, error) {
				out, err := commands.LinkClientGroup(ctx, c.caller, c.env, command.LinkClientGroup{Client: id, GroupName: in.GroupName})
				return outcome{answer: made(out), position: out.Position, location: "/v1/groups/" + out.ID.String()}, err
			}),
		onClient(a, spec{method: http.MethodPost, path: "/account", name: "createClientAccount", verb: "client create-account", needs: access.SetOf(access.ManageClients),
			example: ClientAccount{GroupName: "Cherry"}, summary: "Make a client an account, on its behalf.", bodyless: true, created: true, widens: true, answer: ClientAccountMade{}},
			func(ctx context.Context, c call, id uuid.UUID, in ClientAccount) (outcome, error) {
				out, err := commands.CreateClientAccount(ctx, c.caller, c.env, command.CreateClientAccount{Client: id, GroupName: in.GroupName,
					Details: command.ClientDetails{BusinessName: in.BusinessName, Contact: in.Contact, Email: in.Email, Phone: in.Phone}})
				return outcome{answer: ClientAccountMade{done(out.Result), out.User, out.Group}, position: out.Position, location: "/v1/clients/" + id.String()}, err
			}),
		onClient(a, spec{method: http.MethodPut, path: "/approval", name: "grantClientApproval", verb: "client grant-approval", open: true, summary: "Let the organisation manage one's deliveries again; for the client's own people.", bodyless: true, widens: true},
			plainly(commands.GrantClientApproval)),
		onClient(a, spec{method: http.MethodDelete, path: "/approval", name: "withdrawClientApproval", verb: "client withdraw-approval", open: true, summary: "End that the organisation manages one's deliveries; for the client's own people.", bodyless: true, widens: true},
			plainly(commands.WithdrawClientApproval)),
		onClient(a, spec{method: http.MethodPut, path: "/dispatcher", name: "assignDispatcher", verb: "client assign-dispatcher", args: "dispatcher", needs: access.SetOf(access.ManageClients),
			example: ClientDispatcher{Dispatcher: route.Sample("user")}, summary: "Name who looks after a client.", widens: true},
			func(ctx context.Context, c call, id uuid.UUID, in ClientDispatcher) (outcome, error) {
				return plain(commands.AssignDispatcher(ctx, c.caller, c.env, command.AssignDispatcher{Client: id, Dispatcher: in.Dispatcher}))
			}),
		onClient(a, spec{method: http.MethodDelete, path: "/dispatcher", name: "unassignDispatcher", verb: "client unassign-dispatcher", needs: access.SetOf(access.ManageClients), summary: "Leave a client to the owners.", bodyless: true, widens: true},
			plainly(commands.UnassignDispatcher)),
	}
	return append(routes, a.clientInvitationRoutes()...)
}

func (a *api) clientInvitationRoutes() []route.Route {
	commands := a.cfg.Commands
	return []route.Route{
		onClient(a, spec{method: http.MethodPost, path: "/invitation", name: "inviteClient", verb: "client invite", needs: access.SetOf(access.ManageClients),
			example: ClientInvitation{GroupName: "Cherry"}, summary: "Invite a client to make its account itself.", bodyless: true, created: true, widens: true, answer: ClientInvited{}},
			func(ctx context.Context, c call, id uuid.UUID, in ClientInvitation) (outcome, error) {
				return invited(commands.InviteClient(ctx, c.caller, c.env, command.InviteClient{Client: id, GroupName: in.GroupName}))
			}),
		onClient(a, spec{method: http.MethodPost, path: "/invitation/resend", name: "resendClientInvitation", verb: "client resend-invitation", needs: access.SetOf(access.ManageClients), summary: "Send a client's invitation again; the earlier link stops working.", bodyless: true, widens: true, answer: ClientInvited{}},
			func(ctx context.Context, c call, id uuid.UUID, _ Said) (outcome, error) {
				return invited(commands.ResendClientInvitation(ctx, c.caller, c.env, id))
			}),
		onClient(a, spec{method: http.MethodDelete, path: "/invitation", name: "revokeClientInvitation", verb: "client revoke-invitation", needs: access.SetOf(access.ManageClients), summary: "Withdraw a client's invitation.", bodyless: true, widens: true},
			plainly(commands.RevokeClientInvitation)),
		{Method: http.MethodPost, Path: "/v1/client-invitations/accept", Name: "acceptClientInvitation", Verb: "client accept-invitation", Public: true,
			Example: ClientAcceptance{Token: "the one of the link", Email: "carl@example.com", Password: "one fruit a day"},
			Summary: "Accept a client's invitation with its one-time token; the client chooses its own credentials.",
			Handler: a.handler(a.acceptClient), Body: route.Of[ClientAcceptance](), Answer: route.Of[ClientAccepted](), Status: http.StatusOK},
		{Method: http.MethodPost, Path: "/v1/client-invitations/decline", Name: "declineClientInvitation", Verb: "client decline-invitation", Public: true,
			Example: ClientRefusal{Token: "the one of the link", Email: "carl@example.com"},
			Summary: "Decline a client's invitation with its one-time token.",
			Handler: a.handler(a.declineClient), Body: route.Of[ClientRefusal](), Status: http.StatusNoContent},
	}
}

// onClient makes the route of a command on a client; the path is what comes after
// the client's.
func onClient[In sayer](a *api, s spec, run func(ctx context.Context, c call, id uuid.UUID, in In) (outcome, error)) route.Route {
	s.path = "/v1/clients/{id}" + s.path
	return on(a, s, func(ctx context.Context, c call, in In) (outcome, error) {
		id, err := c.id("id")
		if err != nil {
			return outcome{}, err
		}
		return run(ctx, c, id, in)
	})
}

// plainly is a command that asks for nothing besides the client.
func plainly(run func(context.Context, access.Caller, command.Envelope, uuid.UUID) (aggregates.Result, error)) func(context.Context, call, uuid.UUID, Said) (outcome, error) {
	return func(ctx context.Context, c call, id uuid.UUID, _ Said) (outcome, error) {
		return plain(run(ctx, c.caller, c.env, id))
	}
}

func invited(out command.ClientInvited, err error) (outcome, error) {
	d := done(out.Result)
	d.ID = out.Invitation
	return outcome{answer: ClientInvited{d, out.ExpiresAt}, position: out.Position}, err
}
