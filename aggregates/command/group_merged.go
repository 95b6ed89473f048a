package command

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/delivery"
	"waybill/aggregates/group"
	"waybill/events"
	"waybill/events/fault"
)

// ReasonMerge is the reason of a delivery's move that a merge of groups entails.
const ReasonMerge = "merge"

// MoveMerged asks for a delivery of a merged group to follow it.
type MoveMerged struct {
	Delivery uuid.UUID
	From     uuid.UUID // the merged group
}

// MoveMerged moves a delivery of a merged group to where the group went, with the
// claim of its key. One that is elsewhere by now stays there. It is for policies.
// Errors: NotFound, Conflict (do-number-taken: it came to the merged group while that
// was merged, and stays there, seen by users with ALL only, until it is changed).
func (s *Service) MoveMerged(ctx context.Context, c access.Caller, env Envelope, in MoveMerged) (aggregates.Result, error) {
	if !c.System {
		return aggregates.Result{}, systemOnly()
	}
	to, err := s.mergedInto(ctx, c.Org, in.From)
	if err != nil {
		return aggregates.Result{}, err
	}
	env.Reason = ReasonMerge
	return s.retag(ctx, c, s.command(c, env), in.Delivery, to, func(d delivery.State) ([]events.Payload, error) {
		if d.Key.Group != in.From {
			return nil, nil
		}
		return delivery.Tag{Group: to, Reason: ReasonMerge}.Decide(d)
	})
}

// IsMerged reports whether a group was merged into another one. It is for policies.
func (s *Service) IsMerged(ctx context.Context, c access.Caller, id uuid.UUID) (bool, error) {
	if !c.System {
		return false, systemOnly()
	}
	g, err := aggregates.Peek(ctx, s.x, groups, c.Org, id)
	return g.Status == group.Merged, err
}

// mergedInto returns where a merged group's deliveries belong. The target may
// have been merged further meanwhile.
func (s *Service) mergedInto(ctx context.Context, org, id uuid.UUID) (uuid.UUID, error) {
	seen := map[uuid.UUID]bool{}
	for {
		g, err := aggregates.Load(ctx, s.x, groups, org, id)
		switch {
		case err != nil:
			return uuid.Nil, err
		case !g.Exists():
			return uuid.Nil, noGroup()
		case g.Status != group.Merged && len(seen) > 0:
			return id, nil
		case g.Status != group.Merged || seen[id]:
			return uuid.Nil, fault.New(fault.Conflict, "group-not-merged", "The group was not merged into another one.")
		}
		seen[id] = true
		id = g.Into
	}
}

// MoveMergedCodes lets the customer codes of a merged group follow it, and its
// name be free. A code that somebody mapped elsewhere meanwhile stays there. It
// is for policies; a repetition goes on where it was stopped. Errors: NotFound,
// Conflict.
func (s *Service) MoveMergedCodes(ctx context.Context, c access.Caller, env Envelope, from uuid.UUID) error {
	if !c.System {
		return systemOnly()
	}
	cmd := s.command(c, env)
	to, err := s.mergedInto(ctx, c.Org, from)
	if err != nil {
		return err
	}
	g, err := aggregates.Load(ctx, s.x, groups, c.Org, from)
	if err != nil {
		return err
	}
	for _, key := range append([]aggregates.Key{nameKey(g.Name)}, codeKeys(g.Codes)...) {
		if _, err := s.claims.Settle(ctx, cmd, key, groupHolder(from)); err != nil {
			return err
		}
	}
	for _, code := range g.Codes {
		next := cmd.Then("code " + group.NormalCode(code))
		_, err := s.mapCode(ctx, next, MapCustomerCode{Code: code, Group: to})
		var refused *fault.Error
		if errors.As(err, &refused) && refused.Kind == fault.Conflict && refused.Code != "stream-busy" {
			continue // mapped elsewhere, or the target takes no codes any more
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func codeKeys(codes []string) []aggregates.Key {
	keys := make([]aggregates.Key, len(codes))
	for i, code := range codes {
		keys[i] = codeKey(code)
	}
	return keys
}

func systemOnly() error {
	return fault.New(fault.Denied, "system-only", "This is done by waybill itself.")
}
