package command_test

import (
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/aggregates/user"
	"waybill/events"
	"waybill/events/fault"
)

// sights tells how often the dispatcher got and lost the client's group.
func (c *cherry) sights(user uuid.UUID) (got, lost int) {
	for _, name := range c.types(events.CategoryUser, user) {
		switch name {
		case "GroupAccessGranted":
			got++
		case "GroupAccessRevoked":
			lost++
		}
	}
	return got, lost
}

func TestADispatchersSightFollowsAssignmentAndTheAccount(t *testing.T) {
	t.Parallel()
	c := newCherry(t)
	want := func(what string, user uuid.UUID, got, lost int) {
		t.Helper()
		if g, l := c.sights(user); g != got || l != lost {
			t.Errorf("%s: granted %d times and revoked %d times, want %d and %d", what, g, l, got, lost)
		}
	}
	dora := c.user(access.RoleDispatcher, "dora@example.com", c.bundle.group("Other")).ID
	everything := c.user(access.RoleManager, "vincent@example.com").ID
	assign := func(user uuid.UUID) {
		t.Helper()
		_, err := c.s.AssignDispatcher(c.ctx, c.owner, env(), command.AssignDispatcher{Client: c.id, Dispatcher: user})
		c.must(err)
	}
	want("before there is an account", c.dana, 0, 0)
	c.onBehalf()
	want("with the account", c.dana, 1, 0)
	assign(dora)
	want("replaced", c.dana, 1, 1)
	want("assigned", dora, 2, 0)
	assign(everything)
	want("replaced by somebody with ALL", dora, 2, 1)
	want("who holds ALL needs none", everything, 0, 0)
	assign(c.dana)
	want("assigned again", c.dana, 2, 1)
	_, err := c.s.UnassignDispatcher(c.ctx, c.owner, env(), c.id)
	c.must(err)
	want("unassigned", c.dana, 2, 2)
	assign(c.dana)
	_, err = c.s.RemoveClient(c.ctx, c.owner, env(), command.RemoveClient{Client: c.id})
	c.must(err)
	want("removed", c.dana, 3, 3)
	_, err = c.s.ReinstateClient(c.ctx, c.owner, env(), c.id)
	c.must(err)
	want("reinstated", c.dana, 4, 3)
	// A grant of another source is not touched.
	_, err = c.s.GrantGroupAccess(c.ctx, c.owner, env(), command.GrantGroupAccess{User: c.dana, Group: c.group})
	c.must(err)
	_, err = c.s.UnassignDispatcher(c.ctx, c.owner, env(), c.id)
	c.must(err)
	want("just that grant", c.dana, 5, 4)
}

func TestWhoIsBlockedWhileBeingNamedDispatcherIsNone(t *testing.T) {
	t.Parallel()
	c := newCherry(t)
	c.onBehalf()
	dora := c.user(access.RoleDispatcher, "dora@example.com", c.bundle.group("Other")).ID
	_, err := c.s.BlockUser(c.ctx, c.owner, env(), dora)
	c.must(err)
	c.raw(&events.DispatcherAssigned{From: c.dana, To: dora}) // by whoever looked a moment before
	n := len(c.records(events.CategoryClientAccount, c.id))
	for range 2 {
		_, err = c.s.FollowClient(c.ctx, access.System(c.org), c.event(events.CategoryClientAccount, c.id, n-1))
		c.must(err)
		ev := c.event(events.CategoryClientAccount, c.id, n)
		if p, ok := ev.Payload.(*events.DispatcherUnassigned); !ok || p.From != dora || ev.Metadata.Reason != "dispatcher_blocked" {
			t.Errorf("the client's last event is %+v by %+v", ev.Payload, ev.Metadata)
		}
		if got := c.types(events.CategoryUser, dora); got[len(got)-1] != "UserBlocked" {
			t.Errorf("whoever is blocked got %v", got)
		}
	}
}

func TestARemovedClientsLoginEndsAndComesBack(t *testing.T) {
	t.Parallel()
	c := newCherry(t)
	made := c.onBehalf()
	_, err := c.s.RemoveClient(c.ctx, c.owner, env(), command.RemoveClient{Client: c.id})
	c.must(err)
	c.wantTypes(events.CategoryUser, made.User, "UserAdded", "GroupAccessGranted", "UserInvited", "GroupAccessRevoked", "UserBlocked")
	_, err = c.s.ReinstateClient(c.ctx, c.owner, env(), c.id)
	c.must(err)
	c.wantTypes(events.CategoryUser, made.User, "UserAdded", "GroupAccessGranted", "UserInvited", "GroupAccessRevoked", "UserBlocked", "UserUnblocked", "GroupAccessGranted")
}

func TestWhoeverWasBlockedByAPersonDoesNotComeBackWithTheClient(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]bool{"blocked before the client went": true, "blocked while it was gone": false} {
		c := newCherry(t)
		made := c.onBehalf()
		block := func() { _, err := c.s.BlockUser(c.ctx, c.owner, env(), made.User); c.must(err) }
		if first {
			block()
		}
		_, err := c.s.RemoveClient(c.ctx, c.owner, env(), command.RemoveClient{Client: c.id})
		c.must(err)
		if !first {
			block()
		}
		_, err = c.s.ReinstateClient(c.ctx, c.owner, env(), c.id)
		c.must(err)
		blocked := func() bool {
			var u user.State
			for i := range c.records(events.CategoryUser, made.User) {
				u = user.Evolve(u, c.event(events.CategoryUser, made.User, i).Payload)
			}
			return u.Status == user.Blocked
		}
		if !blocked() {
			t.Errorf("%s: the client's return has let in whom the owner blocked: %v", name, c.types(events.CategoryUser, made.User))
		}
		_, err = c.s.UnblockUser(c.ctx, c.owner, env(), made.User)
		c.must(err)
		if blocked() {
			t.Errorf("%s: still blocked with both reasons gone: %v", name, c.types(events.CategoryUser, made.User))
		}
	}
}

func TestAClientsContactIsNobodyOfTheStaffAndMayBeACustomerAlready(t *testing.T) {
	t.Parallel()
	c := newCherry(t)
	_, err := c.s.CreateClientAccount(c.ctx, c.owner, env(), command.CreateClientAccount{Client: c.id, Details: command.ClientDetails{Email: "dana@example.com"}})
	wantCode(t, err, fault.Conflict, "email-taken")
	c.wantTypes(events.CategoryClientAccount, c.id, "ClientAdded", "DispatcherAssigned", "ClientGroupLinked")
	there := c.user(access.RoleCustomer, "carl@example.com", c.bundle.group("Older")).ID
	if made := c.onBehalf(); made.User != there {
		t.Errorf("the contact is %s, want the customer who is there, %s", made.User, there)
	}
	if got, lost := c.sights(there); got != 2 || lost != 0 {
		t.Errorf("the contact has %d grants", got)
	}
}
