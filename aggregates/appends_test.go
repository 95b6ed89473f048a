package aggregates_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/aggregatetest"
	"waybill/aggregates/group"
	"waybill/events"
	"waybill/events/fault"
	"waybill/events/node"
	"waybill/events/store"
	"waybill/events/store/storetest"
)

// behind is setup whose processes reach the store through a proxy.
func behind(t *testing.T) (*bundle, *storetest.Proxy) {
	b := setup(t)
	proxy := storetest.NewProxy(t, eventstore)
	b.store = aggregatetest.Open(t, proxy.URL())
	return b, proxy
}

// many executes commands that each belong to a stream of their own.
func (b *bundle) many(x *aggregates.Executor, ids []uuid.UUID, cmds []aggregates.Command) []error {
	errs := make([]error, len(cmds))
	var end sync.WaitGroup
	for i := range cmds {
		end.Go(func() {
			create := group.Create{Name: fmt.Sprint("Group ", i)}
			_, errs[i] = aggregates.Execute(b.ctx, x, groups, ids[i], cmds[i], create.Decide)
		})
	}
	end.Wait()
	return errs
}

func TestCommandsThatShareACallAreEachDoneOnceWhenItBreaks(t *testing.T) {
	t.Parallel()
	b, proxy := behind(t)
	x := b.process(0)
	const n = 64
	ids, cmds := make([]uuid.UUID, n), make([]aggregates.Command, n)
	for i := range cmds {
		ids[i], cmds[i] = uuid.New(), b.command()
	}
	over, cut := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(cut)
		for range 5 {
			proxy.Cut()
			select {
			case <-over:
				return
			default:
			}
		}
	}()
	errs := b.many(x, ids, cmds)
	close(over)
	<-cut
	for i, err := range errs {
		if err != nil {
			t.Errorf("command %d: %v", i, err)
		}
	}
	for i, id := range ids {
		records, err := b.store.Read(b.ctx, events.Stream(events.CategoryGroup, b.org, id).String(), 0, 10)
		if err != nil || len(records) != 1 {
			t.Errorf("the stream of command %d has %d events (%v), want 1", i, len(records), err)
		}
	}
}

func TestACommandWhoseCallerWentAwayIsSettledByItsRepetition(t *testing.T) {
	t.Parallel()
	b, proxy := behind(t)
	x := b.process(0)
	b.execute(x, b.command(), group.SetField{Enabled: true}.Decide) // the call is open, the state known
	proxy.Stall()
	cmd := b.command()
	ctx, leave := context.WithCancel(b.ctx)
	_, err := aggregates.Execute(ctx, x, groups, b.all, cmd, func(s group.State) ([]events.Payload, error) {
		leave()
		return group.SetField{Enabled: false}.Decide(s)
	})
	var unknown *store.UnknownOutcomeError
	if !errors.As(err, &unknown) || !fault.Is(err, fault.Unavailable) {
		t.Fatalf("the caller went away and was told %v", err)
	}
	proxy.Pass()
	if res := b.execute(x, cmd, group.SetField{Enabled: false}.Decide); res.Revision != 3 || res.Events != 1 {
		t.Errorf("the repetition answers %+v, want one event at revision 3", res)
	}
	if res := b.execute(b.process(0), cmd, group.SetField{Enabled: false}.Decide); res.Revision != 3 {
		t.Errorf("another process answers %+v, want revision 3", res)
	}
}

func TestAConflictOfOneCommandIsNotThatOfOthersOnTheCall(t *testing.T) {
	t.Parallel()
	b := setup(t)
	here, there := b.process(0), b.process(0)
	b.execute(here, b.command(), group.SetField{Enabled: true}.Decide)
	for range 5 { // here is behind each time, and does not know
		b.execute(there, b.command(), group.AddOwner{User: uuid.New()}.Decide)
		const n = 8
		ids, cmds := make([]uuid.UUID, n), make([]aggregates.Command, n)
		for i := range cmds {
			ids[i], cmds[i] = uuid.New(), b.command()
		}
		var others []error
		var end sync.WaitGroup
		end.Go(func() { others = b.many(here, ids, cmds) })
		decided := 0
		b.execute(here, b.command(), func(s group.State) ([]events.Payload, error) {
			decided++
			return group.AddOwner{User: uuid.New()}.Decide(s)
		})
		end.Wait()
		if decided != 2 {
			t.Errorf("the command that was behind was decided %d times, want twice", decided)
		}
		if err := errors.Join(others...); err != nil {
			t.Errorf("other commands: %v", err)
		}
	}
}

func TestAProcessWithNothingToAppendDoesNotHoldUpTheEventStoresStop(t *testing.T) {
	t.Parallel()
	n, err := node.Open(node.Config{Dir: t.TempDir(), StopTimeout: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(aggregatetest.Within(t))
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	b := &bundle{TB: t, ctx: aggregatetest.Within(t), store: aggregatetest.Open(t, n.ConnectionString()), codec: aggregatetest.Codec(t), org: uuid.New(), all: uuid.New()}
	create := group.CreateOrganisation{Organisation: events.Organisation{Name: "Swift", Kind: events.OrganisationOperator, Timezone: "UTC"}, Owner: uuid.New()}
	_, err = aggregates.Create(b.ctx, b.process(0), groups, b.all, b.command(), create.Decide)
	b.must(err)
	stop()
	select {
	case err := <-ended:
		b.must(err)
	case <-b.ctx.Done():
		t.Error("the event store waits for a process that has nothing to append")
	}
	b.must(n.Close())
}
