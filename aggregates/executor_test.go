package aggregates_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/aggregatetest"
	"waybill/aggregates/group"
	"waybill/events"
	"waybill/events/fault"
	"waybill/events/store"
)

var eventstore string

func TestMain(m *testing.M) { os.Exit(aggregatetest.Main(m, &eventstore)) }

var groups = aggregates.Kind[group.State]{Category: events.CategoryGroup, Evolve: group.Evolve, Touches: group.Touches}

var at = time.Date(2026, 3, 2, 12, 0, 0, 123456789, time.FixedZone("X", 3600))

type bundle struct {
	testing.TB
	ctx   context.Context
	store *store.Store
	codec *events.Codec
	org   uuid.UUID
	all   uuid.UUID
}

// setup makes an organisation's ALL group, at revision 1 of its stream.
func setup(tb testing.TB) *bundle {
	b := &bundle{TB: tb, ctx: aggregatetest.Within(tb), store: aggregatetest.Open(tb, eventstore), codec: aggregatetest.Codec(tb), org: uuid.New(), all: uuid.New()}
	create := group.CreateOrganisation{Organisation: events.Organisation{Name: "Swift", Kind: events.OrganisationOperator, Timezone: "UTC"}, Owner: uuid.New()}
	_, err := aggregates.Create(b.ctx, b.process(0), groups, b.all, b.command(), create.Decide)
	b.must(err)
	return b
}

func (b *bundle) process(cache int) *aggregates.Executor {
	b.Helper()
	x, err := aggregates.New(aggregates.Config{Store: b.store, Codec: b.codec, CacheSize: cache, Now: func() time.Time { return at }})
	b.must(err)
	return x
}

func (b *bundle) command() aggregates.Command {
	return aggregates.Command{ID: uuid.New(), Org: b.org, Actor: events.Actor{Type: events.ActorUser, ID: "ann"}}
}

func (b *bundle) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bundle) execute(x *aggregates.Executor, cmd aggregates.Command, decide func(group.State) ([]events.Payload, error)) aggregates.Result {
	b.Helper()
	res, err := aggregates.Execute(b.ctx, x, groups, b.all, cmd, decide)
	b.must(err)
	return res
}

func TestEveryOneOfManyRacingCommandsIsDoneOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	processes := []*aggregates.Executor{b.process(0), b.process(0), b.process(0)}
	var end sync.WaitGroup
	seen := make([]aggregates.Result, 48)
	for i := range seen {
		end.Go(func() {
			cmd := b.command()
			for range 2 { // and once more, as a repetition
				res, err := aggregates.Execute(b.ctx, processes[i%3], groups, b.all, cmd, group.AddOwner{User: uuid.New()}.Decide)
				if err != nil {
					t.Error(err)
				}
				if seen[i] != (aggregates.Result{}) && seen[i] != res {
					t.Errorf("the repetition answers %+v, want %+v", res, seen[i])
				}
				seen[i] = res
			}
		})
	}
	end.Wait()
	revisions := map[uint64]bool{}
	for _, r := range seen {
		revisions[r.Revision] = true
	}
	state, err := aggregates.Load(b.ctx, b.process(0), groups, b.org, b.all)
	b.must(err)
	if len(state.Owners) != 49 || len(revisions) != 48 {
		t.Errorf("48 commands made %d owners at %d revisions", len(state.Owners)-1, len(revisions))
	}
}

func TestARefusalIsDecidedOnTheStreamsEnd(t *testing.T) {
	t.Parallel()
	b := setup(t)
	here, there := b.process(0), b.process(0)
	b.execute(here, b.command(), group.SetField{Enabled: true}.Decide)
	b.execute(there, b.command(), group.SetField{Enabled: false}.Decide) // here does not know
	refuse := errors.New("the field is on")
	res, err := aggregates.Execute(b.ctx, here, groups, b.all, b.command(), func(s group.State) ([]events.Payload, error) {
		if s.FieldEnabled {
			return nil, refuse
		}
		return group.SetField{Enabled: true}.Decide(s)
	})
	if err != nil || res.Revision != 4 {
		t.Errorf("decided on what was long over: %+v, %v", res, err)
	}
	b.execute(there, b.command(), group.SetField{Enabled: false}.Decide)
	if res := b.execute(here, b.command(), group.SetField{Enabled: true}.Decide); res.Events != 1 || res.Revision != 6 {
		t.Errorf("took a change for needless on a state long over: %+v", res)
	}
}

func TestNothingToChangeAnswersWhereTheStreamEnds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	x := b.process(0)
	on := b.execute(x, b.command(), group.SetField{Enabled: true}.Decide)
	again := b.execute(x, b.command(), group.SetField{Enabled: true}.Decide)
	if again.Events != 0 || again.Position != on.Position || again.Revision != on.Revision {
		t.Errorf("nothing to change answers %+v, want the place of %+v", again, on)
	}
}

func TestAWarmStateIsNotReadAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	x := b.process(0)
	b.execute(x, b.command(), group.SetField{Enabled: true}.Decide)
	calls := 0
	b.execute(x, b.command(), func(s group.State) ([]events.Payload, error) {
		calls++
		return group.SetField{Enabled: false}.Decide(s)
	})
	if calls != 1 {
		t.Errorf("decided %d times on a warm state, want once", calls)
	}
}

func TestALookSeesWhatWasAppendedBeforeIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	here, there := b.process(0), b.process(0)
	var end sync.WaitGroup
	for range 16 {
		end.Go(func() {
			for range 20 {
				owner := uuid.New()
				_, err := aggregates.Execute(b.ctx, there, groups, b.all, b.command(), group.AddOwner{User: owner}.Decide)
				if err != nil {
					t.Error(err)
					return
				}
				state, err := aggregates.Load(b.ctx, here, groups, b.org, b.all)
				if err != nil {
					t.Error(err)
					return
				}
				if !slices.Contains(state.Owners, owner) {
					t.Errorf("a look at %d owners misses one that was there before", len(state.Owners))
				}
			}
		})
	}
	end.Wait()
}

