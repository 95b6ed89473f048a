package policies_test

import (
	"context"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/aggregatetest"
	"waybill/aggregates/command"
	"waybill/aggregates/policies"
	"waybill/events"
	"waybill/events/consume"
	"waybill/events/fault"
	"waybill/events/store"
)

var eventstore string

func TestMain(m *testing.M) { os.Exit(aggregatetest.Main(m, &eventstore)) }

// progress is a consumer's progress that lives as long as the test.
type progress struct {
	mu     sync.Mutex
	at     events.Position
	parked []events.Record
}

func (p *progress) Load(context.Context) (consume.Checkpoint, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return consume.Checkpoint{Position: p.at}, nil
}

func (p *progress) Begin() consume.Unit { return &unit{p: p} }

func (p *progress) SetState(context.Context, consume.State, string, events.Position) error {
	return nil
}

type unit struct {
	p      *progress
	parked []events.Record
}

func (u *unit) Reset()                          { u.parked = nil }
func (u *unit) Park(r events.Record, err error) { u.parked = append(u.parked, r) }
func (u *unit) Commit(_ context.Context, after, last events.Position) error {
	u.p.mu.Lock()
	defer u.p.mu.Unlock()
	if u.p.at != after {
		return consume.ErrFenced
	}
	u.p.at, u.p.parked = last, append(u.p.parked, u.parked...)
	return nil
}

// grants answers from the log itself.
type grants struct {
	store *store.Store
	codec *events.Codec
}

func (g *grants) Open(ctx context.Context, org, group uuid.UUID, before events.Position) ([]policies.Grant, error) {
	var open []policies.Grant
	for r, err := range g.store.ReadAll(ctx, events.Position{}, store.Forwards) {
		if err != nil {
			return nil, err
		}
		if !before.After(r.Position) || r.Type != "GroupAccessGranted" && r.Type != "GroupAccessRevoked" {
			continue
		}
		ev, err := g.codec.Decode(r)
		if err != nil {
			return nil, err
		}
		switch e := ev.Payload.(type) {
		case *events.GroupAccessGranted:
			if ev.Stream.Org == org && e.Group == group {
				open = append(open, policies.Grant{User: ev.Stream.UUID(), Grant: e.Grant})
			}
		case *events.GroupAccessRevoked:
			open = slices.DeleteFunc(open, func(o policies.Grant) bool { return o.Grant == e.Grant })
		}
	}
	return open, nil
}

type bundle struct {
	testing.TB
	ctx   context.Context
	store *store.Store
	codec *events.Codec
	x     *aggregates.Executor
	s     *command.Service
	p     *policies.Policies
	owner access.Caller
}

func setup(tb testing.TB) *bundle {
	b := &bundle{TB: tb, ctx: aggregatetest.Within(tb), store: aggregatetest.Open(tb, eventstore), codec: aggregatetest.Codec(tb)}
	var err error
	b.x, err = aggregates.New(aggregates.Config{Store: b.store, Codec: b.codec})
	b.must(err)
	b.s, err = command.New(command.Config{Executor: b.x, Store: b.store, Codec: b.codec, Identities: &aggregatetest.Identities{}, ClaimsSecret: make([]byte, 32)})
	b.must(err)
	b.p, err = policies.New(policies.Config{Commands: b.s, Codec: b.codec, Grants: &grants{b.store, b.codec}, Patience: time.Millisecond})
	b.must(err)
	made, err := b.s.CreateOrganisation(b.ctx, access.System(uuid.Nil), command.Envelope{}, command.CreateOrganisation{
		Name: "Swift", Kind: events.OrganisationOperator, Timezone: "UTC", Owner: command.Owner{Name: "Olivia", Email: "olivia@example.com"},
	})
	b.must(err)
	b.owner = access.System(made.Organisation)
	b.owner.Actor = events.Actor{Type: events.ActorUser, ID: made.Owner.ID.String()}
	return b
}

