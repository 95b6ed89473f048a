package command

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/delivery"
	"waybill/aggregates/group"
	"waybill/events"
)

func nameKey(name string) aggregates.Key {
	return aggregates.Key{Kind: events.KeyGroupName, Parts: []string{group.NormalName(name)}}
}

func codeKey(code string) aggregates.Key {
	return aggregates.Key{Kind: events.KeyCustomerCode, Parts: []string{group.NormalCode(code)}}
}

// mergeKey is held by the one merge of groups that is being decided.
func mergeKey(org uuid.UUID) aggregates.Key {
	return aggregates.Key{Kind: events.KeyGroupMerge, Parts: []string{org.String()}}
}

func emailKey(normal string) aggregates.Key {
	return aggregates.Key{Kind: events.KeyUserEmail, Parts: []string{normal}}
}

func deliveryKey(k delivery.Key) aggregates.Key {
	return aggregates.Key{Kind: events.KeyDelivery, Parts: k.Parts()}
}

func groupHolder(id uuid.UUID) aggregates.Holder {
	return aggregates.Holder{Category: events.CategoryGroup, ID: id}
}

func deliveryHolder(id uuid.UUID) aggregates.Holder {
	return aggregates.Holder{Category: events.CategoryDelivery, ID: id}
}

// judges know who holds which kind of key.
func (s *Service) judges() map[string]aggregates.Judge {
	return map[string]aggregates.Judge{
		events.KeyGroupName: func(ctx context.Context, org, id uuid.UUID, key aggregates.Key) (aggregates.Fate, error) {
			g, err := aggregates.Load(ctx, s.x, groups, org, id)
			return fate(g.Exists(), g.Abandoned, g.HasName(key.Parts[0])), err
		},
		events.KeyCustomerCode: func(ctx context.Context, org, id uuid.UUID, key aggregates.Key) (aggregates.Fate, error) {
			g, err := aggregates.Load(ctx, s.x, groups, org, id)
			return fate(g.Exists(), g.Abandoned, g.HasCode(key.Parts[0])), err
		},
		events.KeyGroupMerge: func(context.Context, uuid.UUID, uuid.UUID, aggregates.Key) (aggregates.Fate, error) {
			return aggregates.Moved, nil // a merge that stands still is overtaken
		},
		events.KeyUserEmail: func(ctx context.Context, org, id uuid.UUID, _ aggregates.Key) (aggregates.Fate, error) {
			u, err := aggregates.Peek(ctx, s.x, users, org, id)
			return fate(u.Exists(), u.Abandoned, u.Present()), err // a removed user has given it up
		},
		events.KeyDelivery: func(ctx context.Context, org, id uuid.UUID, key aggregates.Key) (aggregates.Fate, error) {
			d, err := aggregates.Peek(ctx, s.x, deliveries, org, id)
			return fate(d.Born(), d.Abandoned, d.Exists() && slices.Equal(d.Key.Parts(), key.Parts)), err
		},
	}
}

func fate(exists, abandoned, has bool) aggregates.Fate {
	switch {
	case exists && has:
		return aggregates.Holds
	case exists:
		return aggregates.Moved
	case abandoned:
		return aggregates.Abandoned
	default:
		return aggregates.Unborn
	}
}