func TestTheCacheIsBoundedAndOnlyACache(t *testing.T) {
	t.Parallel()
	b := setup(t)
	x := b.process(1)
	var ids []uuid.UUID
	for range 5 {
		id := uuid.New()
		_, err := aggregates.Create(b.ctx, x, groups, id, b.command(), group.Create{Name: "Apple"}.Decide)
		b.must(err)
		ids = append(ids, id)
	}
	for range 2 {
		for _, id := range ids {
			_, err := aggregates.Execute(b.ctx, x, groups, id, b.command(), group.MapCode{Code: uuid.NewString()}.Decide)
			b.must(err)
		}
	}
	for _, id := range ids {
		s, err := aggregates.Load(b.ctx, x, groups, b.org, id)
		b.must(err)
		if len(s.Codes) != 2 {
			t.Errorf("group %s has codes %v, want two", id, s.Codes)
		}
	}
}

func TestARepeatedCreationWithOtherContentDoesNotChangeWhatIsKnown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	cmd, id := b.command(), uuid.New()
	_, err := aggregates.Create(b.ctx, b.process(0), groups, id, cmd, group.Create{Name: "Apple"}.Decide)
	b.must(err)
	x := b.process(0)
	_, err = aggregates.Create(b.ctx, x, groups, id, cmd, group.Create{Name: "Banana"}.Decide)
	b.must(err)
	if s, err := aggregates.Load(b.ctx, x, groups, b.org, id); err != nil || s.Name != "Apple" {
		t.Errorf("the group is called %q (%v), want as it was created", s.Name, err)
	}
}

func TestTheRecordedTimeIsTheCommandsOrTheClocks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	said := b.command()
	said.At = at.AddDate(1, 0, 0)
	b.execute(b.process(0), said, group.SetField{Enabled: true}.Decide)
	records, err := b.store.Read(b.ctx, events.Stream(events.CategoryGroup, b.org, b.all).String(), 0, 10)
	b.must(err)
	for i, want := range []time.Time{at, at, said.At} {
		ev, err := b.codec.Decode(records[i])
		b.must(err)
		if got := ev.Metadata.RecordedAt; !got.Equal(want.Truncate(time.Microsecond)) || got.Location() != time.UTC {
			t.Errorf("event %d is recorded at %v, want %v", i, got, want)
		}
	}
}

func TestACommandReturnsWithinItsContext(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx, cancel := context.WithCancel(b.ctx)
	_, err := aggregates.Execute(ctx, b.process(0), groups, b.all, b.command(), func(s group.State) ([]events.Payload, error) {
		cancel()
		return group.SetField{Enabled: true}.Decide(s)
	})
	if err == nil {
		t.Error("an append after the end of its context succeeded")
	}
}

func TestAnEventOfTheFutureStopsTheCommandInsteadOfBeingGuessed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	stream := events.Stream(events.CategoryGroup, b.org, b.all).String()
	_, err := b.store.Append(b.ctx, stream, 1, []events.Proposed{{ID: uuid.New(), Type: "GroupTeleported", Metadata: []byte(`{"schema_version":1}`), Data: []byte(`{}`)}})
	b.must(err)
	_, err = aggregates.Execute(b.ctx, b.process(0), groups, b.all, b.command(), group.SetField{Enabled: true}.Decide)
	if !errors.Is(err, events.ErrUnknownEvent) || fault.KindOf(err) != fault.Internal {
		t.Errorf("got %v, want %v", err, events.ErrUnknownEvent)
	}
}

func TestACommandThatWantsTheStreamElsewhereIsRefusedUnlessItWasDoneOrMayNotKnow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	x := b.process(0)
	at := func(revision uint64) aggregates.Command {
		cmd := b.command()
		cmd.Expected = &revision
		return cmd
	}
	try := func(cmd aggregates.Command, decide func(group.State) ([]events.Payload, error)) error {
		_, err := aggregates.Execute(b.ctx, x, groups, b.all, cmd, decide)
		return err
	}
	first := at(1)
	b.must(try(first, group.SetField{Enabled: true}.Decide)) // now at 2
	b.must(try(first, group.SetField{Enabled: true}.Decide)) // a repetition
	for name, tc := range map[string]struct {
		cmd    aggregates.Command
		decide func(group.State) ([]events.Payload, error)
		code   string
	}{
		"behind":                   {at(1), group.SetField{}.Decide, aggregates.CodeRevisionMismatch},
		"ahead":                    {at(3), group.SetField{}.Decide, aggregates.CodeRevisionMismatch},
		"nothing to change":        {at(1), group.SetField{Enabled: true}.Decide, aggregates.CodeRevisionMismatch},
		"not to be seen":           {at(1), func(group.State) ([]events.Payload, error) { return nil, fault.New(fault.NotFound, "none", "") }, "none"},
		"refused by a rule anyway": {at(1), func(group.State) ([]events.Payload, error) { return nil, fault.New(fault.Conflict, "rule", "") }, aggregates.CodeRevisionMismatch},
		"refused by a rule":        {at(2), func(group.State) ([]events.Payload, error) { return nil, fault.New(fault.Conflict, "rule", "") }, "rule"},
	} {
		var f *fault.Error
		if err := try(tc.cmd, tc.decide); !errors.As(err, &f) || f.Code != tc.code {
			t.Errorf("%s: %v, want code %q", name, err, tc.code)
		}
	}
	b.must(try(at(2), group.SetField{}.Decide))
}
