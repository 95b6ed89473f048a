package command_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/events"
	"waybill/events/fault"
	"waybill/events/store"
)

// cherry is a client with a dispatcher who sees nothing else, and a group.
type cherry struct {
	*bundle
	id, group, dana uuid.UUID
}

func newCherry(t *testing.T) *cherry {
	t.Helper()
	b := setup(t)
	dana, err := b.s.AddUser(b.ctx, b.owner, env(), command.AddUser{Name: "Dana", Email: "dana@example.com", Role: access.RoleDispatcher, Access: "none"})
	b.must(err)
	added, err := b.s.AddClient(b.ctx, b.owner, env(), command.AddClient{BusinessName: "Cherry Ltd", Contact: "Carl", Email: "carl@example.com", Dispatcher: dana.ID, GroupName: "Cherry"})
	b.must(err)
	return &cherry{b, added.ID, added.Group, dana.ID}
}

// person is the identity behind an e-mail.
func (b *bundle) person(email string) access.Caller {
	b.Helper()
	id, err := b.identities.Ensure(b.ctx, email)
	b.must(err)
	return access.Caller{Org: b.org, Identity: id, Actor: events.Actor{Type: events.ActorIdentity, ID: id.String()}}
}

func (c *cherry) invite() uuid.UUID {
	c.Helper()
	out, err := c.s.InviteClient(c.ctx, c.owner, env(), command.InviteClient{Client: c.id})
	c.must(err)
	return out.Invitation
}

func (c *cherry) accept(invitation uuid.UUID, email string) (command.ClientAccountMade, error) {
	return c.s.AcceptClientInvitation(c.ctx, c.person(strings.ToLower(email)), env(), command.AcceptClientInvitation{
		Client: c.id, Invitation: invitation, Email: email, PasswordSet: true,
	})
}

func (c *cherry) onBehalf() command.ClientAccountMade {
	c.Helper()
	out, err := c.s.CreateClientAccount(c.ctx, c.owner, env(), command.CreateClientAccount{Client: c.id})
	c.must(err)
	return out
}

// customer is the client's contact as a caller.
func (c *cherry) customer(user uuid.UUID) access.Caller {
	return c.caller(user, access.RoleCustomer, false, c.group)
}

func (b *bundle) event(category string, id uuid.UUID, revision int) events.Event {
	b.Helper()
	records := b.records(category, id)
	if revision >= len(records) {
		b.Fatalf("the stream of %s %s has %d events", category, id, len(records))
	}
	ev, err := b.codec.Decode(records[revision])
	b.must(err)
	evs := []events.Event{ev}
	b.must(b.codec.Open(b.ctx, evs))
	return evs[0]
}

