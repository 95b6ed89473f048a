package command_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/aggregates/group"
	"waybill/events"
	"waybill/events/fault"
	"waybill/events/node"
)

const racers = 32

// race runs racers creations at the same time, in four processes, and checks
// that exactly one wins and the others are told so with the code.
func race(t *testing.T, b *bundle, code string, create func(s *command.Service, i int) error) {
	t.Helper()
	processes := []*command.Service{b.s, b.process(), b.process(), b.process()}
	errs := make([]error, racers)
	var start, end sync.WaitGroup
	start.Add(1)
	for i := range racers {
		end.Go(func() {
			start.Wait()
			errs[i] = create(processes[i%len(processes)], i)
		})
	}
	start.Done()
	end.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		wantCode(t, err, fault.Conflict, code)
	}
	if won != 1 {
		t.Errorf("%d of %d racers won, want 1", won, racers)
	}
}

func TestOneOfManyRacersGetsAGroupName(t *testing.T) {
	t.Parallel()
	b := setup(t)
	race(t, b, "group-name-taken", func(s *command.Service, i int) error {
		name := []string{"Apple", " apple ", "ＡＰＰＬＥ"}[i%3]
		_, err := s.CreateGroup(b.ctx, b.owner, env(), command.CreateGroup{Name: name})
		return err
	})
}

func TestOneOfManyRacersGetsADONumber(t *testing.T) {
	t.Parallel()
	b := setup(t)
	apple, banana := b.group("Apple"), b.group("Banana")
	race(t, b, "do-number-taken", func(s *command.Service, _ int) error {
		_, err := s.CreateDelivery(b.ctx, b.owner, env(), command.CreateDelivery{DONumber: "DO-1", Date: "2026-03-02", Group: apple})
		return err
	})
	b.delivery("DO-1", banana) // each group has its own numbers
	b.delivery("DO-1", uuid.Nil)
}

func TestOneOfManyRacersGetsAnEmail(t *testing.T) {
	t.Parallel()
	b := setup(t)
	race(t, b, "email-taken", func(s *command.Service, i int) error {
		email := []string{"Ann@Example.com", " ann@example.com"}[i%2]
		_, err := s.AddUser(b.ctx, b.owner, env(), command.AddUser{Name: "Ann", Email: email, Role: access.RoleManager})
		return err
	})
}

func TestOneOfManyRacersGetsACustomerCode(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var groups []uuid.UUID
	for i := range racers {
		groups = append(groups, b.group(fmt.Sprint("Group ", i)))
	}
	race(t, b, "customer-code-taken", func(s *command.Service, i int) error {
		_, err := s.MapCustomerCode(b.ctx, b.owner, env(), command.MapCustomerCode{Code: "C-1", Group: groups[i]})
		return err
	})
}

func TestOneOfManyRacersMovesADeliveryToTheSameNumber(t *testing.T) {
	t.Parallel()
	b := setup(t)
	target := b.group("Target")
	var ds []uuid.UUID
	for i := range racers {
		ds = append(ds, b.delivery("DO-1", b.group(fmt.Sprint("Group ", i))))
	}
	race(t, b, "do-number-taken", func(s *command.Service, i int) error {
		_, err := s.TagDelivery(b.ctx, b.owner, because("race"), command.TagDelivery{Delivery: ds[i], Group: target})
		return err
	})
}

