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

// RoleChange gives another role.
type RoleChange struct {
	Said   `json:",inline"`
	Role   string      `json:"role" enum:"owner,super_admin,manager,dispatcher,cso,customer,auditor"`
	Groups []uuid.UUID `json:"groups,omitempty" doc:"The access from then on; this or access is required of owners and super admins who become something else."`
	Access string      `json:"access,omitzero" enum:"all,none,groups"`
}

// Groups is a whole access scope.
type Groups struct {
	Said   `json:",inline"`
	Groups []uuid.UUID `json:"groups,omitempty" doc:"The user sees these alone from then on."`
	Access string      `json:"access,omitzero" enum:"all,none,groups" doc:"Required without groups."`
}

// Remainder is what is left of access to all groups.
type Remainder struct {
	Said   `json:",inline"`
	Groups []uuid.UUID `json:"groups,omitempty" doc:"The user sees these alone from then on; none: nothing."`
}

// NewAccessRequest asks for sight of a group.
type NewAccessRequest struct {
	Said      `json:",inline"`
	Group     uuid.UUID `json:"group"`
	ExpiresAt time.Time `json:"expires_at,omitzero" doc:"When the access is to end by itself."`
}

// Review is what a review of somebody's access came to.
type Review struct {
	Said     `json:",inline"`
	Decision string      `json:"decision" enum:"keep,reduce,revoke"`
	Groups   []uuid.UUID `json:"groups,omitempty" doc:"What reduce takes away."`
}

// onUser makes the route of a command on the user of the path.
func onUser[In sayer](a *api, s spec, run func(ctx context.Context, c call, user uuid.UUID, in In) (outcome, error)) route.Route {
	s.path = "/v1/users/{id}" + s.path
	return on(a, s, func(ctx context.Context, c call, in In) (outcome, error) {
		id, err := c.id("id")
		if err != nil {
			return outcome{}, err
		}
		return run(ctx, c, id, in)
	})
}

