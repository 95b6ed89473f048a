package command_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/events"
	"waybill/events/fault"
)

func TestWhoMayWhatWithAClient(t *testing.T) {
	t.Parallel()
	c := newCherry(t)
	made := c.onBehalf()
	verbs := map[string]func(access.Caller) error{
		"details": func(who access.Caller) error {
			_, err := c.s.UpdateClientDetails(c.ctx, who, env(), command.UpdateClientDetails{Client: c.id, Details: command.ClientDetails{BusinessName: "X", Email: "no mail"}})
			return err
		},
		"group": func(who access.Caller) error {
			_, err := c.s.LinkClientGroup(c.ctx, who, env(), command.LinkClientGroup{Client: c.id})
			return err
		},
		"account": func(who access.Caller) error {
			_, err := c.s.CreateClientAccount(c.ctx, who, env(), command.CreateClientAccount{Client: c.id})
			return err
		},
		"invite": func(who access.Caller) error {
			_, err := c.s.InviteClient(c.ctx, who, env(), command.InviteClient{Client: c.id})
			return err
		},
		"resend": func(who access.Caller) error {
			_, err := c.s.ResendClientInvitation(c.ctx, who, env(), c.id)
			return err
		},
		"revoke": func(who access.Caller) error {
			_, err := c.s.RevokeClientInvitation(c.ctx, who, env(), c.id)
			return err
		},
		"assign": func(who access.Caller) error {
			_, err := c.s.AssignDispatcher(c.ctx, who, env(), command.AssignDispatcher{Client: c.id, Dispatcher: c.dana})
			return err
		},
		"unassign": func(who access.Caller) error { _, err := c.s.UnassignDispatcher(c.ctx, who, env(), c.id); return err },
		"remove": func(who access.Caller) error {
			_, err := c.s.RemoveClient(c.ctx, who, env(), command.RemoveClient{Client: c.id})
			return err
		},
		"reinstate": func(who access.Caller) error { _, err := c.s.ReinstateClient(c.ctx, who, env(), c.id); return err },
	}
	elsewhere := c.bundle.group("Elsewhere")
	foreign := c.somebody(access.RoleOwner, true)
	foreign.Org = uuid.New()
	for name, who := range map[string]access.Caller{
		"a manager of another group": c.somebody(access.RoleManager, false, elsewhere), "a customer of another group": c.somebody(access.RoleCustomer, false, elsewhere),
		"an owner of another organisation": foreign, "nobody": {Org: c.org},
	} {
		for verb, do := range verbs {
			if err := do(who); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s by %s: %v, want not found", verb, name, err)
			}
		}
		for verb, do := range map[string]func(access.Caller) error{
			"withdraw": func(who access.Caller) error {
				_, err := c.s.WithdrawClientApproval(c.ctx, who, env(), c.id)
				return err
			},
			"grant": func(who access.Caller) error { _, err := c.s.GrantClientApproval(c.ctx, who, env(), c.id); return err },
		} {
			if err := do(who); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s by %s: %v, want not found", verb, name, err)
			}
		}
	}
	for name, who := range map[string]access.Caller{
		"the client itself": c.customer(made.User), "its dispatcher": c.caller(c.dana, access.RoleDispatcher, false), "an auditor": c.somebody(access.RoleAuditor, true),
	} {
		for verb, do := range verbs {
			if err := do(who); !fault.Is(err, fault.Denied) {
				t.Errorf("%s by %s: %v, want it denied", verb, name, err)
			}
		}
	}
	guest := c.user(access.RoleCustomer, "guest@example.com", c.group).ID // whom the owner lets see the group
	for name, who := range map[string]access.Caller{"the owner": c.owner, "its dispatcher": c.caller(c.dana, access.RoleDispatcher, false), "waybill itself": access.System(c.org),
		"a customer with ALL": c.somebody(access.RoleCustomer, true), "a customer who was let see the group": c.customer(guest)} {
		for verb, do := range map[string]func(context.Context, access.Caller, command.Envelope, uuid.UUID) (aggregates.Result, error){
			"withdraw": c.s.WithdrawClientApproval, "grant": c.s.GrantClientApproval,
		} {
			if _, err := do(c.ctx, who, env(), c.id); !fault.Is(err, fault.Denied) {
				t.Errorf("%s by %s: %v, want it denied", verb, name, err)
			}
		}
	}
	if got := c.types(events.CategoryClientAccount, c.id); len(got) != 5 {
		t.Errorf("the stream holds %v", got)
	}
	_, err := c.s.AcceptClientInvitation(c.ctx, c.owner, env(), command.AcceptClientInvitation{Client: c.id})
	wantCode(t, err, fault.Denied, "identity-needed")
	_, err = c.s.AssignDispatcher(c.ctx, c.owner, env(), command.AssignDispatcher{Client: c.id, Dispatcher: made.User})
	wantCode(t, err, fault.Invalid, "invalid-field")
	_, err = c.s.AssignDispatcher(c.ctx, c.owner, env(), command.AssignDispatcher{Client: c.id, Dispatcher: uuid.New()})
	wantCode(t, err, fault.NotFound, "user-not-found")
}
