package command_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/aggregates/importing"
	"waybill/events"
	"waybill/events/fault"
)

// onOne are the commands on one delivery, with the permission that each needs.
func onOne(s *command.Service) map[string]struct {
	needs access.Permission
	do    func(context.Context, access.Caller, command.Envelope, uuid.UUID) (aggregates.Result, error)
} {
	type doing = func(context.Context, access.Caller, command.Envelope, uuid.UUID) (aggregates.Result, error)
	happened := func(do func(context.Context, access.Caller, command.Envelope, command.Happened) (aggregates.Result, error)) doing {
		return func(ctx context.Context, c access.Caller, env command.Envelope, id uuid.UUID) (aggregates.Result, error) {
			return do(ctx, c, env, command.Happened{Delivery: id})
		}
	}
	number := "renumbered"
	return map[string]struct {
		needs access.Permission
		do    doing
	}{
		"change": {access.CreateDeliveries, func(ctx context.Context, c access.Caller, env command.Envelope, id uuid.UUID) (aggregates.Result, error) {
			return s.ChangeDelivery(ctx, c, env, command.ChangeDelivery{Delivery: id, DONumber: &number})
		}},
		"unassign": {access.AssignVehicles, s.UnassignVehicle},
		"receive":  {access.UpdateStatus, happened(s.ReceiveGoods)},
		"head":     {access.UpdateStatus, happened(s.StartHeading)},
		"arrive":   {access.UpdateStatus, happened(s.Arrive)},
		"partial": {access.UpdateStatus, func(ctx context.Context, c access.Caller, env command.Envelope, id uuid.UUID) (aggregates.Result, error) {
			return s.CompletePartially(ctx, c, env, command.CompletePartially{Delivery: id})
		}},
		"hold":    {access.UpdateStatus, s.Hold},
		"release": {access.UpdateStatus, s.Release},
		"return":  {access.UpdateStatus, happened(s.ReturnDelivery)},
		"cancel":  {access.UpdateStatus, s.Cancel},
		"eta": {access.UpdateStatus, func(ctx context.Context, c access.Caller, env command.Envelope, id uuid.UUID) (aggregates.Result, error) {
			return s.ReviseEta(ctx, c, env, command.ReviseEta{Delivery: id, Eta: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)})
		}},
		"correct": {access.UpdateStatus, func(ctx context.Context, c access.Caller, env command.Envelope, id uuid.UUID) (aggregates.Result, error) {
			return s.CorrectOutcome(ctx, c, env, command.CorrectOutcome{Delivery: id, To: events.StatusFailed})
		}},
		"reattempt": {access.CreateDeliveries, func(ctx context.Context, c access.Caller, env command.Envelope, id uuid.UUID) (aggregates.Result, error) {
			out, err := s.Reattempt(ctx, c, env, command.Reattempt{Delivery: id, Date: "2026-04-01"})
			return out.Result, err
		}},
		"delete": {access.DeleteDeliveries, s.DeleteDelivery},
	}
}

func TestEveryCommandOnADeliveryNeedsSightThenItsPermission(t *testing.T) {
	t.Parallel()
	b := setup(t)
	apple, banana := b.group("Apple"), b.group("Banana")
	own, foreign, loose := b.delivery("own", apple), b.delivery("foreign", banana), b.delivery("loose", uuid.Nil)
	deleted := b.delivery("deleted", apple)
	_, err := b.s.DeleteDelivery(b.ctx, b.owner, env(), deleted)
	b.must(err)
	manager := b.somebody(access.RoleManager, false, apple)
	elsewhere := b.owner
	elsewhere.Org = uuid.New()
	for name, tc := range onOne(b.s) {
		for what, id := range map[string]uuid.UUID{"another group's": foreign, "one of no group": loose, "none": uuid.New(), "a deleted one": deleted} {
			if _, err := tc.do(b.ctx, manager, because("x"), id); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s of %s: %v, want not found", name, what, err)
			}
		}
		if _, err := tc.do(b.ctx, elsewhere, because("x"), own); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s in another organisation: %v, want not found", name, err)
		}
		weak := manager
		weak.Permissions &^= access.SetOf(tc.needs)
		if _, err := tc.do(b.ctx, weak, because("x"), own); !fault.Is(err, fault.Denied) {
			t.Errorf("%s without %s: %v, want denied", name, tc.needs, err)
		}
		only := manager
		only.Permissions = access.SetOf(tc.needs)
		if _, err := tc.do(b.ctx, only, because("x"), b.delivery(name, apple)); fault.Is(err, fault.NotFound) || fault.Is(err, fault.Denied) {
			t.Errorf("%s with %s: %v", name, tc.needs, err)
		}
	}
	b.wantTypes(events.CategoryDelivery, own, "DeliveryCreated")
	b.wantTypes(events.CategoryDelivery, foreign, "DeliveryCreated")
	b.wantTypes(events.CategoryDelivery, deleted, "DeliveryCreated", "DeliveryDeleted")
}