func TestNobodySharesANumberEvenWhenNobodyIsGivenTimeToFinish(t *testing.T) {
	t.Parallel()
	b := setup(t)
	target := b.group("Target")
	processes := make([]*command.Service, 4)
	for i := range processes {
		processes[i] = b.hasty(time.Nanosecond)
	}
	var ds []uuid.UUID
	for i := range 8 {
		ds = append(ds, b.delivery("DO-1", b.group(fmt.Sprint("Group ", i))))
	}
	var end sync.WaitGroup
	made := make([]uuid.UUID, len(ds))
	for i, d := range ds {
		s := processes[i%len(processes)]
		end.Go(func() { // what is refused is refused
			_, _ = s.TagDelivery(b.ctx, b.owner, because("race"), command.TagDelivery{Delivery: d, Group: target})
		})
		end.Go(func() {
			if res, err := s.CreateDelivery(b.ctx, b.owner, env(), command.CreateDelivery{DONumber: "DO-1", Date: "2026-03-02", Group: target}); err == nil {
				made[i] = res.ID
			}
		})
	}
	end.Wait()
	var there []uuid.UUID
	for _, d := range append(ds, made...) {
		var in uuid.UUID
		for _, r := range b.records(events.CategoryDelivery, d) {
			ev, err := b.codec.Decode(r)
			b.must(err)
			switch e := ev.Payload.(type) {
			case *events.DeliveryCreated:
				in = e.Group
			case *events.DeliveryTagged:
				in = e.Group
			}
		}
		if in == target {
			there = append(there, d)
		}
	}
	if len(there) != 1 {
		t.Errorf("%d deliveries of the group have one number, want 1", len(there))
	}
}

// claims returns claims as a process has them that dies after the first step.
func (b *bundle) claims() *aggregates.Claims {
	b.Helper()
	x, err := aggregates.New(aggregates.Config{Store: b.store, Codec: b.codec})
	b.must(err)
	c, err := aggregates.NewClaims(aggregates.ClaimsConfig{Executor: x, Secret: secret})
	b.must(err)
	return c
}

func (b *bundle) raw() aggregates.Command {
	return aggregates.Command{ID: uuid.New(), Org: b.org, Actor: b.owner.Actor}
}

func TestACrashBetweenClaimAndCreationBlocksNoName(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.s = b.hasty(time.Millisecond)
	apple := b.group("Apple")
	dead := uuid.New()
	dies := func(category, kind string, parts ...string) {
		b.must(b.claims().Take(b.ctx, b.raw(), aggregates.Key{Kind: kind, Parts: parts}, aggregates.Holder{Category: category, ID: dead}))
	}
	dies(events.CategoryGroup, events.KeyGroupName, group.NormalName("Banana"))
	dies(events.CategoryUser, events.KeyUserEmail, "ann@example.com")
	dies(events.CategoryDelivery, events.KeyDelivery, apple.String(), events.TypeDelivery, "DO-1", "2026-03-02")

	b.group("banana")
	b.user(access.RoleManager, "ann@example.com")
	b.delivery("DO-1", apple)
	for _, category := range []string{events.CategoryGroup, events.CategoryUser, events.CategoryDelivery} {
		b.wantTypes(category, dead, "CreationAbandoned")
	}
	_, err := b.s.CreateGroup(b.ctx, b.owner, env(), command.CreateGroup{Name: "Banana"})
	wantCode(t, err, fault.Conflict, "group-name-taken")
}

func TestAfterACrashOneOfManyRacersTakesTheNameOver(t *testing.T) {
	t.Parallel()
	// The crash is long ago by the store's clock, and the racers have just begun.
	var ago atomic.Int64
	n, err := node.Open(node.Config{Dir: t.TempDir(), Now: func() time.Time { return time.Now().Add(-time.Duration(ago.Load())) }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-ended, n.Close()); err != nil {
			t.Error(err)
		}
	})
	b := setupOn(t, n.ConnectionString())
	key := aggregates.Key{Kind: events.KeyGroupName, Parts: []string{group.NormalName("Apple")}}
	ago.Store(int64(patience))
	b.must(b.claims().Take(b.ctx, b.raw(), key, aggregates.Holder{Category: events.CategoryGroup, ID: uuid.New()}))
	ago.Store(0)
	race(t, b, "group-name-taken", func(s *command.Service, _ int) error {
		_, err := s.CreateGroup(b.ctx, b.owner, env(), command.CreateGroup{Name: "Apple"})
		return err
	})
}