func TestAnAccountByInvitationFollowsTheWorkedExample(t *testing.T) {
	t.Parallel()
	c := newCherry(t)
	invitation := c.invite()
	_, err := c.accept(invitation, "frank@example.com")
	wantCode(t, err, fault.Conflict, "invitation-not-open")
	made, err := c.accept(invitation, "Carl@example.com")
	c.must(err)
	c.wantTypes(events.CategoryClientAccount, c.id, "ClientAdded", "DispatcherAssigned", "ClientGroupLinked", "ClientInvited",
		"ClientInvitationAcceptanceRefused", "ClientInvitationAccepted", "ClientAccountCreated", "ClientApprovalGranted")
	refused := c.event(events.CategoryClientAccount, c.id, 4)
	if p := refused.Payload.(*events.ClientInvitationAcceptanceRefused); p.Cause != "email_mismatch" || refused.Metadata.Actor != c.person("frank@example.com").Actor {
		t.Errorf("the refusal is %+v by %v", p, refused.Metadata.Actor)
	}
	created, approved := c.event(events.CategoryClientAccount, c.id, 6), c.event(events.CategoryClientAccount, c.id, 7)
	if p := created.Payload.(*events.ClientAccountCreated); p.Mode != events.ModeInvited || p.User != made.User || p.Details.Email.Text() != "carl@example.com" || p.Details.Contact.Text() != "Carl" {
		t.Errorf("the account is %+v", p)
	}
	c.wantTypes(events.CategoryUser, made.User, "UserAdded", "GroupAccessGranted", "UserInvitationAccepted", "PasswordSet")
	user, sight := c.event(events.CategoryUser, made.User, 0), c.event(events.CategoryUser, made.User, 1)
	if p := user.Payload.(*events.UserAdded); p.Role != access.RoleCustomer || p.Access != events.AccessGroups || p.Name.Text() != "Carl" || p.Email.Text() != "carl@example.com" || p.Identity != c.person("carl@example.com").Identity {
		t.Errorf("the contact is %+v", p)
	}
	if p := sight.Payload.(*events.GroupAccessGranted); p.Group != c.group || p.Basis != events.BasisClientAccount || p.Origin != c.id.String() {
		t.Errorf("the contact's grant is %+v", p)
	}
	if m := sight.Metadata; m.CausationID != created.Record.ID || m.Actor.Type != events.ActorSystem || m.CorrelationID != created.Metadata.CorrelationID {
		t.Errorf("the contact's envelope is %+v, want it caused by the account", m)
	}
	n := len(c.records(events.CategoryUser, c.dana))
	granted := c.event(events.CategoryUser, c.dana, n-1)
	if p, ok := granted.Payload.(*events.GroupAccessGranted); !ok || p.Group != c.group || p.Basis != events.BasisDispatcherAssignment || p.Origin != c.id.String() {
		t.Fatalf("the dispatcher's last event is %+v", granted.Payload)
	}
	if m := granted.Metadata; m.CausationID != approved.Record.ID || m.Approval.By != made.User.String() || m.Approval.RequestedBy != c.owner.Actor.ID {
		t.Errorf("the dispatcher's envelope is %+v, want it caused by the approval, on the contact's approval and the owner's request", m)
	}

	_, err = c.s.WithdrawClientApproval(c.ctx, c.customer(made.User), because("moving dispatch in-house"), c.id)
	c.must(err)
	revoked := c.event(events.CategoryUser, c.dana, n)
	if p, ok := revoked.Payload.(*events.GroupAccessRevoked); !ok || p.Group != c.group || revoked.Metadata.Reason != "client_approval_withdrawn" ||
		revoked.Metadata.CausationID != c.event(events.CategoryClientAccount, c.id, 8).Record.ID {
		t.Errorf("the dispatcher's last event is %+v of %+v", revoked.Payload, revoked.Metadata)
	}
}

func TestAnAccountOnBehalfFollowsTheWorkedExample(t *testing.T) {
	t.Parallel()
	c := newCherry(t)
	invitation := c.invite()
	made := c.onBehalf()
	c.wantTypes(events.CategoryClientAccount, c.id, "ClientAdded", "DispatcherAssigned", "ClientGroupLinked", "ClientInvited",
		"ClientInvitationRevoked", "ClientAccountCreated", "ClientNotified")
	created := c.event(events.CategoryClientAccount, c.id, 5)
	if p := created.Payload.(*events.ClientAccountCreated); p.Mode != events.ModeOnBehalf || p.Approval != events.ApprovalNotRequired || p.User != made.User {
		t.Errorf("the account is %+v", p)
	}
	c.wantTypes(events.CategoryUser, made.User, "UserAdded", "GroupAccessGranted", "UserInvited")
	if p := c.event(events.CategoryUser, made.User, 2).Payload.(*events.UserInvited); p.Client != c.id {
		t.Errorf("the contact's invitation is %+v, want it to name the client, whose notice brings the link", p)
	}
	n := len(c.records(events.CategoryUser, c.dana))
	if m := c.event(events.CategoryUser, c.dana, n-1).Metadata; m.CausationID != created.Record.ID || m.Approval.By != "" ||
		m.Approval.Reference != events.ApprovalNotRequired || m.Approval.RequestedBy != c.owner.Actor.ID {
		t.Errorf("the dispatcher's envelope is %+v, want it caused by the account without approval", m)
	}
	if notice := c.event(events.CategoryClientAccount, c.id, 6); notice.Metadata.CausationID != created.Record.ID || notice.Metadata.Actor.Type != events.ActorSystem {
		t.Errorf("the notice is by %v", notice.Metadata.Actor)
	}
	if _, err := c.accept(invitation, "carl@example.com"); err == nil {
		t.Error("an invitation that the account closed was accepted")
	}
}