func (b *bundle) change(d uuid.UUID, number, date string) error {
	in := command.ChangeDelivery{Delivery: d}
	if number != "" {
		in.DONumber = &number
	}
	if date != "" {
		in.Date = &date
	}
	_, err := b.s.ChangeDelivery(b.ctx, b.owner, env(), in)
	return err
}

func TestTheClaimFollowsNumberAndDate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	apple, banana := b.group("Apple"), b.group("Banana")
	one, two := b.delivery("1", apple), b.delivery("2", apple)
	b.delivery("9", banana)
	wantCode(t, b.change(two, "1", ""), fault.Conflict, "do-number-taken")
	b.must(b.change(two, "9", "")) // the other group has numbers of its own
	b.delivery("2", apple)         // free again
	b.must(b.change(two, "", "2026-03-03"))
	b.delivery("9", apple) // on the day before
	wantCode(t, b.change(two, "", "2026-03-02"), fault.Conflict, "do-number-taken")
	_, err := b.s.DeleteDelivery(b.ctx, b.owner, env(), one)
	b.must(err)
	b.must(b.change(two, "1", "2026-03-02"))
	b.wantTypes(events.CategoryDelivery, two, "DeliveryCreated", "DeliveryChanged", "DeliveryChanged", "DeliveryChanged")
}

func TestAChangeKeepsWhatItDoesNotNameAndSealsAnew(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made, err := b.s.CreateDelivery(b.ctx, b.owner, env(), command.CreateDelivery{DONumber: "1", Date: "2026-03-02",
		Address: "Main St 1", Recipient: "Ann", Items: []events.Item{{SKU: "s", Quantity: 2}}})
	b.must(err)
	ben := "Ben"
	for _, s := range []*command.Service{b.s, b.process()} { // with what is cached, and with what is read
		recipient := ben
		_, err = s.ChangeDelivery(b.ctx, b.owner, env(), command.ChangeDelivery{Delivery: made.ID, Recipient: &recipient})
		b.must(err)
		ben += "jamin"
	}
	records := b.records(events.CategoryDelivery, made.ID)
	if len(records) != 3 {
		t.Fatalf("%d events, want 3", len(records))
	}
	for i, want := range [][2]string{{"Ann", "Ben"}, {"Ben", "Benjamin"}} {
		ev, err := b.codec.Decode(records[i+1])
		b.must(err)
		b.must(b.codec.Open(b.ctx, []events.Event{ev}))
		p := ev.Payload.(*events.DeliveryChanged)
		if got := [2]string{p.Before.Recipient.Text(), p.After.Recipient.Text()}; got != want {
			t.Errorf("change %d is from and to %q, want %q", i+1, got, want)
		}
		for _, d := range []events.DeliveryDetails{p.Before, p.After} {
			if d.Address.Text() != "Main St 1" || d.DONumber != "1" || d.Date != "2026-03-02" || len(d.Items) != 1 || d.Items[0].SKU != "s" {
				t.Errorf("change %d lost what it did not name", i+1)
			}
		}
	}
}

func TestAChangeOfWhatWasChangedSinceIsRefusedAndClaimsNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d := b.delivery("1", uuid.Nil)
	_, err := b.s.Dispatch(b.ctx, b.owner, env(), command.Dispatch{Delivery: d})
	b.must(err)
	number, stale := "2", uint64(0)
	e := env()
	e.ExpectedRevision = &stale
	_, err = b.s.ChangeDelivery(b.ctx, b.owner, e, command.ChangeDelivery{Delivery: d, DONumber: &number})
	wantCode(t, err, fault.Conflict, aggregates.CodeRevisionMismatch)
	b.delivery("2", uuid.Nil)
}

// Whoever changes which part of a key at the same time: in the end, every
// delivery's key is its own, and no other key is held.
func TestRacingChangesOfGroupNumberAndDateLeaveTheRightClaim(t *testing.T) {
	t.Parallel()
	b := setup(t)
	apple := b.group("Apple")
	processes := []*command.Service{b.s, b.process(), b.process()}
	for round := range 4 {
		a, z := fmt.Sprint("A", round), fmt.Sprint("Z", round)
		d := b.delivery(a, uuid.Nil)
		day := "2026-03-05"
		var end sync.WaitGroup
		for i, do := range []func(*command.Service) error{
			func(s *command.Service) error {
				_, err := s.ChangeDelivery(b.ctx, b.owner, env(), command.ChangeDelivery{Delivery: d, DONumber: &z})
				return err
			},
			func(s *command.Service) error {
				_, err := s.ChangeDelivery(b.ctx, b.owner, env(), command.ChangeDelivery{Delivery: d, Date: &day})
				return err
			},
			func(s *command.Service) error {
				_, err := s.TagDelivery(b.ctx, b.owner, because("x"), command.TagDelivery{Delivery: d, Group: apple})
				return err
			},
		} {
			end.Go(func() {
				if err := do(processes[i]); err != nil {
					t.Errorf("round %d, change %d: %v", round, i, err)
				}
			})
		}
		end.Wait()
		for _, g := range []uuid.UUID{uuid.Nil, apple} {
			for _, n := range []string{a, z} {
				for _, on := range []string{"2026-03-02", day} {
					_, err := b.s.CreateDelivery(b.ctx, b.owner, env(), command.CreateDelivery{DONumber: n, Date: on, Group: g})
					if taken := isTaken(err); taken != (g == apple && n == z && on == day) || !taken && err != nil {
						t.Errorf("round %d: creating %s in %s on %s: %v", round, n, g, on, err)
					}
				}
			}
		}
	}
}