// userAccessRoutes are the commands on what a user may and sees as a whole.
func (a *api) userAccessRoutes() []route.Route {
	commands := a.cfg.Commands
	return []route.Route{
		onUser(a, spec{method: http.MethodPut, path: "/role", name: "changeRole", verb: "user set-role", args: "role", needs: access.SetOf(access.ManageUsers),
			example: RoleChange{Role: access.RoleDispatcher}, summary: "Give a user another role, and the access that comes with it.", matched: true, widens: true},
			func(ctx context.Context, c call, id uuid.UUID, in RoleChange) (outcome, error) {
				return plain(commands.ChangeRole(ctx, c.caller, c.env, command.ChangeRole{User: id, Role: in.Role, Groups: in.Groups, Access: in.Access}))
			}),
		onUser(a, spec{method: http.MethodPut, path: "/groups", name: "replaceGroups", verb: "user set-groups", needs: access.SetOf(access.ManageUsers),
			example: Groups{Groups: []uuid.UUID{route.Sample("group")}}, summary: "Make groups the whole of what a user sees.",
			matched: true, widens: true, dryRun: true, answer: Widened{}},
			func(ctx context.Context, c call, id uuid.UUID, in Groups) (outcome, error) {
				replace := command.ReplaceGroups{User: id, Groups: in.Groups, Access: in.Access}
				if c.dryRun {
					return preview(commands.PreviewReplace(ctx, c.caller, c.env, replace))
				}
				return widened(commands.ReplaceGroups(ctx, c.caller, c.env, replace))
			}),
		onUser(a, spec{method: http.MethodPut, path: "/all-groups", name: "grantAllGroupsAccess", verb: "user grant-all", needs: access.SetOf(access.ManageUsers, access.GrantAllAccess),
			example: Said{Reason: "Runs the depot"}, summary: "Give a user sight of everything; a reason is required.",
			widens: true, dryRun: true, answer: Widened{}},
			func(ctx context.Context, c call, id uuid.UUID, _ Said) (outcome, error) {
				if c.dryRun {
					return preview(commands.PreviewGrantAll(ctx, c.caller, c.env, id))
				}
				return widened(commands.GrantAllGroupsAccess(ctx, c.caller, c.env, id))
			}),
		onUser(a, spec{method: http.MethodDelete, path: "/all-groups", name: "revokeAllGroupsAccess", verb: "user revoke-all", needs: access.SetOf(access.ManageUsers),
			example: Remainder{Said: Said{Reason: "Moved to Apple"}, Groups: []uuid.UUID{route.Sample("group")}}, summary: "End a user's sight of everything and say what is left; a reason is required.",
			widens: true, dryRun: true, answer: Widened{}},
			func(ctx context.Context, c call, id uuid.UUID, in Remainder) (outcome, error) {
				revoke := command.RevokeAllGroupsAccess{User: id, Groups: in.Groups}
				if c.dryRun {
					return preview(commands.PreviewRevokeAll(ctx, c.caller, c.env, revoke))
				}
				return widened(commands.RevokeAllGroupsAccess(ctx, c.caller, c.env, revoke))
			}),
		onUser(a, spec{method: http.MethodPost, path: "/access-requests", name: "requestGroupAccess", verb: "access-request create", args: "group", needs: access.SetOf(access.ManageUsers), own: true,
			example: NewAccessRequest{Said: Said{Reason: "Covers for Betty"}, Group: route.Sample("group")}, summary: "Ask for a user's sight of a group, or for one's own; a reason is required.", created: true, widens: true},
			func(ctx context.Context, c call, id uuid.UUID, in NewAccessRequest) (outcome, error) {
				out, err := commands.RequestGroupAccess(ctx, c.caller, c.env, command.RequestGroupAccess{User: id, Group: in.Group, ExpiresAt: in.ExpiresAt})
				return outcome{answer: made(out), position: out.Position, location: "/v1/access-requests/" + out.ID.String()}, err
			}),
		onUser(a, spec{method: http.MethodPost, path: "/access-requests/{request}/approve", name: "approveGroupAccess", verb: "access-request approve", needs: access.SetOf(access.ManageUsers), bodyless: true, widens: true,
			summary: "Approve and grant what was asked for, unless one asked for it oneself or gets it."}, onRequest(commands.ApproveGroupAccess)),
		onUser(a, spec{method: http.MethodPost, path: "/access-requests/{request}/deny", name: "denyGroupAccess", verb: "access-request deny", needs: access.SetOf(access.ManageUsers),
			example: Said{Reason: "Not needed any more"}, bodyless: true, widens: true,
			summary: "Deny what was asked for."}, onRequest(commands.DenyGroupAccess)),
		onUser(a, spec{method: http.MethodPost, path: "/access-reviews", name: "recordAccessReview", verb: "user review", args: "decision", needs: access.SetOf(access.ManageUsers),
			example: Review{Decision: "reduce", Groups: []uuid.UUID{route.Sample("group")}}, summary: "Record what a review of somebody else's access came to.", widens: true},
			func(ctx context.Context, c call, id uuid.UUID, in Review) (outcome, error) {
				return plain(commands.RecordAccessReview(ctx, c.caller, c.env, command.RecordAccessReview{User: id, Decision: in.Decision, Groups: in.Groups}))
			}),
	}
}

func onRequest(run func(context.Context, access.Caller, command.Envelope, command.DecideRequest) (aggregates.Result, error)) func(context.Context, call, uuid.UUID, Said) (outcome, error) {
	return func(ctx context.Context, c call, id uuid.UUID, _ Said) (outcome, error) {
		request, err := c.id("request")
		if err != nil {
			return outcome{}, err
		}
		return plain(run(ctx, c.caller, c.env, command.DecideRequest{User: id, Request: request}))
	}
}
