package policies_test

import (
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates/command"
	"waybill/events"
)

func TestAReattemptBecomesADeliveryOnceInTheSameGroupBecauseOfTheEvent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.s.EnableGroupField(b.ctx, b.owner, command.Envelope{})
	b.must(err)
	apple, err := b.s.CreateGroup(b.ctx, b.owner, command.Envelope{}, command.CreateGroup{Name: "Apple"})
	b.must(err)
	made, err := b.s.CreateDelivery(b.ctx, b.owner, command.Envelope{}, command.CreateDelivery{DONumber: "1", Date: "2026-03-02", Group: apple.ID,
		Recipient: "Ann", Items: []events.Item{{ID: "a", Quantity: 5}, {ID: "b", Quantity: 1}}})
	b.must(err)
	_, err = b.s.Dispatch(b.ctx, b.owner, command.Envelope{}, command.Dispatch{Delivery: made.ID})
	b.must(err)
	_, err = b.s.CompletePartially(b.ctx, b.owner, command.Envelope{}, command.CompletePartially{Delivery: made.ID,
		Rejected: []events.RejectedItem{{Item: "a", Quantity: 2}}})
	b.must(err)
	planned, err := b.s.Reattempt(b.ctx, b.owner, command.Envelope{}, command.Reattempt{Delivery: made.ID, Date: "2026-03-03"})
	b.must(err)
	cause, _ := b.last(events.CategoryDelivery, made.ID)
	for range 2 { // also when the events are handled again
		b.react(b.of(events.CategoryDelivery)...)
		ev, n := b.last(events.CategoryDelivery, planned.ID)
		if n != 1 {
			t.Fatalf("the new delivery's stream holds %d events, want 1", n)
		}
		b.must(b.codec.Open(b.ctx, []events.Event{ev}))
		p, ok := ev.Payload.(*events.DeliveryCreated)
		if !ok || p.DONumber != "1" || p.Date != "2026-03-03" || p.Group != apple.ID || p.Attempt != 2 || p.Previous != made.ID ||
			p.Vehicle != uuid.Nil || p.Recipient.Text() != "Ann" || p.Recipient.Subject != planned.ID {
			t.Errorf("the new delivery is %+v", ev.Payload)
		}
		if want := (events.Item{ID: "a", Quantity: 2}); len(p.Items) != 1 || p.Items[0] != want {
			t.Errorf("its items are %v, want what was rejected", p.Items)
		}
		if m := ev.Metadata; m.CausationID != cause.Record.ID || m.Actor.Type != events.ActorSystem || m.CorrelationID != cause.Metadata.CorrelationID {
			t.Errorf("its envelope is %+v, want it caused by the reattempt", m)
		}
	}
}
