package policies_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/aggregates/policies"
	"waybill/events"
	"waybill/events/consume"
)

// around knows the people around clients from the log itself.
type around struct{ *bundle }

func (a around) People(ctx context.Context, org, client uuid.UUID, at events.Position) ([]uuid.UUID, error) {
	linked, _ := a.find(events.CategoryClientAccount, client, "ClientGroupLinked").Payload.(*events.ClientGroupLinked)
	if linked == nil {
		return nil, nil
	}
	open, err := (&grants{a.store, a.codec}).Open(ctx, org, linked.Group, at)
	var people []uuid.UUID
	for _, g := range open {
		people = append(people, g.User)
	}
	return people, err
}

func (a around) LookedAfter(_ context.Context, org, dispatcher uuid.UUID, _ events.Position) ([]uuid.UUID, error) {
	var out []uuid.UUID
	for _, ev := range a.all() {
		if e, ok := ev.Payload.(*events.DispatcherAssigned); ok && e.To == dispatcher {
			out = append(out, ev.Stream.UUID())
		}
	}
	return out, nil
}

// ended keeps whose sessions were ended.
type ended struct{ users, until []uuid.UUID }

func (e *ended) EndSessionsOf(_ context.Context, _, user uuid.UUID) error {
	e.users = append(e.users, user)
	return nil
}

func (e *ended) EndSessionsUntil(_ context.Context, _, user uuid.UUID, _ time.Time) error {
	e.until = append(e.until, user)
	return nil
}

// all returns the events of the test's organisation.
func (b *bundle) all() []events.Event {
	b.Helper()
	var out []events.Event
	for r, err := range b.store.ReadAll(b.ctx, events.Position{}, 0) {
		b.must(err)
		if id, err := events.ParseStream(r.Stream); err != nil || id.Org != b.owner.Org || id.Category == events.CategoryClaim {
			continue
		}
		ev, err := b.codec.Decode(r)
		b.must(err)
		out = append(out, ev)
	}
	return out
}

func (b *bundle) find(category string, id uuid.UUID, kind string) events.Event {
	b.Helper()
	var last events.Event
	for _, ev := range b.all() {
		if ev.Stream.Category == category && ev.Stream.UUID() == id && ev.Record.Type == kind {
			last = ev
		}
	}
	return last
}

func (b *bundle) types(category string, id uuid.UUID) []string {
	b.Helper()
	var out []string
	for _, ev := range b.all() {
		if ev.Stream.Category == category && ev.Stream.UUID() == id {
			out = append(out, ev.Record.Type)
		}
	}
	return out
}

// follow hands the log so far to the policy of clients, or of it only the events
// of some types.
func (b *bundle) follow(sessions *ended, kinds ...string) {
	b.Helper()
	p, err := policies.NewClients(policies.ClientsConfig{Commands: b.s, Codec: b.codec, Sight: around{b}, Sessions: sessions})
	b.must(err)
	run := &consume.Run{}
	for _, ev := range b.all() {
		if len(kinds) == 0 || slices.Contains(kinds, ev.Record.Type) {
			run.Records = append(run.Records, ev.Record)
		}
	}
	b.must(p.Handle(b.ctx, run))
}

// raw appends an event as a process does that dies right after it.
func (b *bundle) raw(category string, id uuid.UUID, p events.Payload) events.Event {
	b.Helper()
	n := len(b.types(category, id))
	evs, err := b.codec.Encode(b.ctx, []events.Draft{{ID: uuid.New(), Metadata: events.Metadata{Org: b.owner.Org, Actor: b.owner.Actor, CorrelationID: uuid.New()}, Payload: p}})
	b.must(err)
	_, err = b.store.Append(b.ctx, events.Stream(category, b.owner.Org, id).String(), events.Expected(n-1), evs)
	b.must(err)
	return b.find(category, id, p.EventType())
}

func (b *bundle) client() (id, group, dispatcher uuid.UUID) {
	b.Helper()
	dana, err := b.s.AddUser(b.ctx, b.owner, command.Envelope{}, command.AddUser{Name: "Dana", Email: "dana@example.com", Role: access.RoleDispatcher, Access: "none"})
	b.must(err)
	added, err := b.s.AddClient(b.ctx, b.owner, command.Envelope{}, command.AddClient{BusinessName: "Damson", Email: "dmitri@example.com", GroupName: "Damson", Dispatcher: dana.ID})
	b.must(err)
	return added.ID, added.Group, dana.ID
}

