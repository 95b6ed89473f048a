package policies_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/aggregates/policies"
	"waybill/events"
	"waybill/events/consume"
	"waybill/events/store"
)

// tagged answers from the log itself, in pages by id.
type tagged struct {
	store *store.Store
	codec *events.Codec
}

func (tagged) Wait(context.Context, events.Position) error { return nil }

func (s tagged) Tagged(ctx context.Context, org, group uuid.UUID, from string, most int) ([]uuid.UUID, string, error) {
	in := map[uuid.UUID]uuid.UUID{}
	for r, err := range s.store.ReadAll(ctx, events.Position{}, store.Forwards) {
		if err != nil {
			return nil, "", err
		}
		if !bytes.HasPrefix([]byte(r.Stream), []byte("Delivery-"+org.String()+".")) {
			continue
		}
		ev, err := s.codec.Decode(r)
		if err != nil {
			return nil, "", err
		}
		switch e := ev.Payload.(type) {
		case *events.DeliveryCreated:
			in[ev.Stream.UUID()] = e.Group
		case *events.DeliveryTagged:
			in[ev.Stream.UUID()] = e.Group
		}
	}
	var ids []uuid.UUID
	for id, g := range in {
		if g == group && id.String() > from {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	if len(ids) <= most {
		return ids, "", nil
	}
	return ids[:most], ids[most-1].String(), nil
}

// dying issues commands until it has issued so many moves.
type dying struct {
	*command.Service
	mu   sync.Mutex
	left int
}

var errKilled = errors.New("killed")

func (d *dying) MoveMerged(ctx context.Context, c access.Caller, env command.Envelope, in command.MoveMerged) (aggregates.Result, error) {
	d.mu.Lock()
	d.left--
	dead := d.left < 0
	d.mu.Unlock()
	if dead {
		return aggregates.Result{}, errKilled
	}
	return d.Service.MoveMerged(ctx, c, env, in)
}

// merged makes a group of some deliveries as if it had just been merged into
// another one.
func (b *bundle) merged(deliveries int) (from, into uuid.UUID, ids []uuid.UUID, run *consume.Run) {
	b.Helper()
	_, err := b.s.EnableGroupField(b.ctx, b.owner, command.Envelope{})
	b.must(err)
	for _, g := range []struct {
		name string
		id   *uuid.UUID
	}{{"Apple", &from}, {"Banana", &into}} {
		made, err := b.s.CreateGroup(b.ctx, b.owner, command.Envelope{}, command.CreateGroup{Name: g.name})
		b.must(err)
		*g.id = made.ID
	}
	for i := range deliveries {
		made, err := b.s.CreateDelivery(b.ctx, b.owner, command.Envelope{}, command.CreateDelivery{DONumber: "DO-" + string(rune('A'+i)), Date: "2026-03-02", Group: from})
		b.must(err)
		ids = append(ids, made.ID)
	}
	return from, into, ids, &consume.Run{Records: b.append(from, &events.GroupMerged{Into: into})}
}

// append writes the second event of a group, as if the process that did had then
// died, and returns both.
func (b *bundle) append(group uuid.UUID, p events.Payload) []events.Record {
	b.Helper()
	stream := events.Stream(events.CategoryGroup, b.owner.Org, group).String()
	evs, err := b.codec.Encode(b.ctx, []events.Draft{{ID: uuid.New(), Metadata: events.Metadata{Org: b.owner.Org, CorrelationID: uuid.New()}, Payload: p}})
	b.must(err)
	_, err = b.store.Append(b.ctx, stream, 0, evs)
	b.must(err)
	records, err := b.store.Read(b.ctx, stream, 0, 10)
	b.must(err)
	return records
}

func (b *bundle) merges(moves int) *policies.Merges {
	b.Helper()
	m, err := policies.NewMerges(policies.MergesConfig{Commands: &dying{Service: b.s, left: moves}, Codec: b.codec,
		Tagged: tagged{b.store, b.codec}, Page: 2, Parallel: 2, Patience: time.Millisecond})
	b.must(err)
	return m
}

func TestAMergeKilledHalfWayGoesOnAndMovesEveryDeliveryOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, into, ids, run := b.merged(7)
	for moves := range 4 {
		if err := b.merges(moves).Handle(b.ctx, run); !errors.Is(err, errKilled) {
			t.Fatalf("killed after %d moves: %v", moves, err)
		}
	}
	for range 2 { // also when it is all done
		b.must(b.merges(100).Handle(b.ctx, run))
	}
	for _, id := range ids {
		ev, n := b.last(events.CategoryDelivery, id)
		e, ok := ev.Payload.(*events.DeliveryTagged)
		if n != 2 || !ok || e.Group != into {
			t.Errorf("the delivery's stream holds %d events, the last is %+v, want one move", n, ev.Payload)
			continue
		}
		if m := ev.Metadata; m.Reason != "merge" || m.Actor.Type != events.ActorSystem || m.CausationID != run.Records[1].ID {
			t.Errorf("the move's envelope is %+v, want it caused by the merge", m)
		}
	}
}

func TestADeliveryThatCannotMoveHoldsTheOthersNotUp(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, into, ids, run := b.merged(3)
	// Its number was taken in the target after the merge was decided.
	_, err := b.s.CreateDelivery(b.ctx, b.owner, command.Envelope{}, command.CreateDelivery{DONumber: "DO-B", Date: "2026-03-02", Group: into})
	b.must(err)
	b.must(b.merges(100).Handle(b.ctx, run))
	for i, id := range ids {
		if _, n := b.last(events.CategoryDelivery, id); (n == 2) != (i != 1) {
			t.Errorf("delivery %d has %d events", i, n)
		}
	}
}

func TestAMergedGroupsGrantsEnd(t *testing.T) {
	t.Parallel()
	b := setup(t)
	apple, err := b.s.CreateGroup(b.ctx, b.owner, command.Envelope{}, command.CreateGroup{Name: "Apple"})
	b.must(err)
	adam, err := b.s.AddUser(b.ctx, b.owner, command.Envelope{}, command.AddUser{Name: "Adam", Email: "a@example.com", Role: access.RoleCSO, Groups: []uuid.UUID{apple.ID}})
	b.must(err)
	b.append(apple.ID, &events.GroupMerged{Into: uuid.New()})
	b.react(b.of(events.CategoryGroup, events.CategoryUser)...)
	ev, _ := b.last(events.CategoryUser, adam.ID)
	if e, ok := ev.Payload.(*events.GroupAccessRevoked); !ok || e.Group != apple.ID || ev.Metadata.Reason == "" {
		t.Errorf("the user's last event is %+v, want the grant ended", ev.Payload)
	}
}

func TestTheNamesOfAGroupThatACrashLeftHalfRenamedAreSettled(t *testing.T) {
	t.Parallel()
	b := setup(t)
	pear, err := b.s.CreateGroup(b.ctx, b.owner, command.Envelope{}, command.CreateGroup{Name: "Pear"})
	b.must(err)
	b.append(pear.ID, &events.GroupRenamed{From: "Pear", To: "Plum"})
	b.react(b.of(events.CategoryGroup, events.CategoryUser)...)
	for name, free := range map[string]bool{"Plum": false, "Pear": true} {
		if _, err := b.s.CreateGroup(b.ctx, b.owner, command.Envelope{}, command.CreateGroup{Name: name}); (err == nil) != free {
			t.Errorf("creating %s: %v", name, err)
		}
	}
}
