package command_test

import (
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/events"
	"waybill/events/fault"
)

func TestNobodyApprovesHisOwnRequestAsAMachineOrAsAnotherUser(t *testing.T) {
	t.Parallel()
	b := setup(t)
	apple, banana := b.group("Apple"), b.group("Banana")
	betty := b.user(access.RoleManager, "betty@example.com", banana)
	mia := b.user(access.RoleManager, "mia@example.com", apple, banana)
	as := func(u command.UserAdded, groups ...uuid.UUID) access.Caller {
		c := b.caller(u.ID, access.RoleManager, false, groups...)
		c.Identity = u.Identity
		return c
	}
	machine := func(c access.Caller) (access.Caller, command.Envelope) {
		e := because("to help")
		c.Actor, e.OnBehalfOf = events.Actor{Type: events.ActorAPIKey, ID: uuid.NewString()}, "user:"+c.User.String()
		return c, e
	}
	try := func(c access.Caller, e command.Envelope, request uuid.UUID) error {
		_, err := b.s.ApproveGroupAccess(b.ctx, c, e, command.DecideRequest{User: betty.ID, Request: request})
		return err
	}
	key, e := machine(as(mia, apple, banana))
	asked, err := b.s.RequestGroupAccess(b.ctx, key, e, command.RequestGroupAccess{User: betty.ID, Group: apple})
	b.must(err)
	if p := b.event(events.CategoryUser, betty.ID, 3).Payload.(*events.GroupAccessRequested); p.By != mia.ID {
		t.Errorf("asked for by %s, want by the user behind the machine, %s", p.By, mia.ID)
	}
	wantCode(t, try(as(mia, apple, banana), env(), asked.ID), fault.Denied, "approver-not-independent") // whose machine asked
	other, e := machine(as(mia, apple, banana))
	wantCode(t, try(other, e, asked.ID), fault.Denied, "approver-not-independent") // another machine
	hers, e := machine(as(betty, apple, banana))
	wantCode(t, try(hers, e, asked.ID), fault.Denied, "approver-not-independent") // a machine of who gets it

	_, err = b.s.RemoveUser(b.ctx, b.owner, env(), mia.ID)
	b.must(err)
	back := b.user(access.RoleManager, "mia@example.com", apple, banana)
	if back.Identity != mia.Identity || back.ID == mia.ID {
		t.Fatalf("come back as %+v, was %+v", back, mia)
	}
	wantCode(t, try(as(back, apple, banana), env(), asked.ID), fault.Denied, "approver-not-independent")
	b.must(try(b.owner, env(), asked.ID))
}