func TestAnAccountThatACrashLeftAloneGetsItsPeopleOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id, group, dana := b.client()
	dmitri := uuid.New()
	created := b.raw(events.CategoryClientAccount, id, &events.ClientAccountCreated{
		Mode: events.ModeOnBehalf, Approval: events.ApprovalNotRequired, User: dmitri, Identity: uuid.New(),
		Details: events.ClientDetails{BusinessName: "Damson", Email: events.PersonalText(id, "dmitri@example.com")},
	})
	for range 2 { // also when the events are handled again
		b.follow(&ended{})
		if got, want := b.types(events.CategoryUser, dmitri), []string{"UserAdded", "GroupAccessGranted", "UserInvited"}; !slices.Equal(got, want) {
			t.Fatalf("the contact's stream holds %v, want %v", got, want)
		}
		if got, want := b.types(events.CategoryUser, dana), []string{"UserAdded", "UserInvited", "GroupAccessGranted"}; !slices.Equal(got, want) {
			t.Fatalf("the dispatcher's stream holds %v, want %v", got, want)
		}
		if got := b.types(events.CategoryClientAccount, id); got[len(got)-1] != "ClientNotified" || len(got) != 5 {
			t.Fatalf("the client's stream holds %v", got)
		}
	}
	for _, of := range []uuid.UUID{dmitri, dana} {
		ev := b.find(events.CategoryUser, of, "GroupAccessGranted")
		p, m := ev.Payload.(*events.GroupAccessGranted), ev.Metadata
		if p.Group != group || p.Origin != id.String() || m.CausationID != created.Record.ID || m.CorrelationID != created.Metadata.CorrelationID || m.Actor.Type != events.ActorSystem {
			t.Errorf("the grant is %+v in %+v, want it caused by the account", p, m)
		}
	}
}

func TestWithdrawalAndUnassignmentThatACrashLeftUndoneTakeBackJustThatGrant(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]func(dana uuid.UUID) events.Payload{
		"withdrawn":  func(uuid.UUID) events.Payload { return &events.ClientApprovalWithdrawn{} },
		"unassigned": func(dana uuid.UUID) events.Payload { return &events.DispatcherUnassigned{From: dana} },
		"removed":    func(uuid.UUID) events.Payload { return &events.ClientRemoved{Fate: events.FateKeptByClient} },
	} {
		b := setup(t)
		id, group, dana := b.client()
		_, err := b.s.CreateClientAccount(b.ctx, b.owner, command.Envelope{}, command.CreateClientAccount{Client: id})
		b.must(err)
		_, err = b.s.GrantGroupAccess(b.ctx, b.owner, command.Envelope{}, command.GrantGroupAccess{User: dana, Group: group})
		b.must(err)
		b.raw(events.CategoryClientAccount, id, p(dana))
		for range 2 {
			b.follow(&ended{})
			if got, want := b.types(events.CategoryUser, dana), []string{"UserAdded", "UserInvited", "GroupAccessGranted", "GroupAccessGranted", "GroupAccessRevoked"}; !slices.Equal(got, want) {
				t.Errorf("%s: the dispatcher's stream holds %v, want %v", name, got, want)
			}
		}
		if e, ok := b.find(events.CategoryUser, dana, "GroupAccessRevoked").Payload.(*events.GroupAccessRevoked); !ok || e.RemainingGroups != 1 {
			t.Errorf("%s: taken back was %+v, want the direct grant to stay", name, e)
		}
	}
}

func TestAllLoginsOfAnEndedClientEndWithTheirSessions(t *testing.T) {
	t.Parallel()
	for fate, ends := range map[string]bool{events.FateEnded: true, events.FateKeptByClient: false} {
		b := setup(t)
		id, group, _ := b.client()
		made, err := b.s.CreateClientAccount(b.ctx, b.owner, command.Envelope{}, command.CreateClientAccount{Client: id})
		b.must(err)
		more, err := b.s.AddUser(b.ctx, b.owner, command.Envelope{}, command.AddUser{Name: "Dora", Email: "dora@example.com", Role: access.RoleCustomer, Groups: []uuid.UUID{group}})
		b.must(err)
		staff, err := b.s.AddUser(b.ctx, b.owner, command.Envelope{}, command.AddUser{Name: "Wayne", Email: "wayne@example.com", Role: access.RoleCSO, Groups: []uuid.UUID{group}})
		b.must(err)
		_, err = b.s.RemoveClient(b.ctx, b.owner, command.Envelope{}, command.RemoveClient{Client: id, Fate: fate})
		b.must(err)
		sessions := &ended{}
		b.follow(sessions)
		b.follow(&ended{})
		for _, user := range []uuid.UUID{made.User, more.ID} {
			got := b.types(events.CategoryUser, user)
			if blocked := got[len(got)-1] == "UserBlocked"; blocked != ends || slices.Contains(sessions.users, user) != ends {
				t.Errorf("fate %s: a customer's stream holds %v, sessions ended of %v", fate, got, sessions.users)
			}
		}
		if got := b.types(events.CategoryUser, staff.ID); len(got) != 3 || slices.Contains(sessions.users, staff.ID) {
			t.Errorf("fate %s: staff's stream holds %v", fate, got)
		}
	}
}

