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
	"waybill/events"
)

// NewUser asks for a user.
type NewUser struct {
	Said        `json:",inline"`
	Name        string             `json:"name" doc:"Of the person."`
	Email       string             `json:"email" doc:"Where the invitation goes; the name to sign in with."`
	Role        string             `json:"role" enum:"owner,super_admin,manager,dispatcher,cso,customer,auditor"`
	Groups      []uuid.UUID        `json:"groups,omitempty" doc:"Given, the user sees these alone. Empty or absent, the user sees everything, unless access says otherwise."`
	Access      string             `json:"access,omitzero" enum:"all,none,groups" doc:"What the user sees, where groups does not say it."`
	Permissions events.Permissions `json:"permissions,omitempty" doc:"Switches against the role's defaults."`
}

// UserMade is the answer.
type UserMade struct {
	Done              `json:",inline"`
	InvitationExpires time.Time `json:"invitation_expires_at"`
}

// Switches replaces a user's switches.
type Switches struct {
	Said        `json:",inline"`
	Permissions events.Permissions `json:"permissions" doc:"What is not in it is at its role's default."`
}

// Grant gives sight of a group.
type Grant struct {
	Said      `json:",inline"`
	ExpiresAt time.Time `json:"expires_at,omitzero" doc:"When it ends by itself. Required, and no later, when you see the group only until then yourself."`
}

func (a *api) userRoutes() []route.Route {
	commands := a.cfg.Commands
	routes := []route.Route{
		on(a, spec{method: http.MethodPost, path: "/v1/users", name: "addUser", verb: "user add", needs: access.SetOf(access.ManageUsers),
			example: NewUser{Name: "Adam", Email: "adam@example.com", Role: access.RoleCustomer, Groups: []uuid.UUID{route.Sample("group")}}, summary: "Add and invite a user.", created: true, widens: true, answer: UserMade{}},
			func(ctx context.Context, c call, in NewUser) (outcome, error) {
				out, err := commands.AddUser(ctx, c.caller, c.env, command.AddUser{Name: in.Name, Email: in.Email, Role: in.Role,
					Groups: in.Groups, Access: in.Access, Permissions: in.Permissions})
				d := done(out.Result)
				d.ID = out.ID
				return outcome{answer: UserMade{d, out.InvitationExpires}, position: out.Position, location: "/v1/users/" + out.ID.String()}, err
			}),
		on(a, spec{method: http.MethodPut, path: "/v1/users/{id}/permissions", name: "setPermissions", verb: "user set-permissions", needs: access.SetOf(access.ManageUsers),
			example: Switches{Permissions: events.Permissions{access.ManageVehicles.String(): true}}, summary: "Set a user's switches.", matched: true, widens: true},
			func(ctx context.Context, c call, in Switches) (outcome, error) {
				id, err := c.id("id")
				if err != nil {
					return outcome{}, err
				}
				return plain(commands.SetPermissions(ctx, c.caller, c.env, command.SetPermissions{User: id, Permissions: in.Permissions}))
			}),
		on(a, spec{method: http.MethodPut, path: "/v1/users/{id}/groups/{group}", name: "grantGroupAccess", verb: "group grant", needs: access.SetOf(access.ManageUsers),
			example: Grant{Said: Said{Reason: "Covers for Betty"}, ExpiresAt: sampleTime().AddDate(10, 0, 0)}, summary: "Give a user sight of a group.", bodyless: true, widens: true},
			func(ctx context.Context, c call, in Grant) (outcome, error) {
				user, group, err := c.userAndGroup()
				if err != nil {
					return outcome{}, err
				}
				return plain(commands.GrantGroupAccess(ctx, c.caller, c.env, command.GrantGroupAccess{User: user, Group: group, ExpiresAt: in.ExpiresAt}))
			}),
		on(a, spec{method: http.MethodDelete, path: "/v1/users/{id}/groups/{group}", name: "revokeGroupAccess", verb: "group revoke", needs: access.SetOf(access.ManageUsers), summary: "End a user's sight of a group.", bodyless: true, widens: true},
			func(ctx context.Context, c call, _ Said) (outcome, error) {
				user, group, err := c.userAndGroup()
				if err != nil {
					return outcome{}, err
				}
				return plain(commands.RevokeGroupAccess(ctx, c.caller, c.env, command.RevokeGroupAccess{User: user, Group: group}))
			}),
		onID(a, spec{method: http.MethodPost, path: "/v1/users/{id}/block", name: "blockUser", verb: "user block", needs: access.SetOf(access.ManageUsers),
			example: Said{Reason: "Left the company"}, summary: "End a user's access and sessions.", bodyless: true, widens: true}, a.blockUser),
		onID(a, spec{method: http.MethodPost, path: "/v1/users/{id}/unblock", name: "unblockUser", verb: "user unblock", needs: access.SetOf(access.ManageUsers), summary: "Give a blocked user back what it held. Of a user who is blocked for a removed client as well, take back the block first, and the other by a second command.", bodyless: true, widens: true}, commands.UnblockUser),
	}
	return append(append(routes, a.userAccessRoutes()...), a.userLifeRoutes()...)
}

func (c call) userAndGroup() (user, group uuid.UUID, err error) {
	if user, err = c.id("id"); err != nil {
		return user, group, err
	}
	group, err = c.id("group")
	return user, group, err
}

// blockUser blocks, and ends the sessions, so that unblocking does not bring
// them back. A repetition ends them as well, should this one have stopped in
// between.
func (a *api) blockUser(ctx context.Context, c access.Caller, env command.Envelope, id uuid.UUID) (aggregates.Result, error) {
	res, err := a.cfg.Commands.BlockUser(ctx, c, env, id)
	if err != nil {
		return res, err
	}
	return res, a.cfg.Access.EndSessionsOf(ctx, c.Org, id)
}
