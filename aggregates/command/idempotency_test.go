package command_test

import (
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/events"
	"waybill/events/fault"
)

func TestARepeatedCommandAnswersWhatItDidThen(t *testing.T) {
	t.Parallel()
	b := setup(t)
	apple, banana := b.group("Apple"), b.group("Banana")
	d := b.delivery("DO-1", apple)
	dispatch, tag := env(), because("sold")
	first, err := b.s.Dispatch(b.ctx, b.owner, dispatch, command.Dispatch{Delivery: d})
	b.must(err)
	moved, err := b.s.TagDelivery(b.ctx, b.owner, tag, command.TagDelivery{Delivery: d, Group: banana})
	b.must(err)
	_, err = b.s.Complete(b.ctx, b.owner, env(), command.Complete{Delivery: d})
	b.must(err)
	for name, s := range map[string]*command.Service{"here": b.s, "in another process": b.process()} {
		again, err := s.Dispatch(b.ctx, b.owner, dispatch, command.Dispatch{Delivery: d})
		b.must(err)
		if again != first {
			t.Errorf("%s: the repetition answers %+v, want %+v", name, again, first)
		}
		again, err = s.TagDelivery(b.ctx, b.owner, tag, command.TagDelivery{Delivery: d, Group: banana})
		b.must(err)
		if again != moved {
			t.Errorf("%s: the repeated tag answers %+v, want %+v", name, again, moved)
		}
	}
	b.wantTypes(events.CategoryDelivery, d, "DeliveryCreated", "DeliveryDispatched", "DeliveryTagged", "DeliveryCompleted")
	other := b.somebody(access.RoleManager, true)
	_, err = b.s.Dispatch(b.ctx, other, dispatch, command.Dispatch{Delivery: d})
	wantCode(t, err, fault.Conflict, "delivery-status") // another actor's command, whatever its id
}

func TestARepeatedCreationMakesNothingNew(t *testing.T) {
	t.Parallel()
	b := setup(t)
	group, delivery, user, client, vehicle := env(), env(), env(), env(), env()
	var first []uuid.UUID
	for name, s := range map[string]*command.Service{"once": b.s, "again": b.s, "in another process": b.process()} {
		var made []uuid.UUID
		g, err := s.CreateGroup(b.ctx, b.owner, group, command.CreateGroup{Name: "Apple"})
		b.must(err)
		d, err := s.CreateDelivery(b.ctx, b.owner, delivery, command.CreateDelivery{DONumber: "1", Date: "2026-03-02", Group: g.ID})
		b.must(err)
		u, err := s.AddUser(b.ctx, b.owner, user, command.AddUser{Name: "Adam", Email: "adam@example.com", Role: access.RoleCustomer, Groups: []uuid.UUID{g.ID}})
		b.must(err)
		c, err := s.AddClient(b.ctx, b.owner, client, command.AddClient{BusinessName: "Banana", Email: "b@example.com", GroupName: "Banana"})
		b.must(err)
		v, err := s.RegisterVehicle(b.ctx, b.owner, vehicle, command.RegisterVehicle{Name: "Van", Plate: "B 1"})
		b.must(err)
		made = append(made, g.ID, d.ID, u.ID, u.Identity, u.Invitation, c.ID, c.Group, v.ID)
		if first == nil {
			first = made
		}
		for i := range made {
			if made[i] != first[i] {
				t.Errorf("%s: thing %d is %s, want %s", name, i, made[i], first[i])
			}
		}
	}
	b.wantTypes(events.CategoryGroup, first[0], "GroupCreated")
	b.wantTypes(events.CategoryDelivery, first[1], "DeliveryCreated")
	b.wantTypes(events.CategoryUser, first[2], "UserAdded", "GroupAccessGranted", "UserInvited")
	b.wantTypes(events.CategoryClientAccount, first[5], "ClientAdded", "ClientGroupLinked")
	b.wantTypes(events.CategoryGroup, first[6], "GroupCreated")
}

func TestARepeatedCreationStandsWhateverHappenedSince(t *testing.T) {
	t.Parallel()
	b := setup(t)
	apple, banana := b.group("Apple"), b.group("Banana")
	create := env()
	in := command.CreateDelivery{DONumber: "1", Date: "2026-03-02", Group: apple}
	made, err := b.s.CreateDelivery(b.ctx, b.owner, create, in)
	b.must(err)
	_, err = b.s.TagDelivery(b.ctx, b.owner, because("sold"), command.TagDelivery{Delivery: made.ID, Group: banana})
	b.must(err)
	other := b.delivery("1", apple) // the number is free again in Apple
	_, err = b.s.ArchiveGroup(b.ctx, b.owner, because("closed"), apple)
	b.must(err)
	again, err := b.process().CreateDelivery(b.ctx, b.owner, create, in)
	b.must(err)
	if again != made {
		t.Errorf("the repetition answers %+v, want %+v", again, made)
	}
	b.wantTypes(events.CategoryDelivery, made.ID, "DeliveryCreated", "DeliveryTagged")
	b.wantTypes(events.CategoryDelivery, other, "DeliveryCreated")
}

func TestEveryEventCarriesItsEnvelope(t *testing.T) {
	t.Parallel()
	b := setup(t)
	apple, banana := b.group("Apple"), b.group("Banana")
	d := b.delivery("DO-1", apple)
	caller := b.owner
	caller.Source = events.Source{IP: "192.0.2.1", Portal: "dispatcher"}
	e := because("sold")
	e.OnBehalfOf, e.CorrelationID, e.Approval = "user:ann", uuid.New(), events.Approval{By: "user:olivia", Reference: "T-1"}
	res, err := b.s.TagDelivery(b.ctx, caller, e, command.TagDelivery{Delivery: d, Group: banana})
	b.must(err)
	records := b.records(events.CategoryDelivery, d)
	last := records[len(records)-1]
	ev, err := b.codec.Decode(last)
	b.must(err)
	m := ev.Metadata
	if m.Org != b.org || m.Actor != caller.Actor || m.OnBehalfOf != e.OnBehalfOf || m.CommandID != e.CommandID ||
		m.CorrelationID != e.CorrelationID || m.CausationID != e.CommandID || m.Reason != e.Reason || m.Approval != e.Approval || m.Source != caller.Source {
		t.Errorf("the envelope is %+v", m)
	}
	if len(m.Groups) != 2 || m.Groups[0] != apple || m.Groups[1] != banana {
		t.Errorf("a move touches %v, want both groups", m.Groups)
	}
	if m.RecordedAt.IsZero() || m.RecordedAt.Nanosecond()%1000 != 0 {
		t.Errorf("recorded at %v, want whole microseconds", m.RecordedAt)
	}
	if last.ID != events.EventID(b.org, caller.Actor, e.CommandID, last.Stream, 0) {
		t.Error("the event's id is not the one derived from its command")
	}
	if res.Position != last.Position || res.Revision != last.Revision || res.Events != 1 {
		t.Errorf("the command answers %+v, and its event is at %v, revision %d", res, last.Position, last.Revision)
	}
}
