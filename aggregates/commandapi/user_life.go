package commandapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/access/route"
	"waybill/aggregates/command"
)

// InvitationResent is the answer.
type InvitationResent struct {
	Done              `json:",inline"`
	InvitationExpires time.Time `json:"invitation_expires_at"`
}

// userLifeRoutes are the commands on invitations and on the end of a membership.
func (a *api) userLifeRoutes() []route.Route {
	return []route.Route{
		onID(a, spec{method: http.MethodDelete, path: "/v1/users/{id}", name: "removeUser", verb: "user remove", needs: access.SetOf(access.ManageUsers), summary: "End a membership, its access and its sessions for good.", bodyless: true, widens: true}, a.removeUser),
		onUser(a, spec{method: http.MethodPost, path: "/invitation/resend", name: "resendInvitation", verb: "user resend-invitation", needs: access.SetOf(access.ManageUsers), summary: "Send an invitation again; earlier links stop working.", bodyless: true, answer: InvitationResent{}},
			func(ctx context.Context, c call, id uuid.UUID, _ Said) (outcome, error) {
				out, err := a.cfg.Commands.ResendInvitation(ctx, c.caller, c.env, id)
				return outcome{answer: InvitationResent{done(out.Result), out.Expires}, position: out.Position}, err
			}),
		onID(a, spec{method: http.MethodDelete, path: "/v1/users/{id}/invitation", name: "revokeInvitation", verb: "user revoke-invitation", needs: access.SetOf(access.ManageUsers), summary: "Withdraw an invitation; its link stops working.", bodyless: true}, a.revokeInvitation),
	}
}

// removeUser removes, and ends the sessions and links. A repetition ends them as
// well, should this one have stopped in between.
func (a *api) removeUser(ctx context.Context, c access.Caller, env command.Envelope, id uuid.UUID) (aggregates.Result, error) {
	res, err := a.cfg.Commands.RemoveUser(ctx, c, env, id)
	if err != nil {
		return res, err
	}
	return res, errors.Join(a.cfg.Access.EndSessionsOf(ctx, c.Org, id), a.cfg.Access.RevokeTokens(ctx, c.Org, id, access.PurposeInvitation))
}

// revokeInvitation withdraws an invitation with its link.
func (a *api) revokeInvitation(ctx context.Context, c access.Caller, env command.Envelope, id uuid.UUID) (aggregates.Result, error) {
	res, err := a.cfg.Commands.RevokeInvitation(ctx, c, env, id)
	if err != nil {
		return res, err
	}
	return res, a.cfg.Access.RevokeTokens(ctx, c.Org, id, access.PurposeInvitation)
}