func (b *bundle) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// react runs the policies as a consumer over the log so far.
func (b *bundle) react(prefixes ...string) *progress {
	b.Helper()
	head, err := b.store.Head(b.ctx)
	b.must(err)
	log := &progress{}
	reached := make(chan struct{})
	var once sync.Once
	c, err := consume.New(consume.Config{
		Name: policies.Name, Prefixes: prefixes, Store: b.store, Log: log, Handler: b.p.Handle,
		Committed: func(at events.Position) {
			if !head.After(at) {
				once.Do(func() { close(reached) })
			}
		},
	})
	b.must(err)
	ctx, stop := context.WithCancel(b.ctx)
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	select {
	case <-reached:
	case err := <-ended:
		b.Fatalf("the consumer ended: %v", err)
	case <-b.ctx.Done():
		b.Fatal("the consumer did not get to the head of the log")
	}
	stop()
	b.must(<-ended)
	if len(log.parked) > 0 {
		b.Errorf("%d events were parked, the first is %s of %s", len(log.parked), log.parked[0].Type, log.parked[0].Stream)
	}
	return log
}

// of are the prefixes of the streams of this test's organisation, so that tests
// do not react to one another.
func (b *bundle) of(categories ...string) []string {
	var out []string
	for _, c := range categories {
		out = append(out, c+"-"+b.owner.Org.String()+".")
	}
	return out
}

func (b *bundle) last(category string, id uuid.UUID) (events.Event, int) {
	b.Helper()
	records, err := b.store.Read(b.ctx, events.Stream(category, b.owner.Org, id).String(), 0, 1000)
	if fault.Is(err, fault.NotFound) {
		return events.Event{}, 0
	}
	b.must(err)
	ev, err := b.codec.Decode(records[len(records)-1])
	b.must(err)
	return ev, len(records)
}

func TestAClientsGroupThatACrashLeftUnlinkedIsLinkedOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	added, err := b.s.AddClient(b.ctx, b.owner, command.Envelope{}, command.AddClient{BusinessName: "Apple", Email: "a@example.com"})
	b.must(err)
	// The group was made, and then the process died.
	group := uuid.New()
	evs, err := b.codec.Encode(b.ctx, []events.Draft{{ID: uuid.New(), Metadata: events.Metadata{Org: b.owner.Org, CorrelationID: uuid.New()},
		Payload: &events.GroupCreated{Kind: events.GroupKindClient, Name: "Apple", Client: added.ID}}})
	b.must(err)
	_, err = b.store.Append(b.ctx, events.Stream(events.CategoryGroup, b.owner.Org, group).String(), events.NoStream, evs)
	b.must(err)
	for range 2 { // also when the events are handled again
		b.react(b.of(events.CategoryGroup, events.CategoryUser)...)
		ev, n := b.last(events.CategoryClientAccount, added.ID)
		if n != 2 {
			t.Fatalf("the client's stream holds %d events, want 2", n)
		}
		want := events.ClientGroupLinked{Group: group, GroupName: "Apple"}
		if got, ok := ev.Payload.(*events.ClientGroupLinked); !ok || *got != want {
			t.Errorf("the client's last event is %+v, want %+v", ev.Payload, want)
		}
		if m := ev.Metadata; m.CausationID != evs[0].ID || m.Actor.Type != events.ActorSystem || m.CorrelationID == uuid.Nil || m.CorrelationID == m.CommandID {
			t.Errorf("the link's envelope is %+v, want it caused by the group's creation", m)
		}
	}
}

func TestWhatTheCommandDidItselfIsLeftAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	added, err := b.s.AddClient(b.ctx, b.owner, command.Envelope{}, command.AddClient{BusinessName: "Apple", Email: "a@example.com", GroupName: "Apple"})
	b.must(err)
	b.react(b.of(events.CategoryGroup, events.CategoryUser)...)
	if ev, n := b.last(events.CategoryClientAccount, added.ID); n != 2 || ev.Metadata.Actor != b.owner.Actor {
		t.Errorf("the client's stream holds %d events, the last by %v", n, ev.Metadata.Actor)
	}
}

