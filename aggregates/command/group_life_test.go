package command_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/events"
	"waybill/events/fault"
)

func (b *bundle) rename(s *command.Service, group uuid.UUID, name string) error {
	_, err := s.RenameGroup(b.ctx, b.owner, env(), command.RenameGroup{Group: group, Name: name})
	return err
}

func TestARenamedGroupTakesItsNewNameAndFreesTheOldOne(t *testing.T) {
	t.Parallel()
	b := setup(t)
	apple := b.group("Apple")
	b.group("Banana")
	wantCode(t, b.rename(b.s, apple, " banana "), fault.Conflict, "group-name-taken")
	e := env()
	first, err := b.s.RenameGroup(b.ctx, b.owner, e, command.RenameGroup{Group: apple, Name: "Apple Wholesale"})
	b.must(err)
	again, err := b.process().RenameGroup(b.ctx, b.owner, e, command.RenameGroup{Group: apple, Name: "Apple Wholesale"})
	b.must(err)
	if again != first {
		t.Errorf("the repetition answers %+v, want %+v", again, first)
	}
	b.wantTypes(events.CategoryGroup, apple, "GroupCreated", "GroupRenamed")
	b.group("Apple") // free at once
	wantCode(t, b.rename(b.s, apple, "APPLE"), fault.Conflict, "group-name-taken")
	b.must(b.rename(b.s, apple, "apple WHOLESALE")) // its own name in another spelling
	wantCode(t, b.rename(b.s, b.all, "Everything"), fault.Conflict, "group-reserved")
	wantCode(t, b.rename(b.s, uuid.New(), "X"), fault.NotFound, "group-not-found")
}

func TestOneOfManyRenamersGetsAName(t *testing.T) {
	t.Parallel()
	b := setup(t)
	groups := make([]uuid.UUID, racers)
	for i := range groups {
		groups[i] = b.group("Group " + string(rune('A'+i)))
	}
	race(t, b, "group-name-taken", func(s *command.Service, i int) error { return b.rename(s, groups[i], "Target") })
}

func TestManyRenamersOfOneGroupAgree(t *testing.T) {
	t.Parallel()
	b := setup(t)
	apple := b.group("Apple")
	processes := []*command.Service{b.s, b.process(), b.process()}
	var end sync.WaitGroup
	for i := range 12 {
		end.Go(func() {
			if err := b.rename(processes[i%3], apple, "Name "+string(rune('A'+i))); err != nil {
				t.Error(err)
			}
		})
	}
	end.Wait()
	evs := b.records(events.CategoryGroup, apple)
	ev, err := b.codec.Decode(evs[len(evs)-1])
	b.must(err)
	last := ev.Payload.(*events.GroupRenamed).To
	for i := range 12 { // every name but the last is free
		name := "Name " + string(rune('A'+i))
		_, err := b.s.CreateGroup(b.ctx, b.owner, env(), command.CreateGroup{Name: name})
		if (err != nil) != (name == last) {
			t.Errorf("the group is called %q, and creating %q: %v", last, name, err)
		}
	}
}

func TestARenamingThatACrashLeftHalfDoneIsFinished(t *testing.T) {
	t.Parallel()
	b := setup(t)
	apple := b.group("Apple")
	// The group was renamed, and then the process died: the new name is claimed by
	// nobody, the old one still by the group.
	evs, err := b.codec.Encode(b.ctx, []events.Draft{{ID: uuid.New(), Metadata: events.Metadata{Org: b.org}, Payload: &events.GroupRenamed{From: "Apple", To: "Pear"}}})
	b.must(err)
	_, err = b.store.Append(b.ctx, events.Stream(events.CategoryGroup, b.org, apple).String(), 0, evs)
	b.must(err)
	settle := command.SettleName{Group: apple, From: "Apple", To: "Pear"}
	wantCode(t, b.s.SettleName(b.ctx, b.owner, env(), settle), fault.Denied, "system-only")
	for range 2 {
		b.must(b.s.SettleName(b.ctx, access.System(b.org), env(), settle))
	}
	b.group("Apple")
	_, err = b.s.CreateGroup(b.ctx, b.owner, env(), command.CreateGroup{Name: "pear"})
	wantCode(t, err, fault.Conflict, "group-name-taken")
}

