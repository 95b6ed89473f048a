package commandapi

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"waybill/aggregates/access/route"
	"waybill/aggregates/command"
)

// NewClient asks for a client.
type NewClient struct {
	Said         `json:",inline"`
	BusinessName string    `json:"business_name"`
	Contact      string    `json:"contact,omitzero" doc:"Name of a person."`
	Email        string    `json:"email"`
	Dispatcher   uuid.UUID `json:"dispatcher,omitzero" doc:"The user who looks after it; the owners do when absent."`
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

func (a *api) clientRoutes() []route.Route {
	commands := a.cfg.Commands
	return []route.Route{
		on(a, spec{method: http.MethodPost, path: "/v1/clients", name: "addClient", summary: "Add a client to the list.", created: true, widens: true, answer: ClientMade{}},
			func(ctx context.Context, c call, in NewClient) (outcome, error) {
				out, err := commands.AddClient(ctx, c.caller, c.env, command.AddClient{BusinessName: in.BusinessName, Contact: in.Contact,
					Email: in.Email, Dispatcher: in.Dispatcher, GroupName: in.GroupName})
				d := done(out.Result)
				d.ID = out.ID
				return outcome{answer: ClientMade{d, out.Group}, position: out.Position, location: "/v1/clients/" + out.ID.String()}, err
			}),
		on(a, spec{method: http.MethodPost, path: "/v1/clients/{id}/group", name: "linkClientGroup", summary: "Make a client's group.", created: true, widens: true},
			func(ctx context.Context, c call, in ClientGroup) (outcome, error) {
				id, err := c.id("id")
				if err != nil {
					return outcome{}, err
				}
				out, err := commands.LinkClientGroup(ctx, c.caller, c.env, command.LinkClientGroup{Client: id, GroupName: in.GroupName})
				return outcome{answer: made(out), position: out.Position, location: "/v1/groups/" + out.ID.String()}, err
			}),
	}
}