func TestTheClientsOfABlockedDispatcherAreLeftToTheOwners(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id, _, dana := b.client()
	_, err := b.s.CreateClientAccount(b.ctx, b.owner, command.Envelope{}, command.CreateClientAccount{Client: id})
	b.must(err)
	b.follow(&ended{})
	_, err = b.s.BlockUser(b.ctx, b.owner, command.Envelope{}, dana)
	b.must(err)
	for range 2 {
		b.follow(&ended{}, "UserBlocked", "DispatcherUnassigned")
		ev := b.find(events.CategoryClientAccount, id, "DispatcherUnassigned")
		if p, ok := ev.Payload.(*events.DispatcherUnassigned); !ok || p.From != dana || ev.Metadata.Reason != "dispatcher_blocked" || ev.Metadata.CausationID != b.find(events.CategoryUser, dana, "UserBlocked").Record.ID {
			t.Fatalf("the client's dispatcher is %+v by %+v", ev.Payload, ev.Metadata)
		}
		if got := b.types(events.CategoryUser, dana); got[len(got)-1] != "GroupAccessRevoked" || len(got) != 5 {
			t.Errorf("the dispatcher's stream holds %v", got)
		}
	}
}

func TestADispatcherWhoCeasesToSeeEverythingSeesItsClients(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id, group, dana := b.client()
	_, err := b.s.GrantAllGroupsAccess(b.ctx, b.owner, command.Envelope{Reason: "covers for all"}, dana)
	b.must(err)
	_, err = b.s.CreateClientAccount(b.ctx, b.owner, command.Envelope{}, command.CreateClientAccount{Client: id})
	b.must(err)
	listed, err := b.s.AddClient(b.ctx, b.owner, command.Envelope{}, command.AddClient{BusinessName: "Elder", Email: "e@example.com", GroupName: "Elder", Dispatcher: dana})
	b.must(err) // not an account yet
	_, err = b.s.RevokeAllGroupsAccess(b.ctx, b.owner, command.Envelope{Reason: "no longer"}, command.RevokeAllGroupsAccess{User: dana})
	b.must(err)
	for range 2 {
		b.follow(&ended{}, "AllGroupsAccessRevoked")
		ev := b.find(events.CategoryUser, dana, "GroupAccessGranted")
		p, ok := ev.Payload.(*events.GroupAccessGranted)
		if !ok || p.Group != group || p.Basis != events.BasisDispatcherAssignment || p.Origin != id.String() ||
			ev.Metadata.CausationID != b.find(events.CategoryUser, dana, "AllGroupsAccessRevoked").Record.ID {
			t.Fatalf("the dispatcher's grant is %+v by %+v", ev.Payload, ev.Metadata)
		}
		if got := b.types(events.CategoryUser, dana); len(got) != 5 {
			t.Errorf("the dispatcher's stream holds %v, want one grant: %s is no account yet", got, listed.ID)
		}
	}
	// And what came of the assignment ends with it.
	_, err = b.s.UnassignDispatcher(b.ctx, b.owner, command.Envelope{}, id)
	b.must(err)
	if got := b.types(events.CategoryUser, dana); got[len(got)-1] != "GroupAccessRevoked" {
		t.Errorf("unassigned, the dispatcher's stream holds %v", got)
	}
}

func TestWhatAReviewTakesFromADispatcherIsNotGivenBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id, _, dana := b.client()
	_, err := b.s.GrantAllGroupsAccess(b.ctx, b.owner, command.Envelope{Reason: "covers for all"}, dana)
	b.must(err)
	_, err = b.s.CreateClientAccount(b.ctx, b.owner, command.Envelope{}, command.CreateClientAccount{Client: id})
	b.must(err)
	_, err = b.s.RecordAccessReview(b.ctx, b.owner, command.Envelope{}, command.RecordAccessReview{User: dana, Decision: events.ReviewRevoke})
	b.must(err)
	b.follow(&ended{}, "AllGroupsAccessRevoked")
	if got := b.types(events.CategoryUser, dana); got[len(got)-1] != "AllGroupsAccessRevoked" {
		t.Errorf("after the review the dispatcher's stream holds %v", got)
	}
}

func TestTheClientsOfADispatcherWhoBecomesACustomerAreLeftToTheOwners(t *testing.T) {
	t.Parallel()
	for role, leaves := range map[string]bool{access.RoleAuditor: true, access.RoleCustomer: true, access.RoleManager: false} {
		b := setup(t)
		id, _, dana := b.client()
		_, err := b.s.ChangeRole(b.ctx, b.owner, command.Envelope{}, command.ChangeRole{User: dana, Role: role, Access: "none"})
		b.must(err)
		b.follow(&ended{})
		if left := b.find(events.CategoryClientAccount, id, "DispatcherUnassigned").Payload != nil; left != leaves {
			t.Errorf("now a %s: left to the owners %v, want %v", role, left, leaves)
		}
	}
}

func TestWhoeverIsBlockedOrRemovedKeepsNoSessionWhereverThatStopped(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]events.Payload{
		"blocked": &events.UserBlocked{}, "blocked for a client": &events.UserBlocked{Client: uuid.New()}, "removed": &events.UserRemoved{},
		"given another role": &events.UserRoleChanged{From: access.RoleDispatcher, To: access.RoleCSO},
	} {
		b := setup(t)
		_, _, dana := b.client()
		b.raw(events.CategoryUser, dana, p)
		sessions := &ended{}
		b.follow(sessions)
		if _, stays := p.(*events.UserRoleChanged); slices.Contains(sessions.until, dana) == stays {
			t.Errorf("%s: sessions ended of %v", name, sessions.until)
		}
	}
}
