package command_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/events"
	"waybill/events/fault"
)

// Whoever sees a group for a time makes nobody, such as an account of one's own,
// see it for longer.
func TestNobodyGivesForLongerWhatHeHasForATime(t *testing.T) {
	t.Parallel()
	b := setup(t)
	apple, banana := b.group("Apple"), b.group("Banana")
	end := time.Now().Add(time.Hour).Truncate(time.Microsecond)
	mia := b.somebody(access.RoleManager, false, apple, banana)
	mia.Ends = map[uuid.UUID]time.Time{apple: end}
	adam := b.user(access.RoleCSO, "adam@example.com", banana).ID
	add := func(groups ...uuid.UUID) error {
		_, err := b.s.AddUser(b.ctx, mia, env(), command.AddUser{Name: "Two", Email: uuid.NewString() + "@example.com", Role: access.RoleCSO, Groups: groups})
		return err
	}
	grant := func(group uuid.UUID, until time.Time) error {
		_, err := b.s.GrantGroupAccess(b.ctx, mia, env(), command.GrantGroupAccess{User: adam, Group: group, ExpiresAt: until})
		return err
	}
	replace := func(groups ...uuid.UUID) error {
		_, err := b.s.ReplaceGroups(b.ctx, mia, env(), command.ReplaceGroups{User: adam, Groups: groups})
		return err
	}
	role := func(groups ...uuid.UUID) error {
		_, err := b.s.ChangeRole(b.ctx, mia, env(), command.ChangeRole{User: adam, Role: access.RoleDispatcher, Groups: groups})
		return err
	}
	for field, tries := range map[string][]error{
		"groups":     {add(apple), add(banana, apple), replace(apple), replace(banana, apple), role(apple)},
		"expires_at": {grant(apple, time.Time{}), grant(apple, end.Add(time.Second))},
	} {
		for i, err := range tries {
			var f *fault.Error
			if !errors.As(err, &f) || f.Kind != fault.Invalid || len(f.Fields) != 1 || f.Fields[0].Name != field || !containsFold(f.Fields[0].Detail, end.UTC().Format(time.RFC3339)) {
				t.Errorf("%s, try %d: %v, want the field refused, and until when", field, i, err)
			}
		}
	}
	ask := func(until time.Time) command.DecideRequest {
		made, err := b.s.RequestGroupAccess(b.ctx, b.caller(adam, access.RoleCSO, false, banana, apple), because("to help"), command.RequestGroupAccess{User: adam, Group: apple, ExpiresAt: until})
		b.must(err)
		return command.DecideRequest{User: adam, Request: made.ID}
	}
	long := ask(time.Time{})
	_, err := b.s.ApproveGroupAccess(b.ctx, mia, env(), long)
	wantCode(t, err, fault.Denied, "sight-outlasts-own")
	_, err = b.s.DenyGroupAccess(b.ctx, mia, env(), long)
	b.must(err)
	b.wantTypes(events.CategoryUser, adam, "UserAdded", "GroupAccessGranted", "UserInvited", "GroupAccessRequested", "GroupAccessRequestDenied")

	_, err = b.s.ApproveGroupAccess(b.ctx, mia, env(), ask(end))
	b.must(err)
	b.must(grant(apple, end))
	b.must(add(banana))
	b.must(replace(apple, banana)) // who has it keeps it, for as long as it was given
	_, err = b.s.GrantGroupAccess(b.ctx, b.owner, env(), command.GrantGroupAccess{User: adam, Group: apple})
	b.must(err)
}

func TestNobodyShowsAClientsGroupForLongerThanHeSeesIt(t *testing.T) {
	t.Parallel()
	c := newCherry(t)
	mia := c.somebody(access.RoleManager, false, c.group)
	mia.Ends = map[uuid.UUID]time.Time{c.group: time.Now().Add(time.Hour)}
	_, err := c.s.CreateClientAccount(c.ctx, mia, env(), command.CreateClientAccount{Client: c.id})
	wantCode(t, err, fault.Denied, "sight-outlasts-own")
	_, err = c.s.InviteClient(c.ctx, mia, env(), command.InviteClient{Client: c.id})
	wantCode(t, err, fault.Denied, "sight-outlasts-own")
	_, err = c.s.AssignDispatcher(c.ctx, mia, env(), command.AssignDispatcher{Client: c.id, Dispatcher: c.dana})
	wantCode(t, err, fault.Denied, "sight-outlasts-own")
	c.wantTypes(events.CategoryClientAccount, c.id, "ClientAdded", "DispatcherAssigned", "ClientGroupLinked")
}