func TestAnOwnerThatACrashLeftUnrecordedIsRecorded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	user := uuid.New()
	invitation := uuid.New()
	evs, err := b.codec.Encode(b.ctx, []events.Draft{
		{ID: uuid.New(), Metadata: events.Metadata{Org: b.owner.Org}, Payload: &events.UserAdded{Identity: uuid.New(), Email: events.PersonalText(user, "o@example.com"), Role: access.RoleOwner, Access: events.AccessAll}},
		{ID: uuid.New(), Metadata: events.Metadata{Org: b.owner.Org}, Payload: &events.UserInvited{Invitation: invitation}},
		{ID: uuid.New(), Metadata: events.Metadata{Org: b.owner.Org}, Payload: &events.UserInvitationAccepted{Invitation: invitation}},
	})
	b.must(err)
	_, err = b.store.Append(b.ctx, events.Stream(events.CategoryUser, b.owner.Org, user).String(), events.NoStream, evs)
	b.must(err)
	b.react(b.of(events.CategoryGroup, events.CategoryUser)...)
	all := events.Stream(events.CategoryGroup, b.owner.Org, uuid.NewSHA1(b.owner.Org, []byte("ALL"))).UUID()
	ev, n := b.last(events.CategoryGroup, all)
	if got, ok := ev.Payload.(*events.OwnerAdded); !ok || n != 3 || got.User != user {
		t.Errorf("the ALL group holds %d events, the last is %+v, want the second owner", n, ev.Payload)
	}
}

func TestArchivingEndsTheGrantsAndRestoringDoesNotReviveThem(t *testing.T) {
	t.Parallel()
	b := setup(t)
	apple, err := b.s.CreateGroup(b.ctx, b.owner, command.Envelope{}, command.CreateGroup{Name: "Apple"})
	b.must(err)
	banana, err := b.s.CreateGroup(b.ctx, b.owner, command.Envelope{}, command.CreateGroup{Name: "Banana"})
	b.must(err)
	wayne, err := b.s.AddUser(b.ctx, b.owner, command.Envelope{}, command.AddUser{Name: "Wayne", Email: "w@example.com", Role: access.RoleCSO, Groups: []uuid.UUID{apple.ID, banana.ID}})
	b.must(err)
	_, err = b.s.ArchiveGroup(b.ctx, b.owner, command.Envelope{Reason: "closed"}, apple.ID)
	b.must(err)
	_, err = b.s.RestoreGroup(b.ctx, b.owner, command.Envelope{}, apple.ID)
	b.must(err)
	b.react(b.of(events.CategoryGroup, events.CategoryUser)...)
	ev, n := b.last(events.CategoryUser, wayne.ID)
	if got, ok := ev.Payload.(*events.GroupAccessRevoked); !ok || got.Group != apple.ID || got.RemainingGroups != 1 || n != 5 {
		t.Errorf("the user's stream holds %d events, the last is %+v, want the grant of Apple ended", n, ev.Payload)
	}
	_, err = b.s.GrantGroupAccess(b.ctx, b.owner, command.Envelope{}, command.GrantGroupAccess{User: wayne.ID, Group: apple.ID})
	b.must(err)
	b.react(b.of(events.CategoryGroup, events.CategoryUser)...) // what was granted after the restoring stays
	if ev, n := b.last(events.CategoryUser, wayne.ID); n != 6 {
		t.Errorf("the user's stream holds %d events, the last is %+v, want the new grant to stay", n, ev.Payload)
	}
}

func TestAForeignEventIsParkedNotSkipped(t *testing.T) {
	t.Parallel()
	b := setup(t)
	err := b.p.Handle(b.ctx, &consume.Run{Records: []events.Record{{Stream: "Group-" + uuid.NewString() + "." + uuid.NewString(), Type: "GroupCreated", Metadata: []byte("{"), Data: []byte("{}")}}})
	if err == nil {
		t.Error("an event that cannot be read was passed over")
	}
}
