package commandapi

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/access/route"
	"waybill/aggregates/command"
)

// NewGroup asks for a group.
type NewGroup struct {
	Said `json:",inline"`
	Name string `json:"name" doc:"Unique in the organisation."`
}

// CodeTarget is where a customer code belongs.
type CodeTarget struct {
	Said  `json:",inline"`
	Group uuid.UUID `json:"group"`
}

func (a *api) groupRoutes() []route.Route {
	commands := a.cfg.Commands
	return []route.Route{
		on(a, spec{method: http.MethodPost, path: "/v1/groups", name: "createGroup", verb: "group create", args: "name", needs: access.SetOf(access.ManageGroups),
			example: NewGroup{Name: "Apple"}, summary: "Create a group.", created: true, widens: true},
			func(ctx context.Context, c call, in NewGroup) (outcome, error) {
				out, err := commands.CreateGroup(ctx, c.caller, c.env, command.CreateGroup{Name: in.Name})
				return outcome{answer: made(out), position: out.Position, location: "/v1/groups/" + out.ID.String()}, err
			}),
		on(a, spec{method: http.MethodPut, path: "/v1/customer-codes/{code}", name: "mapCustomerCode", verb: "customer-code map", args: "group", needs: access.SetOf(access.ManageGroups),
			example: CodeTarget{Group: route.Sample("group")}, summary: "Map a customer code to a group."},
			func(ctx context.Context, c call, in CodeTarget) (outcome, error) {
				code, err := c.text("code")
				if err != nil {
					return outcome{}, err
				}
				return plain(commands.MapCustomerCode(ctx, c.caller, c.env, command.MapCustomerCode{Code: code, Group: in.Group}))
			}),
		on(a, spec{method: http.MethodDelete, path: "/v1/customer-codes/{code}", name: "unmapCustomerCode", verb: "customer-code unmap", needs: access.SetOf(access.ManageGroups), summary: "Unmap a customer code.", bodyless: true},
			func(ctx context.Context, c call, _ Said) (outcome, error) {
				code, err := c.text("code")
				if err != nil {
					return outcome{}, err
				}
				return plain(commands.UnmapCustomerCode(ctx, c.caller, c.env, code))
			}),
	}
}

// onID makes the route of a command that needs nothing but the id in its path.
func onID(a *api, s spec, run func(context.Context, access.Caller, command.Envelope, uuid.UUID) (aggregates.Result, error)) route.Route {
	return on(a, s, func(ctx context.Context, c call, _ Said) (outcome, error) {
		id, err := c.id("id")
		if err != nil {
			return outcome{}, err
		}
		return plain(run(ctx, c.caller, c.env, id))
	})
}