func (b *bundle) merge(from, into uuid.UUID, acknowledged bool) error {
	_, err := b.s.MergeGroup(b.ctx, b.owner, env(), command.MergeGroup{Group: from, Into: into, AcknowledgeWidening: acknowledged})
	return err
}

func TestAMergeIsAcknowledgedByWhoKnowsWhoGainsWhat(t *testing.T) {
	t.Parallel()
	b := setup(t)
	apple, banana := b.group("Apple"), b.group("Banana")
	adam, betty := b.user(access.RoleCSO, "adam@example.com", apple), b.user(access.RoleCSO, "betty@example.com", banana)
	both := b.user(access.RoleCSO, "wayne@example.com", apple, banana)
	b.delivery("DO-1", apple)
	b.delivery("DO-2", apple)
	preview, err := b.s.PreviewMerge(b.ctx, b.owner, command.MergeGroup{Group: apple, Into: banana})
	b.must(err)
	if len(preview.Gains) != 1 || preview.Gains[0].User != betty.ID || preview.Gains[0].Deliveries != 2 {
		t.Errorf("gains: %+v, want betty two deliveries", preview.Gains)
	}
	for _, l := range preview.Loses {
		if want := map[uuid.UUID]int64{adam.ID: 2, both.ID: 0}; l.Deliveries != want[l.User] || !slices.Equal(l.Groups, []uuid.UUID{apple}) {
			t.Errorf("%+v loses; want %d deliveries and the group", l, want[l.User])
		}
	}
	if len(preview.Loses) != 2 {
		t.Errorf("losses: %+v, want of adam and wayne", preview.Loses)
	}
	wantCode(t, b.merge(apple, banana, false), fault.Conflict, "widening-not-acknowledged")
	b.wantTypes(events.CategoryGroup, apple, "GroupCreated")
	e := env()
	first, err := b.s.MergeGroup(b.ctx, b.owner, e, command.MergeGroup{Group: apple, Into: banana, AcknowledgeWidening: true})
	b.must(err)
	again, err := b.process().MergeGroup(b.ctx, b.owner, e, command.MergeGroup{Group: apple, Into: banana, AcknowledgeWidening: true})
	b.must(err)
	if again != first {
		t.Errorf("the repetition answers %+v, want %+v", again, first)
	}
	records := b.records(events.CategoryGroup, apple)
	ev, err := b.codec.Decode(records[1])
	b.must(err)
	if got := ev.Payload.(*events.GroupMerged); got.Into != banana || !slices.Equal(got.Widened, []uuid.UUID{betty.ID}) || !slices.Equal(ev.Metadata.Groups, []uuid.UUID{apple, banana}) {
		t.Errorf("recorded as %+v, touching %v", got, ev.Metadata.Groups)
	}
}

func TestWhatCannotBeMergedIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	apple, banana, orange := b.group("Apple"), b.group("Banana"), b.group("Orange")
	b.delivery("DO-1", apple)
	b.delivery("DO-1", banana)
	err := b.merge(apple, banana, true)
	wantCode(t, err, fault.Conflict, "merge-conflicts")
	var f *fault.Error
	if !errors.As(err, &f) || len(f.Fields) != 1 || !strings.Contains(f.Fields[0].Detail, "DO-1") {
		t.Errorf("the conflicts are listed as %v", err)
	}
	wantCode(t, b.merge(apple, uuid.New(), true), fault.NotFound, "group-not-found")
	wantCode(t, b.merge(apple, b.all, true), fault.Conflict, "group-reserved")
	_, err = b.s.MergeGroup(b.ctx, b.somebody(access.RoleManager, false, apple), env(), command.MergeGroup{Group: apple, Into: orange})
	wantCode(t, err, fault.NotFound, "group-not-found")
	_, err = b.s.MergeGroup(b.ctx, b.somebody(access.RoleCSO, true), env(), command.MergeGroup{Group: apple, Into: orange})
	wantCode(t, err, fault.Denied, "permission-missing")
	_, err = b.s.DisableGroupField(b.ctx, b.owner, env())
	b.must(err)
	wantCode(t, b.merge(apple, orange, true), fault.Conflict, "group-field-off")
	_, err = b.s.EnableGroupField(b.ctx, b.owner, env())
	b.must(err)
	b.must(b.merge(apple, orange, true))
	// Its delivery has not moved yet.
	wantCode(t, b.merge(orange, banana, true), fault.Conflict, "merge-under-way")
	wantCode(t, b.merge(banana, orange, true), fault.Conflict, "merge-under-way")
	wantCode(t, b.merge(apple, banana, true), fault.Conflict, "group-merged")
}

func TestTwoGroupsNeverMergeIntoOneAnother(t *testing.T) {
	t.Parallel()
	b := setup(t)
	apple, banana := b.group("Apple"), b.group("Banana")
	// Whoever comes second waits for the first one's time to be over.
	processes := []*command.Service{b.hasty(5 * time.Second), b.hasty(5 * time.Second)}
	errs := make([]error, 2)
	var end sync.WaitGroup
	for i, pair := range [][2]uuid.UUID{{apple, banana}, {banana, apple}} {
		end.Go(func() {
			_, errs[i] = processes[i].MergeGroup(b.ctx, b.owner, env(), command.MergeGroup{Group: pair[0], Into: pair[1]})
		})
	}
	end.Wait()
	if (errs[0] == nil) == (errs[1] == nil) {
		t.Errorf("both ways: %v, %v; want one", errs[0], errs[1])
	}
}

func TestDeliveriesAndCodesOfAMergedGroupFollowItOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	apple, banana, orange := b.group("Apple"), b.group("Banana"), b.group("Orange")
	one, two := b.delivery("DO-1", apple), b.delivery("DO-2", apple)
	_, err := b.s.MapCustomerCode(b.ctx, b.owner, env(), command.MapCustomerCode{Code: "APL", Group: apple})
	b.must(err)
	b.must(b.merge(apple, banana, true))
	_, err = b.s.MoveMerged(b.ctx, b.owner, env(), command.MoveMerged{Delivery: one, From: apple})
	wantCode(t, err, fault.Denied, "system-only")
	system := access.System(b.org)
	e := env()
	for range 2 {
		_, err = b.process().MoveMerged(b.ctx, system, e, command.MoveMerged{Delivery: one, From: apple})
		b.must(err)
	}
	b.wantTypes(events.CategoryDelivery, one, "DeliveryCreated", "DeliveryTagged")
	_, err = b.s.TagDelivery(b.ctx, b.owner, because("by hand"), command.TagDelivery{Delivery: two, Group: orange})
	b.must(err)
	_, err = b.s.MoveMerged(b.ctx, system, env(), command.MoveMerged{Delivery: two, From: apple})
	b.must(err) // it is elsewhere, and stays there
	b.wantTypes(events.CategoryDelivery, two, "DeliveryCreated", "DeliveryTagged")
	// The claim went along: the number is taken in the target.
	_, err = b.s.CreateDelivery(b.ctx, b.owner, env(), command.CreateDelivery{DONumber: "DO-1", Date: "2026-03-02", Group: banana})
	wantCode(t, err, fault.Conflict, "do-number-taken")
	_, err = b.s.CreateDelivery(b.ctx, b.owner, env(), command.CreateDelivery{DONumber: "DO-9", Date: "2026-03-02", Group: apple})
	wantCode(t, err, fault.Conflict, "group-merged")
	e = env()
	for range 2 {
		b.must(b.process().MoveMergedCodes(b.ctx, system, e, apple))
	}
	b.wantTypes(events.CategoryGroup, banana, "GroupCreated", "CustomerCodeMapped")
	b.group("Apple") // its name is free
}