func TestARepeatedCommandOfAClientDoesNothingMore(t *testing.T) {
	t.Parallel()
	c := newCherry(t)
	once := env()
	first, err := c.s.CreateClientAccount(c.ctx, c.owner, once, command.CreateClientAccount{Client: c.id})
	c.must(err)
	again, err := c.process().CreateClientAccount(c.ctx, c.owner, once, command.CreateClientAccount{Client: c.id})
	c.must(err)
	if again.User != first.User || again.Group != first.Group || again.Events != first.Events {
		t.Errorf("again: %+v, want %+v", again, first)
	}
	c.wantTypes(events.CategoryUser, first.User, "UserAdded", "GroupAccessGranted", "UserInvited")
	// The reactions again, as the policies have them after a crash.
	for _, r := range c.records(events.CategoryClientAccount, c.id) {
		ev, err := c.codec.Decode(r)
		c.must(err)
		_, err = c.process().FollowClient(c.ctx, access.System(c.org), ev)
		c.must(err)
	}
	c.wantTypes(events.CategoryUser, first.User, "UserAdded", "GroupAccessGranted", "UserInvited")
	if got := c.types(events.CategoryUser, c.dana); len(got) != 3 {
		t.Errorf("the dispatcher's stream holds %v", got)
	}
}

func isConflict(err error, code string) bool {
	f, ok := err.(*fault.Error)
	return ok && f.Kind == fault.Conflict && f.Code == code
}

func TestARemovedClientGetsNoGroup(t *testing.T) {
	t.Parallel()
	b := setup(t)
	added, err := b.s.AddClient(b.ctx, b.owner, env(), command.AddClient{BusinessName: "Elder", Email: "e@example.com"})
	b.must(err)
	_, err = b.s.RemoveClient(b.ctx, b.owner, env(), command.RemoveClient{Client: added.ID})
	b.must(err)
	link := command.LinkClientGroup{Client: added.ID, GroupName: "Elder"}
	_, err = b.s.LinkClientGroup(b.ctx, b.owner, env(), link)
	wantCode(t, err, fault.Conflict, "client-removed")
	b.group("Elder") // nobody has the name
	_, err = b.s.ReinstateClient(b.ctx, b.owner, env(), added.ID)
	b.must(err)
	link.GroupName, link.Client = "Elder's", added.ID
	repeated := env()
	for range 2 {
		_, err = b.s.LinkClientGroup(b.ctx, b.owner, repeated, link)
		b.must(err)
	}
	_, err = b.s.RemoveClient(b.ctx, b.owner, env(), command.RemoveClient{Client: added.ID})
	b.must(err)
	_, err = b.s.LinkClientGroup(b.ctx, b.owner, repeated, link) // sent again
	b.must(err)
}

func TestAClientWhoseGroupsNameIsTakenIsNotAdded(t *testing.T) {
	t.Parallel()
	c := newCherry(t)
	add := command.AddClient{BusinessName: "Cherry & Sons", Email: "sons@example.com", GroupName: " CHERRY "}
	repeated := command.Envelope{CommandID: uuid.New()}
	for range 2 {
		out, err := c.s.AddClient(c.ctx, c.owner, repeated, add)
		wantCode(t, err, fault.Conflict, "group-name-taken")
		if out.ID != uuid.Nil {
			t.Errorf("refused, and yet it is client %s", out.ID)
		}
	}
	clients := 0
	for r, err := range c.store.ReadAll(c.ctx, c.from, store.Forwards) {
		c.must(err)
		if r.Type == "ClientAdded" && strings.Contains(r.Stream, c.org.String()) {
			clients++
		}
	}
	if clients != 1 {
		t.Errorf("%d clients were added, want Cherry alone", clients)
	}
	add.GroupName = "Cherry & Sons"
	_, err := c.s.AddClient(c.ctx, c.owner, env(), add) // another command, another name
	c.must(err)
}