func TestACrashWhileANameIsTakenOverBlocksNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	dead := uuid.New()
	key := aggregates.Key{Kind: events.KeyGroupName, Parts: []string{group.NormalName("Apple")}}
	claims := b.claims()
	b.must(claims.Take(b.ctx, b.raw(), key, aggregates.Holder{Category: events.CategoryGroup, ID: dead}))
	// The next one abandons it and dies as well.
	evs, err := b.codec.Encode(b.ctx, []events.Draft{{ID: uuid.New(), Metadata: events.Metadata{Org: b.org}, Payload: &events.CreationAbandoned{Claim: claims.Stream(b.org, key).String()}}})
	b.must(err)
	_, err = b.store.Append(b.ctx, events.Stream(events.CategoryGroup, b.org, dead).String(), events.NoStream, evs)
	b.must(err)
	b.group("Apple")
}

func TestWhoWasOvertakenIsToldAndCreatesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.s = b.hasty(time.Millisecond)
	e := env()
	cmd := aggregates.Command{ID: e.CommandID, Org: b.org, Actor: b.owner.Actor}
	id := cmd.Derive("group")
	key := aggregates.Key{Kind: events.KeyGroupName, Parts: []string{group.NormalName("Apple")}}
	b.must(b.claims().Take(b.ctx, cmd, key, aggregates.Holder{Category: events.CategoryGroup, ID: id})) // and stands still
	b.group("Apple")
	_, err := b.s.CreateGroup(b.ctx, b.owner, e, command.CreateGroup{Name: "Apple"})
	wantCode(t, err, fault.Conflict, "creation-abandoned")
	b.wantTypes(events.CategoryGroup, id, "CreationAbandoned")
}

func TestACreationContinuesWhereItCrashed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	e := env()
	cmd := aggregates.Command{ID: e.CommandID, Org: b.org, Actor: b.owner.Actor}
	id := cmd.Derive("group")
	key := aggregates.Key{Kind: events.KeyGroupName, Parts: []string{group.NormalName("Apple")}}
	b.must(b.claims().Take(b.ctx, cmd, key, aggregates.Holder{Category: events.CategoryGroup, ID: id}))
	made, err := b.s.CreateGroup(b.ctx, b.owner, e, command.CreateGroup{Name: "Apple"})
	b.must(err)
	if made.ID != id {
		t.Errorf("the repetition made %s, want %s", made.ID, id)
	}
	b.wantTypes(events.CategoryGroup, id, "GroupCreated")
}

func TestTheNumberMovesWithTheDelivery(t *testing.T) {
	t.Parallel()
	b := setup(t)
	apple, banana := b.group("Apple"), b.group("Banana")
	d := b.delivery("DO-1", apple)
	_, err := b.s.CreateDelivery(b.ctx, b.owner, env(), command.CreateDelivery{DONumber: " DO-1", Date: "2026-03-02", Group: apple})
	wantCode(t, err, fault.Conflict, "do-number-taken")
	_, err = b.s.TagDelivery(b.ctx, b.owner, because("sold"), command.TagDelivery{Delivery: d, Group: banana})
	b.must(err)
	second := b.delivery("DO-1", apple)
	_, err = b.s.CreateDelivery(b.ctx, b.owner, env(), command.CreateDelivery{DONumber: "DO-1", Date: "2026-03-02", Group: banana})
	wantCode(t, err, fault.Conflict, "do-number-taken")
	_, err = b.s.TagDelivery(b.ctx, b.owner, because("sold too"), command.TagDelivery{Delivery: second, Group: banana})
	wantCode(t, err, fault.Conflict, "do-number-taken")
	_, err = b.s.UntagDelivery(b.ctx, b.owner, env(), d)
	b.must(err)
	_, err = b.s.TagDelivery(b.ctx, b.owner, because("sold too"), command.TagDelivery{Delivery: second, Group: banana})
	b.must(err)
	_, err = b.s.TagDelivery(b.ctx, b.owner, env(), command.TagDelivery{Delivery: d, Group: apple})
	b.must(err)
	b.wantTypes(events.CategoryDelivery, d, "DeliveryCreated", "DeliveryTagged", "DeliveryUntagged", "DeliveryTagged")
}