func TestRestoringEndsTheGrantsThatNoPolicyHasEndedYet(t *testing.T) {
	t.Parallel()
	b := setup(t)
	apple := b.group("Apple")
	adam := b.user(access.RoleCSO, "adam@example.com", apple)
	_, err := b.s.ArchiveGroup(b.ctx, b.owner, because("closed"), apple)
	b.must(err)
	e := env()
	for range 2 {
		_, err = b.s.RestoreGroup(b.ctx, b.owner, e, apple)
		b.must(err)
	}
	types := b.types(events.CategoryUser, adam.ID)
	if types[len(types)-1] != "GroupAccessRevoked" || slices.Index(types, "GroupAccessRevoked") != len(types)-1 {
		t.Errorf("the user's stream holds %v, want the grant ended once", types)
	}
}

func TestAVehicleThatLeftTheRegisterIsInNoGroup(t *testing.T) {
	t.Parallel()
	b := setup(t)
	apple := b.group("Apple")
	van, err := b.s.RegisterVehicle(b.ctx, b.owner, env(), command.RegisterVehicle{Name: "Van", Plate: "B 1"})
	b.must(err)
	manager := b.somebody(access.RoleManager, false, apple)
	add := func() error {
		_, err := b.s.AddVehicleToGroup(b.ctx, b.owner, env(), command.AddVehicleToGroup{Vehicle: van.ID, Group: apple})
		return err
	}
	b.must(add())
	one := b.delivery("DO-1", apple)
	assign := func() error {
		_, err := b.s.AssignVehicle(b.ctx, manager, env(), command.AssignVehicle{Delivery: one, Vehicle: van.ID})
		return err
	}
	b.must(assign())
	_, err = b.s.RemoveVehicle(b.ctx, manager, env(), van.ID)
	wantCode(t, err, fault.Denied, "access-to-all-missing")
	_, err = b.s.RemoveVehicle(b.ctx, b.owner, env(), van.ID)
	b.must(err)
	wantCode(t, assign(), fault.NotFound, "vehicle-not-found")
	wantCode(t, add(), fault.NotFound, "vehicle-not-found")
	_, err = b.s.RemoveVehicle(b.ctx, b.owner, env(), van.ID)
	wantCode(t, err, fault.NotFound, "vehicle-not-found")
}

// slowly is a sight during which something happens.
type slowly struct {
	sight
	meanwhile func()
}

func (s slowly) Wait(context.Context, events.Position) error {
	s.meanwhile()
	return nil
}

func TestAMergeThatWasOvertakenWhileItWasPlannedIsNotDone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	apple, banana := b.group("Apple"), b.group("Banana")
	x, err := aggregates.New(aggregates.Config{Store: b.store, Codec: b.codec})
	b.must(err)
	slow, err := command.New(command.Config{Executor: x, Store: b.store, Codec: b.codec, Identities: b.identities, ClaimsSecret: secret, SightLimit: patience,
		Sight: slowly{b.sight(), sync.OnceFunc(func() {
			_, err := b.hasty(time.Millisecond).MergeGroup(b.ctx, b.owner, env(), command.MergeGroup{Group: banana, Into: apple})
			b.must(err)
		})}})
	b.must(err)
	_, err = slow.MergeGroup(b.ctx, b.owner, env(), command.MergeGroup{Group: apple, Into: banana})
	wantCode(t, err, fault.Conflict, "merge-under-way")
	b.wantTypes(events.CategoryGroup, apple, "GroupCreated")
	b.wantTypes(events.CategoryGroup, banana, "GroupCreated", "GroupMerged")
}