func TestTheGroupOfAClientIsMadeOnDemand(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, do := range map[string]func(id uuid.UUID) (uuid.UUID, error){
		"account": func(id uuid.UUID) (uuid.UUID, error) {
			out, err := b.s.CreateClientAccount(b.ctx, b.owner, env(), command.CreateClientAccount{Client: id})
			return out.Group, err
		},
		"invitation": func(id uuid.UUID) (uuid.UUID, error) {
			out, err := b.s.InviteClient(b.ctx, b.owner, env(), command.InviteClient{Client: id, GroupName: "Named"})
			return out.Group, err
		},
	} {
		added, err := b.s.AddClient(b.ctx, b.owner, env(), command.AddClient{BusinessName: "On " + name, Email: name + "@example.com"})
		b.must(err)
		group, err := do(added.ID)
		b.must(err)
		linked, ok := b.event(events.CategoryClientAccount, added.ID, 1).Payload.(*events.ClientGroupLinked)
		if !ok || linked.Group != group || group == uuid.Nil || (linked.GroupName == "On account") == (name == "invitation") {
			t.Errorf("%s: linked %+v, answered %s", name, linked, group)
		}
	}
}

func TestDetailsOfAClientAreChangedByWhatOneSaw(t *testing.T) {
	t.Parallel()
	c := newCherry(t)
	in := command.UpdateClientDetails{Client: c.id, Details: command.ClientDetails{BusinessName: "Cherry & Sons", Contact: "Carl", Email: "carl@example.com", Phone: "+44 1632 960001"}}
	old, now := uint64(1), uint64(2)
	stale, current := env(), env()
	stale.ExpectedRevision, current.ExpectedRevision = &old, &now
	_, err := c.s.UpdateClientDetails(c.ctx, c.owner, stale, in)
	wantCode(t, err, fault.Conflict, aggregates.CodeRevisionMismatch)
	_, err = c.s.UpdateClientDetails(c.ctx, c.owner, current, in)
	c.must(err)
	p := c.event(events.CategoryClientAccount, c.id, 3).Payload.(*events.ClientDetailsChanged)
	if p.Before.BusinessName != "Cherry Ltd" || p.Before.Contact.Text() != "Carl" || p.After.BusinessName != "Cherry & Sons" || p.After.Phone.Text() != "+44 1632 960001" {
		t.Errorf("changed from %+v to %+v", p.Before, p.After)
	}
	made := c.onBehalf() // prefilled with them
	if d := c.event(events.CategoryClientAccount, c.id, 4).Payload.(*events.ClientAccountCreated).Details; d.BusinessName != "Cherry & Sons" || d.Phone.Text() != "+44 1632 960001" {
		t.Errorf("the account of %s is of %+v", made.User, d)
	}
}

func TestAnInvitationExpiresByTheClockOnce(t *testing.T) {
	t.Parallel()
	c := newCherry(t)
	invitation := c.invite()
	in := command.ExpireClientInvitation{Client: c.id, Invitation: invitation}
	expire := func(at time.Time) {
		t.Helper()
		_, err := c.s.ExpireClientInvitation(c.ctx, access.System(c.org), command.Envelope{At: at}, in)
		c.must(err)
	}
	expire(time.Now())
	expire(time.Now().AddDate(0, 0, 8))
	expire(time.Now().AddDate(0, 0, 9))
	if got := c.types(events.CategoryClientAccount, c.id); len(got) != 5 || got[4] != "ClientInvitationExpired" {
		t.Errorf("the stream holds %v", got)
	}
	_, err := c.accept(invitation, "carl@example.com")
	wantCode(t, err, fault.Conflict, "invitation-not-open")
	_, err = c.s.ExpireClientInvitation(c.ctx, c.owner, env(), in)
	wantCode(t, err, fault.Denied, "system-only")
}

func TestTheRevisionOfAClientThatGetsAGroupIsTheClients(t *testing.T) {
	t.Parallel()
	b := setup(t)
	added, err := b.s.AddClient(b.ctx, b.owner, env(), command.AddClient{BusinessName: "Fig", Email: "fig@example.com"})
	b.must(err)
	stale, current := env(), env()
	other := added.Revision + 1
	stale.ExpectedRevision, current.ExpectedRevision = &other, &added.Revision
	link := command.LinkClientGroup{Client: added.ID, GroupName: "Fig"}
	_, err = b.s.LinkClientGroup(b.ctx, b.owner, stale, link)
	wantCode(t, err, fault.Conflict, aggregates.CodeRevisionMismatch)
	link.GroupName = "Figs" // nothing was made in the other name
	_, err = b.s.LinkClientGroup(b.ctx, b.owner, current, link)
	b.must(err)
}
