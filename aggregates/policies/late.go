package policies

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/events"
	"waybill/events/consume"
	"waybill/events/fault"
)

// A delivery may enter a group at the very moment when that is merged: whoever put
// it there looked before, and was written after. [Merges] moves what is in the
// group up to the merge. What comes later in the log is moved here, one by one.
//
// One whose D.O. number another delivery of the target has stays where it is, and by
// rule R2 only users with ALL see it: a merged group is not active. As soon as one of
// them gives it another number or date, it follows.

// mergedKept bounds how many groups are remembered.
const mergedKept = 10_000

// late reports whether an event may have put a delivery into a group that was
// merged before, or changed it there. It is asked about every delivery, so it decodes only which groups
// the event touches, and looks a group up once.
func (p *Policies) late(ctx context.Context, r events.Record) (bool, error) {
	groups, err := events.GroupsOf(r)
	if err != nil {
		return false, consume.Permanent(err)
	}
	for _, g := range groups {
		merged, err := p.isMerged(ctx, r, g)
		if merged || err != nil {
			return merged, err
		}
	}
	return false, nil
}

// isMerged reports whether a group was merged before an event. One that is merged
// after it was looked up is met later in the log, where its merge is noted.
func (p *Policies) isMerged(ctx context.Context, r events.Record, group uuid.UUID) (bool, error) {
	if merged, known := p.merged.Get(group); known {
		return merged, nil
	}
	stream, err := events.ParseStream(r.Stream)
	if err != nil {
		return false, consume.Permanent(err)
	}
	merged, err := p.cfg.Commands.IsMerged(ctx, access.System(stream.Org), group)
	if err == nil {
		p.merged.Add(group, merged)
	}
	return merged, err
}

// follow lets a delivery follow the group that it is in, if that was merged.
func (p *Policies) follow(ctx context.Context, caller access.Caller, ev events.Event, group uuid.UUID) error {
	merged, err := p.isMerged(ctx, ev.Record, group)
	if err != nil || !merged {
		return err
	}
	_, err = p.cfg.Commands.MoveMerged(ctx, caller, because(ev, "follow merge"), command.MoveMerged{Delivery: ev.Stream.UUID(), From: group})
	var taken *fault.Error
	if errors.As(err, &taken) && taken.Code == "do-number-taken" {
		p.cfg.Logger.Warn("a delivery stays in a merged group, where users with ALL alone see it, until it has another number or date",
			"org", caller.Org, "delivery", ev.Stream.UUID(), "group", group)
	}
	return p.settled(ev.Record, err)
}
