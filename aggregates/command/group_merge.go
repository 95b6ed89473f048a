package command

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/group"
	"waybill/events"
	"waybill/events/fault"
)

// MergeGroup asks for a group to end, its deliveries moving to another.
type MergeGroup struct {
	Group, Into uuid.UUID

	// AcknowledgeWidening says that the caller knows who gains sight of what;
	// [Service.PreviewMerge] tells.
	AcknowledgeWidening bool
}

// conflictsListed bounds how many deliveries a refused merge names.
const conflictsListed = 100

// MergeGroup merges a group into another, for good. Its deliveries move there
// afterwards, one by one; until they have, only ALL users see them. The caller
// sees both groups. Errors: NotFound, Denied, Invalid, Conflict (group-field-off,
// groups-of-different-clients, group-of-client, group-archived, group-merged,
// merge-conflicts, merge-under-way, widening-not-acknowledged,
// client-not-managed), Unavailable.
func (s *Service) MergeGroup(ctx context.Context, c access.Caller, env Envelope, in MergeGroup) (aggregates.Result, error) {
	cmd := s.command(c, env)
	if err := s.mayMerge(ctx, c, in); err != nil {
		return unlessDone(ctx, s, groups, in.Group, cmd, err)
	}
	// One at a time, so that two groups never merge into one another, and no
	// delivery has to go further than planned.
	lock := aggregates.Holder{Category: events.CategoryGroup, ID: cmd.Derive("merge")}
	if err := s.claims.Move(ctx, cmd, mergeKey(c.Org), lock); err != nil {
		return aggregates.Result{}, err
	}
	res, err := s.merge(ctx, c, cmd, in, lock.ID)
	if _, released := s.claims.Settle(ctx, cmd, mergeKey(c.Org), lock); err == nil {
		err = released
	}
	return res, err
}

func (s *Service) merge(ctx context.Context, c access.Caller, cmd aggregates.Command, in MergeGroup, lock uuid.UUID) (aggregates.Result, error) {
	plan, err := s.planMerge(ctx, c, in)
	if err != nil {
		return unlessDone(ctx, s, groups, in.Group, cmd, err)
	}
	merge := group.Merge{Source: in.Group, Into: in.Into, Acknowledged: in.AcknowledgeWidening}
	for _, g := range plan.Gains {
		merge.Widened, merge.Deliveries = append(merge.Widened, g.User), g.Deliveries
	}
	return s.onGroup(ctx, c, cmd, in.Group, func(g group.State) ([]events.Payload, error) {
		// Planning takes its time, and whoever stands still is overtaken.
		claim, err := s.claims.Look(ctx, c.Org, mergeKey(c.Org))
		if err != nil {
			return nil, err
		}
		if !claim.Held || claim.Holder != lock {
			return nil, fault.New(fault.Conflict, "merge-under-way", "Another merge of groups has begun meanwhile. Try again when it is done.")
		}
		target, err := aggregates.Load(ctx, s.x, groups, c.Org, in.Into)
		if err != nil {
			return nil, err
		}
		merge.Target = target
		if err := s.manageableOf(ctx, c, target); err != nil {
			return nil, err
		}
		return merge.Decide(g)
	})
}

// PreviewMerge answers who would gain and lose sight of what by a merge, and
// changes nothing. Errors: those of MergeGroup.
func (s *Service) PreviewMerge(ctx context.Context, c access.Caller, in MergeGroup) (Widening, error) {
	if err := s.mayMerge(ctx, c, in); err != nil {
		return Widening{}, err
	}
	return s.planMerge(ctx, c, in)
}

// mayMerge refuses what can be refused without knowing who sees what.
func (s *Service) mayMerge(ctx context.Context, c access.Caller, in MergeGroup) error {
	if !c.Sees(in.Group) || in.Group == uuid.Nil || !c.Sees(in.Into) || in.Into == uuid.Nil {
		return noGroup()
	}
	source, err := aggregates.Load(ctx, s.x, groups, c.Org, in.Group)
	if err != nil {
		return err
	}
	target, err := aggregates.Load(ctx, s.x, groups, c.Org, in.Into)
	if err != nil {
		return err
	}
	if !source.Exists() || !target.Exists() {
		return noGroup()
	}
	if err := need(c, access.ManageGroups); err != nil {
		return err
	}
	if err := needSightOfOthers(c); err != nil {
		return err
	}
	if source.Status == group.Merged && source.Into == in.Into {
		return nil
	}
	if err := s.fieldOn(ctx, c); err != nil {
		return err
	}
	if _, err = (group.Merge{Source: in.Group, Into: in.Into, Target: target, Acknowledged: true}).Decide(source); err != nil {
		return err
	}
	if err := s.manageableOf(ctx, c, source); err != nil {
		return err
	}
	return s.manageableOf(ctx, c, target)
}

// planMerge finds who would gain and lose sight of what, and refuses what cannot
// be merged because of its deliveries.
func (s *Service) planMerge(ctx context.Context, c access.Caller, in MergeGroup) (Widening, error) {
	sight, err := s.sight(ctx)
	if err != nil {
		return Widening{}, err
	}
	for _, g := range []uuid.UUID{in.Group, in.Into} {
		busy, err := sight.Merging(ctx, c.Org, g)
		if err != nil {
			return Widening{}, err
		}
		if busy {
			return Widening{}, fault.New(fault.Conflict, "merge-under-way",
				"Deliveries of a group that was merged before have not all moved yet. Try again when they have. What stays has a D.O. number that is taken in the other group: change its number or date, or tag it.")
		}
	}
	twins, err := sight.Twins(ctx, c.Org, in.Group, in.Into, conflictsListed+1)
	if err != nil {
		return Widening{}, err
	}
	if len(twins) > 0 {
		return Widening{}, mergeConflicts(twins)
	}
	losers, err := holdersOf(ctx, sight, c.Org, in.Group)
	if err != nil {
		return Widening{}, err
	}
	n, err := sight.Deliveries(ctx, c.Org, in.Group)
	if err != nil {
		return Widening{}, err
	}
	members, err := sight.Holders(ctx, c.Org, in.Into)
	if err != nil {
		return Widening{}, err
	}
	return mergeWidening(in.Group, n, losers, members), nil
}

// mergeWidening compares who sees the source with who sees the target. Who sees
// both only loses the sight of the source as a group.
func mergeWidening(source uuid.UUID, deliveries int64, losers []SightOf, members []uuid.UUID) Widening {
	var w Widening
	for _, l := range losers {
		if slices.Contains(members, l.User) {
			l.Deliveries = 0
		}
		w.Loses = append(w.Loses, l)
	}
	for _, u := range members {
		if deliveries > 0 && !slices.ContainsFunc(losers, func(l SightOf) bool { return l.User == u }) {
			w.Gains = append(w.Gains, SightOf{User: u, Deliveries: deliveries})
		}
	}
	return w
}

func mergeConflicts(twins []string) error {
	f := fault.New(fault.Conflict, "merge-conflicts", "Both groups have a delivery of the same type, D.O. number and date. Change or delete one of each pair first.")
	for i, t := range twins {
		if i == conflictsListed {
			f.Detail += " Only the first ones are listed."
			break
		}
		f.Fields = append(f.Fields, fault.Field{Name: "do_number", Detail: t})
	}
	return f
}
