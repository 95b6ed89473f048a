package command_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"waybill/events"
	"waybill/events/store"
)

// sight answers who sees what from the log itself, the plainest way.
type sight struct {
	store *store.Store
	codec *events.Codec
	from  events.Position
}

func (b *bundle) sight() sight { return sight{b.store, b.codec, b.from} }

// world is what the log of an organisation comes to.
type world struct {
	grants     map[uuid.UUID]events.GroupAccessGranted
	holder     map[uuid.UUID]uuid.UUID // user by grant
	gone       map[uuid.UUID]bool      // users blocked or removed
	deliveries map[uuid.UUID]*events.DeliveryCreated
	into       map[uuid.UUID]uuid.UUID
}

func (s sight) world(ctx context.Context, org uuid.UUID) (*world, error) {
	w := &world{map[uuid.UUID]events.GroupAccessGranted{}, map[uuid.UUID]uuid.UUID{}, map[uuid.UUID]bool{}, map[uuid.UUID]*events.DeliveryCreated{}, map[uuid.UUID]uuid.UUID{}}
	for r, err := range s.store.ReadAll(ctx, s.from, store.Forwards) {
		if err != nil {
			return nil, err
		}
		if !bytes.Contains([]byte(r.Stream), []byte("-"+org.String()+".")) {
			continue
		}
		ev, err := s.codec.Decode(r)
		if err != nil {
			return nil, err
		}
		w.take(ev, ev.Stream.UUID())
	}
	return w, nil
}

func (w *world) take(ev events.Event, id uuid.UUID) {
	switch e := ev.Payload.(type) {
	case *events.GroupAccessGranted:
		w.grants[e.Grant], w.holder[e.Grant] = *e, id
	case *events.GroupAccessRevoked:
		delete(w.grants, e.Grant)
	case *events.UserBlocked, *events.UserRemoved:
		w.gone[id] = true
	case *events.UserUnblocked:
		w.gone[id] = e.StillBlocked
	case *events.DeliveryCreated:
		w.deliveries[id] = e
	case *events.DeliveryTagged:
		w.deliveries[id].Group = e.Group
	case *events.DeliveryUntagged:
		w.deliveries[id].Group = uuid.Nil
	case *events.DeliveryDeleted:
		delete(w.deliveries, id)
	case *events.GroupMerged:
		w.into[id] = e.Into
	}
}

func (sight) Wait(context.Context, events.Position) error { return nil }

func (s sight) Holders(ctx context.Context, org, group uuid.UUID) ([]uuid.UUID, error) {
	w, err := s.world(ctx, org)
	if err != nil {
		return nil, err
	}
	var users []uuid.UUID
	for id, g := range w.grants {
		u := w.holder[id]
		if g.Group == group && !w.gone[u] && !slices.Contains(users, u) && (g.ExpiresAt.IsZero() || g.ExpiresAt.After(time.Now())) {
			users = append(users, u)
		}
	}
	slices.SortFunc(users, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	return users, nil
}

func (s sight) Grants(ctx context.Context, org, group uuid.UUID) (map[uuid.UUID]uuid.UUID, error) {
	w, err := s.world(ctx, org)
	open := map[uuid.UUID]uuid.UUID{}
	if err == nil {
		for id, g := range w.grants {
			if g.Group == group {
				open[id] = w.holder[id]
			}
		}
	}
	return open, err
}

func (s sight) in(ctx context.Context, org uuid.UUID, want func(*events.DeliveryCreated) bool) (map[uuid.UUID]*events.DeliveryCreated, error) {
	w, err := s.world(ctx, org)
	in := map[uuid.UUID]*events.DeliveryCreated{}
	if err == nil {
		for id, d := range w.deliveries {
			if want(d) {
				in[id] = d
			}
		}
	}
	return in, err
}

func (s sight) Deliveries(ctx context.Context, org, group uuid.UUID) (int64, error) {
	in, err := s.in(ctx, org, func(d *events.DeliveryCreated) bool { return d.Group == group })
	return int64(len(in)), err
}

func (s sight) Everything(ctx context.Context, org uuid.UUID) (int64, error) {
	in, err := s.in(ctx, org, func(*events.DeliveryCreated) bool { return true })
	return int64(len(in)), err
}

func (s sight) Twins(ctx context.Context, org, from, into uuid.UUID, most int) ([]string, error) {
	var twins []string
	there, err := s.in(ctx, org, func(d *events.DeliveryCreated) bool { return d.Group == into })
	if err != nil {
		return nil, err
	}
	here, err := s.in(ctx, org, func(d *events.DeliveryCreated) bool { return d.Group == from })
	for _, d := range here {
		for _, o := range there {
			if d.DONumber == o.DONumber && d.Type == o.Type && d.Date == o.Date {
				twins = append(twins, fmt.Sprintf("%s (%s, %s)", d.DONumber, d.Type, d.Date))
			}
		}
	}
	slices.Sort(twins)
	return twins[:min(most, len(twins))], err
}

func (s sight) Merging(ctx context.Context, org, group uuid.UUID) (bool, error) {
	w, err := s.world(ctx, org)
	if err != nil {
		return false, err
	}
	left, err := s.in(ctx, org, func(d *events.DeliveryCreated) bool { return w.into[d.Group] == group && d.Group != uuid.Nil })
	return len(left) > 0, err
}