func isTaken(err error) bool {
	var f *fault.Error
	return errors.As(err, &f) && f.Code == "do-number-taken"
}

func TestADeletedDeliveryFreesItsNumberButNotForImports(t *testing.T) {
	t.Parallel()
	b := setup(t)
	draft := []importing.Draft{{Rows: []int{2}, Type: events.TypeDelivery, DONumber: "1", Date: "2026-03-02"}}
	_, outcomes, err := b.load(b.s, b.owner, draft)
	b.must(err)
	d := outcomes[0].Delivery
	e := env()
	first, err := b.s.DeleteDelivery(b.ctx, b.owner, e, d)
	b.must(err)
	again, err := b.process().DeleteDelivery(b.ctx, b.owner, e, d) // the same command
	b.must(err)
	if first.Position != again.Position || first.Events != 1 {
		t.Errorf("repeated it answers %+v, first %+v", again, first)
	}
	_, outcomes, err = b.load(b.s, b.owner, draft)
	b.must(err)
	if outcomes[0].Status != command.OutcomeKnown {
		t.Errorf("importing it again: %+v, want that it is known", outcomes[0])
	}
	b.delivery("1", uuid.Nil)
	if got := b.types(events.CategoryDelivery, d); !slices.Equal(got, []string{"DeliveryCreated", "DeliveryDeleted"}) {
		t.Errorf("the log holds %v", got)
	}
}

func TestAnotherAttemptHoldsItsNumberAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	apple := b.group("Apple")
	d := b.delivery("1", apple)
	_, err := b.s.Dispatch(b.ctx, b.owner, env(), command.Dispatch{Delivery: d})
	b.must(err)
	_, err = b.s.Fail(b.ctx, b.owner, because("shut"), command.Fail{Delivery: d})
	b.must(err)
	reattempt := func(e command.Envelope, date string) (command.Created, error) {
		return b.s.Reattempt(b.ctx, b.owner, e, command.Reattempt{Delivery: d, Date: date})
	}
	_, err = reattempt(env(), "2026-03-02")
	wantCode(t, err, fault.Conflict, "do-number-taken") // by the attempt before
	_, err = reattempt(env(), "soon")
	wantCode(t, err, fault.Invalid, "invalid-field")
	_, err = b.s.CreateReattempt(b.ctx, b.owner, env(), command.CreateReattempt{Delivery: d, Next: uuid.New(), Date: "2026-03-03"})
	wantCode(t, err, fault.Denied, "system-only")
	e := env()
	made, err := reattempt(e, "2026-03-03")
	b.must(err)
	again, err := reattempt(e, "2026-03-03")
	b.must(err)
	if made != again {
		t.Errorf("repeated it answers %+v, first %+v", again, made)
	}
	_, err = reattempt(env(), "2026-03-04")
	wantCode(t, err, fault.Conflict, "delivery-reattempted")
	system := access.System(b.org)
	create := command.CreateReattempt{Delivery: d, Next: made.ID, Date: "2026-03-03"}
	for range 2 { // the second time there is nothing to do
		_, err = b.s.CreateReattempt(b.ctx, system, env(), create)
		b.must(err)
	}
	b.wantTypes(events.CategoryDelivery, d, "DeliveryCreated", "DeliveryDispatched", "DeliveryFailed", "DeliveryReattempted")
	b.wantTypes(events.CategoryDelivery, made.ID, "DeliveryCreated")
	_, err = b.s.CreateDelivery(b.ctx, b.owner, env(), command.CreateDelivery{DONumber: "1", Date: "2026-03-03", Group: apple})
	wantCode(t, err, fault.Conflict, "do-number-taken")

	closed := b.group("Closed")
	_, err = b.s.TagDelivery(b.ctx, b.owner, because("x"), command.TagDelivery{Delivery: d, Group: closed})
	b.must(err)
	other := b.delivery("2", closed)
	_, err = b.s.Dispatch(b.ctx, b.owner, env(), command.Dispatch{Delivery: other})
	b.must(err)
	_, err = b.s.Fail(b.ctx, b.owner, because("shut"), command.Fail{Delivery: other})
	b.must(err)
	_, err = b.s.ArchiveGroup(b.ctx, b.owner, because("over"), closed)
	b.must(err)
	_, err = b.s.Reattempt(b.ctx, b.owner, env(), command.Reattempt{Delivery: other, Date: "2026-03-03"})
	wantCode(t, err, fault.Conflict, "group-archived")
}
