package command_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/aggregatetest"
	"waybill/aggregates/command"
	"waybill/events"
	"waybill/events/fault"
	"waybill/events/store"
)

// bundle is an organisation of one test's own, on the shared node.
type bundle struct {
	testing.TB
	ctx        context.Context
	store      *store.Store
	codec      *events.Codec
	identities *aggregatetest.Identities
	s          *command.Service
	from       events.Position // where the log was before
	org        uuid.UUID
	all        uuid.UUID
	owner      access.Caller
}

var secret = []byte("claims of the tests, 32 bytes...")

func setup(tb testing.TB) *bundle {
	tb.Helper()
	return setupOn(tb, eventstore)
}

// setupOn is setup on the node of a URL.
func setupOn(tb testing.TB, url string) *bundle {
	tb.Helper()
	b := &bundle{
		TB: tb, ctx: aggregatetest.Within(tb), store: aggregatetest.Open(tb, url), codec: aggregatetest.Codec(tb),
		identities: &aggregatetest.Identities{},
	}
	var err error
	b.from, err = b.store.Head(b.ctx)
	b.must(err)
	b.s = b.process()
	made, err := b.s.CreateOrganisation(b.ctx, access.System(uuid.Nil), env(), command.CreateOrganisation{
		Name: "Swift", Kind: events.OrganisationOperator, Timezone: "Europe/Berlin", Owner: command.Owner{Name: "Olivia", Email: "olivia@example.com"},
	})
	b.must(err)
	b.org, b.all = made.Organisation, made.AllGroup
	b.owner = b.caller(made.Owner.ID, access.RoleOwner, true)
	_, err = b.s.EnableGroupField(b.ctx, b.owner, env())
	b.must(err)
	return b
}

// patience is what a test may wait for: far above what a healthy machine needs,
// however busy it is and however slow its disk.
const patience = 5 * time.Minute

// process returns a service with a cache of its own, as another process has. It
// takes nobody for dead who may be slow.
func (b *bundle) process() *command.Service { return b.hasty(patience) }

// hasty is a process that gives others so long to finish what they claimed.
func (b *bundle) hasty(grace time.Duration) *command.Service {
	b.Helper()
	x, err := aggregates.New(aggregates.Config{Store: b.store, Codec: b.codec})
	b.must(err)
	s, err := command.New(command.Config{
		Executor: x, Store: b.store, Codec: b.codec, Identities: b.identities, ClaimsSecret: secret, ClaimsGrace: grace,
		Sight: b.sight(), SightLimit: patience,
	})
	b.must(err)
	return s
}

func (b *bundle) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func env() command.Envelope { return command.Envelope{CommandID: uuid.New()} }

func because(reason string) command.Envelope {
	return command.Envelope{CommandID: uuid.New(), Reason: reason}
}

func (b *bundle) caller(user uuid.UUID, role string, all bool, groups ...uuid.UUID) access.Caller {
	may, _ := access.Defaults(role)
	return access.Caller{
		Org: b.org, User: user, Actor: events.Actor{Type: events.ActorUser, ID: user.String()},
		Role: role, Permissions: may, All: all, Groups: groups,
	}
}

// somebody is a caller that is no user in the log.
func (b *bundle) somebody(role string, all bool, groups ...uuid.UUID) access.Caller {
	return b.caller(uuid.New(), role, all, groups...)
}

func (b *bundle) group(name string) uuid.UUID {
	b.Helper()
	made, err := b.s.CreateGroup(b.ctx, b.owner, env(), command.CreateGroup{Name: name})
	b.must(err)
	return made.ID
}

func (b *bundle) delivery(number string, group uuid.UUID) uuid.UUID {
	b.Helper()
	made, err := b.s.CreateDelivery(b.ctx, b.owner, env(), command.CreateDelivery{DONumber: number, Date: "2026-03-02", Group: group})
	b.must(err)
	return made.ID
}

func (b *bundle) user(role, email string, groups ...uuid.UUID) command.UserAdded {
	b.Helper()
	made, err := b.s.AddUser(b.ctx, b.owner, env(), command.AddUser{Name: "Somebody", Email: email, Role: role, Groups: groups})
	b.must(err)
	return made
}

// accepts has somebody accept the invitation.
func (b *bundle) accepts(user uuid.UUID) aggregates.Result {
	b.Helper()
	res, err := b.s.AcceptInvitation(b.ctx, access.System(b.owner.Org), env(), command.AcceptInvitation{User: user})
	b.must(err)
	return res
}

// types returns the types of a stream's events, oldest first.
func (b *bundle) types(category string, id uuid.UUID) []string {
	b.Helper()
	var names []string
	for _, r := range b.records(category, id) {
		names = append(names, r.Type)
	}
	return names
}

func (b *bundle) records(category string, id uuid.UUID) []events.Record {
	b.Helper()
	records, err := b.store.Read(b.ctx, events.Stream(category, b.org, id).String(), 0, 1000)
	if err != nil && !fault.Is(err, fault.NotFound) {
		b.Fatal(err)
	}
	return records
}

func (b *bundle) wantTypes(category string, id uuid.UUID, want ...string) {
	b.Helper()
	if got := b.types(category, id); !slices.Equal(got, want) {
		b.Errorf("the stream of %s %s holds %v, want %v", category, id, got, want)
	}
}

// wantCode checks that err is a fault with a code.
func wantCode(tb testing.TB, err error, kind fault.Kind, code string) {
	tb.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != kind || f.Code != code {
		tb.Errorf("got error %v, want %s with code %q", err, kind, code)
	}
}

func containsFold(s, part string) bool {
	return strings.Contains(strings.ToLower(s), strings.ToLower(part))
}
