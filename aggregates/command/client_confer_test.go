package command_test

import (
	"errors"
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/events"
	"waybill/events/fault"
)

// independent is a dispatcher without ALL who manages clients.
func (b *bundle) independent(email string) access.Caller {
	b.Helper()
	made, err := b.s.AddUser(b.ctx, b.owner, env(), command.AddUser{Name: "Ida", Email: email, Role: access.RoleDispatcher, Access: "none"})
	b.must(err)
	ida := b.caller(made.ID, access.RoleDispatcher, false)
	ida.Permissions |= access.SetOf(access.ManageClients)
	return ida
}

func TestADispatcherMakesAccountsOfItsOwnClientsAndGoesOnAfterACrash(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ida := b.independent("ida@example.com")
	for name, before := range map[string]string{"no group yet": "", "a group that was made before": "Earlier"} {
		added, err := b.s.AddClient(b.ctx, ida, env(), command.AddClient{BusinessName: "Of " + name, Email: uuid.NewString() + "@example.com", Dispatcher: ida.User, GroupName: before})
		b.must(err)
		_, err = b.s.InviteClient(b.ctx, ida, env(), command.InviteClient{Client: added.ID})
		b.must(err)
		// Linked by now in any case, as it is when a creation stopped half-way.
		made, err := b.s.CreateClientAccount(b.ctx, ida, env(), command.CreateClientAccount{Client: added.ID})
		b.must(err)
		last := b.records(events.CategoryUser, ida.User)
		if p, ok := b.event(events.CategoryUser, ida.User, len(last)-1).Payload.(*events.GroupAccessGranted); !ok || p.Group != made.Group || p.Basis != events.BasisDispatcherAssignment {
			t.Errorf("%s: the dispatcher's last event is %+v, want sight of the client's group", name, p)
		}
	}
}

func TestNobodyLetsOthersSeeAClientsGroupWithoutSeeingItHimself(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ida := b.independent("ida@example.com")
	added, err := b.s.AddClient(b.ctx, ida, env(), command.AddClient{BusinessName: "Damson", Email: "dmitri@example.com", Dispatcher: ida.User})
	b.must(err)
	apple := b.group("Apple")
	b.delivery("D1", apple)
	c := &cherry{bundle: b, id: added.ID}
	c.raw(&events.ClientGroupLinked{Group: apple, GroupName: "Apple"}) // a group that was not made for it
	verbs := map[string]func(who access.Caller) error{
		"account": func(who access.Caller) error {
			_, err := b.s.CreateClientAccount(b.ctx, who, env(), command.CreateClientAccount{Client: added.ID})
			return err
		},
		"invite": func(who access.Caller) error {
			_, err := b.s.InviteClient(b.ctx, who, env(), command.InviteClient{Client: added.ID})
			return err
		},
		"assign": func(who access.Caller) error {
			_, err := b.s.AssignDispatcher(b.ctx, who, env(), command.AssignDispatcher{Client: added.ID, Dispatcher: ida.User})
			return err
		},
	}
	key := ida
	key.Narrowed = true
	for verb, do := range verbs {
		wantCode(t, do(ida), fault.Denied, "group-not-conferrable")
		if err := do(key); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s by a key of the dispatcher for other groups: %v, want not found", verb, err)
		}
	}
	if got := b.types(events.CategoryClientAccount, added.ID); len(got) != 3 {
		t.Errorf("the client's stream holds %v", got)
	}
	ida.Groups = []uuid.UUID{apple}
	b.must(verbs["account"](ida))
}

func TestAClientsDispatcherIsNotToldWhatItsGroupIsCalled(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ida := b.independent("ida@example.com")
	added, err := b.s.AddClient(b.ctx, b.owner, env(), command.AddClient{BusinessName: "Damson", Email: "dmitri@example.com", Dispatcher: ida.User, GroupName: "Secret Merger"})
	b.must(err)
	_, err = b.s.LinkClientGroup(b.ctx, ida, env(), command.LinkClientGroup{Client: added.ID, GroupName: "Damson"})
	wantCode(t, err, fault.Conflict, "client-has-group")
	var f *fault.Error
	if !errors.As(err, &f) || containsFold(f.Detail, "secret") {
		t.Errorf("told %q", f.Detail)
	}
}

func TestACustomerBeyondTheCallerBecomesNobodysContactButByHisOwnYes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ida := b.independent("ida@example.com")
	apple := b.group("Apple")
	carl := b.user(access.RoleCustomer, "carl@example.com", apple)
	added, err := b.s.AddClient(b.ctx, ida, env(), command.AddClient{BusinessName: "Damson", Email: "carl@example.com", Dispatcher: ida.User, GroupName: "Damson"})
	b.must(err)
	n := len(b.records(events.CategoryUser, carl.ID))
	out, err := b.s.CreateClientAccount(b.ctx, ida, env(), command.CreateClientAccount{Client: added.ID})
	wantCode(t, err, fault.Conflict, "email-taken")
	if out.User == carl.ID || len(b.records(events.CategoryUser, carl.ID)) != n {
		t.Errorf("answered %s; the customer's stream holds %v", out.User, b.types(events.CategoryUser, carl.ID))
	}
	c := &cherry{bundle: b, id: added.ID}
	invited, err := b.s.InviteClient(b.ctx, ida, env(), command.InviteClient{Client: added.ID})
	b.must(err)
	made, err := c.accept(invited.Invitation, "carl@example.com")
	b.must(err)
	if got := b.types(events.CategoryUser, carl.ID); made.User != carl.ID || got[len(got)-1] != "GroupAccessGranted" {
		t.Errorf("accepted as %s, want as %s, who sees the group: %v", made.User, carl.ID, got)
	}
}
