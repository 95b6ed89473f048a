package policies_test

import (
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates/command"
	"waybill/aggregates/policies"
	"waybill/events"
	"waybill/events/consume"
)

// written appends an event of a delivery as a command does that looked at the group
// before it was merged.
func (b *bundle) written(id uuid.UUID, at events.Expected, p events.Payload, groups ...uuid.UUID) events.Record {
	b.Helper()
	evs, err := b.codec.Encode(b.ctx, []events.Draft{{ID: uuid.New(), Metadata: events.Metadata{Org: b.owner.Org, Actor: b.owner.Actor, CommandID: uuid.New(), CorrelationID: uuid.New(), Groups: groups}, Payload: p}})
	b.must(err)
	stream := events.Stream(events.CategoryDelivery, b.owner.Org, id).String()
	_, err = b.store.Append(b.ctx, stream, at, evs)
	b.must(err)
	records, err := b.store.Read(b.ctx, stream, at.Next(), 1)
	b.must(err)
	return records[0]
}

func TestWhatEntersAGroupAfterItWasMergedFollowsIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	from, into, _, run := b.merged(0)
	b.must(b.merges(100).Handle(b.ctx, run)) // and is done with it
	made, err := b.s.CreateDelivery(b.ctx, b.owner, command.Envelope{}, command.CreateDelivery{DONumber: "DO-1", Date: "2026-03-02", Group: into})
	b.must(err)
	tagged, created := made.ID, uuid.New()
	late := map[uuid.UUID]events.Record{
		tagged:  b.written(tagged, 0, &events.DeliveryTagged{FromGroup: into, Group: from}, into, from),
		created: b.written(created, events.NoStream, &events.DeliveryCreated{DONumber: "DO-2", Type: events.TypeDelivery, Date: "2026-03-02", Group: from, Attempt: 1}, from),
	}
	elsewhere, err := b.s.CreateDelivery(b.ctx, b.owner, command.Envelope{}, command.CreateDelivery{DONumber: "DO-3", Date: "2026-03-02"})
	b.must(err)
	for range 2 { // also when the events are handled again, by another process
		b.p, err = policies.New(policies.Config{Commands: b.s, Codec: b.codec, Grants: &grants{b.store, b.codec}, Patience: 1})
		b.must(err)
		b.react(b.of(events.CategoryGroup, events.CategoryUser, events.CategoryDelivery)...)
	}
	for id := range late {
		if ev, _ := b.last(events.CategoryDelivery, id); ev.Payload.(*events.DeliveryTagged).Group != into {
			t.Errorf("the delivery's last event is %+v, want it to follow its group", ev.Payload)
		}
	}
	if _, n := b.last(events.CategoryDelivery, elsewhere.ID); n != 1 {
		t.Errorf("a delivery in no group has %d events", n)
	}
}

func TestWhatEntersAMergedGroupIsMovedByItsOwnEventAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	from, into, _, _ := b.merged(0)
	made, err := b.s.CreateDelivery(b.ctx, b.owner, command.Envelope{}, command.CreateDelivery{DONumber: "DO-1", Date: "2026-03-02", Group: into})
	b.must(err)
	late := b.written(made.ID, 0, &events.DeliveryTagged{FromGroup: into, Group: from}, into, from)
	for range 2 { // nothing else was handled before, as after a restart
		b.must(b.p.Handle(b.ctx, &consume.Run{Records: []events.Record{late}}))
		ev, n := b.last(events.CategoryDelivery, made.ID)
		p, ok := ev.Payload.(*events.DeliveryTagged)
		if !ok || n != 3 || p.FromGroup != from || p.Group != into || ev.Metadata.Reason != command.ReasonMerge || ev.Metadata.CausationID != late.ID || ev.Metadata.Actor.Type != events.ActorSystem {
			t.Errorf("the delivery has %d events, the last is %+v by %+v", n, ev.Payload, ev.Metadata)
		}
	}
}

func TestADeliveryWhoseNumberTheTargetHasFollowsOnceItHasAnother(t *testing.T) {
	t.Parallel()
	b := setup(t)
	from, into, _, _ := b.merged(0)
	_, err := b.s.CreateDelivery(b.ctx, b.owner, command.Envelope{}, command.CreateDelivery{DONumber: "DO-1", Date: "2026-03-02", Group: into})
	b.must(err)
	id := uuid.New()
	late := b.written(id, events.NoStream, &events.DeliveryCreated{DONumber: "DO-1", Type: events.TypeDelivery, Date: "2026-03-02", Group: from, Attempt: 1}, from)
	b.must(b.p.Handle(b.ctx, &consume.Run{Records: []events.Record{late}}))
	if _, n := b.last(events.CategoryDelivery, id); n != 1 {
		t.Fatalf("a delivery whose number is taken has %d events", n)
	}
	number := "DO-1b"
	_, err = b.s.ChangeDelivery(b.ctx, b.owner, command.Envelope{}, command.ChangeDelivery{Delivery: id, DONumber: &number})
	b.must(err)
	b.react(b.of(events.CategoryDelivery)...)
	ev, n := b.last(events.CategoryDelivery, id)
	if p, ok := ev.Payload.(*events.DeliveryTagged); !ok || n != 3 || p.FromGroup != from || p.Group != into {
		t.Errorf("the delivery has %d events, the last is %+v, want it to follow its group", n, ev.Payload)
	}
}