func TestAMoveThatCrashedBlocksNoNumber(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.s = b.hasty(time.Millisecond)
	apple, banana := b.group("Apple"), b.group("Banana")
	d := b.delivery("DO-1", apple)
	key := func(g uuid.UUID) aggregates.Key {
		return aggregates.Key{Kind: events.KeyDelivery, Parts: []string{g.String(), events.TypeDelivery, "DO-1", "2026-03-02"}}
	}
	holder := aggregates.Holder{Category: events.CategoryDelivery, ID: d}
	b.must(b.claims().Move(b.ctx, b.raw(), key(banana), holder)) // claimed, and died before the tag
	other := b.delivery("DO-1", banana)
	_, err := b.s.TagDelivery(b.ctx, b.owner, because("late"), command.TagDelivery{Delivery: d, Group: banana})
	wantCode(t, err, fault.Conflict, "do-number-taken")

	// Tagged, and died before the release of the old number.
	_, err = b.s.UntagDelivery(b.ctx, b.owner, env(), other)
	b.must(err)
	b.must(b.claims().Move(b.ctx, b.raw(), key(banana), holder))
	evs, err := b.codec.Encode(b.ctx, []events.Draft{{ID: uuid.New(), Metadata: events.Metadata{Org: b.org}, Payload: &events.DeliveryTagged{FromGroup: apple, Group: banana}}})
	b.must(err)
	_, err = b.store.Append(b.ctx, events.Stream(events.CategoryDelivery, b.org, d).String(), 0, evs)
	b.must(err)
	b.delivery("DO-1", apple)
	_, err = b.s.CreateDelivery(b.ctx, b.owner, env(), command.CreateDelivery{DONumber: "DO-1", Date: "2026-03-02", Group: banana})
	wantCode(t, err, fault.Conflict, "do-number-taken")
}

func TestACodeIsFreeAgainWhenUnmapped(t *testing.T) {
	t.Parallel()
	b := setup(t)
	apple, banana := b.group("Apple"), b.group("Banana")
	mapTo := func(g uuid.UUID) error {
		_, err := b.s.MapCustomerCode(b.ctx, b.owner, env(), command.MapCustomerCode{Code: "C-1", Group: g})
		return err
	}
	b.must(mapTo(apple))
	b.must(mapTo(apple))
	wantCode(t, mapTo(banana), fault.Conflict, "customer-code-taken")
	_, err := b.s.UnmapCustomerCode(b.ctx, b.owner, env(), " c-1")
	b.must(err)
	_, err = b.s.UnmapCustomerCode(b.ctx, b.owner, env(), "C-1")
	wantCode(t, err, fault.NotFound, "customer-code-not-found")
	b.must(mapTo(banana))
	_, err = b.s.UnmapCustomerCode(b.ctx, b.owner, env(), "C-2")
	wantCode(t, err, fault.NotFound, "customer-code-not-found")
}

func TestAClientHasOneGroupWhoeverLinksIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	added, err := b.s.AddClient(b.ctx, b.owner, env(), command.AddClient{BusinessName: "Apple", Email: "a@example.com"})
	b.must(err)
	race(t, b, "client-has-group", func(s *command.Service, i int) error {
		_, err := s.LinkClientGroup(b.ctx, b.owner, env(), command.LinkClientGroup{Client: added.ID, GroupName: fmt.Sprint("Name ", i)})
		if err != nil && fault.Is(err, fault.Conflict) {
			// Whichever step it lost at.
			return fault.New(fault.Conflict, "client-has-group", "%v", err)
		}
		return err
	})
	b.wantTypes(events.CategoryClientAccount, added.ID, "ClientAdded", "ClientGroupLinked")
}
