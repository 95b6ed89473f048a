package command

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/group"
	"waybill/events"
	"waybill/events/fault"
)

// RenameGroup asks for another name of a group.
type RenameGroup struct {
	Group uuid.UUID
	Name  string
}

// RenameGroup gives a group another name: claims the new one, renames, releases
// the old one. Stopped half-way, it leaves a claim whose holder has another name,
// which blocks nobody for long; the same command finishes it, and so does a
// policy. Errors: NotFound, Denied, Invalid, Conflict (group-name-taken,
// group-merged, group-reserved, client-not-managed).
func (s *Service) RenameGroup(ctx context.Context, c access.Caller, env Envelope, in RenameGroup) (aggregates.Result, error) {
	cmd, rename := s.command(c, env), group.Rename{Name: in.Name}
	run := func() (aggregates.Result, error) { return s.managing(ctx, c, cmd, in.Group, rename.Decide) }
	if !c.Sees(in.Group) || in.Group == uuid.Nil {
		return aggregates.Result{}, noGroup()
	}
	before, err := aggregates.Load(ctx, s.x, groups, c.Org, in.Group)
	if err != nil {
		return aggregates.Result{}, err
	}
	evs, err := s.managed(ctx, c, rename.Decide)(before)
	if err != nil || len(evs) == 0 || !c.May(access.ManageGroups) {
		return run() // a refusal, a repetition, or nothing to do
	}
	if err := s.claims.Move(ctx, cmd, nameKey(in.Name), groupHolder(in.Group)); err != nil {
		return unlessDone(ctx, s, groups, in.Group, cmd, err)
	}
	from := before.Name
	res, err := s.managing(ctx, c, cmd, in.Group, func(g group.State) ([]events.Payload, error) {
		from = g.Name
		return rename.Decide(g)
	})
	settleErr := s.settleName(ctx, cmd, in.Group, from, in.Name)
	if err != nil {
		return res, err
	}
	return res, settleErr
}

// settleName makes the claims of a group's names agree with what it is called. A
// group that took on a name which somebody else took over meanwhile gets its
// name before back.
func (s *Service) settleName(ctx context.Context, cmd aggregates.Command, id uuid.UUID, from, to string) error {
	kept, err := s.claims.Settle(ctx, cmd, nameKey(to), groupHolder(id))
	if err != nil {
		return err
	}
	if !kept {
		return s.revertName(ctx, cmd, id, from)
	}
	if group.NormalName(from) != group.NormalName(to) {
		_, err = s.claims.Settle(ctx, cmd, nameKey(from), groupHolder(id))
	}
	return err
}

func (s *Service) revertName(ctx context.Context, cmd aggregates.Command, id uuid.UUID, from string) error {
	cmd = cmd.Then("name back")
	cmd.Actor, cmd.Reason = events.Actor{Type: events.ActorSystem}, "the name was taken by another group meanwhile"
	_, err := aggregates.Execute(ctx, s.x, groups, id, cmd, group.Rename{Name: from}.Decide)
	s.cfg.Logger.Warn("group named back, because its new name was taken over meanwhile", "org", cmd.Org, "group", id, "command", cmd.CausationID)
	if err != nil {
		return fmt.Errorf("name group %s back: %w", id, err)
	}
	return aggregates.Taken(events.KeyGroupName)
}

// SettleName is a group's change of its name, to be finished.
type SettleName struct {
	Group    uuid.UUID
	From, To string
}

// SettleName finishes a renaming that was left half done: the group has the claim
// of its name and none of the one before. It is for policies.
func (s *Service) SettleName(ctx context.Context, c access.Caller, env Envelope, in SettleName) error {
	if !c.System {
		return fault.New(fault.Denied, "system-only", "This is done by waybill itself.")
	}
	return s.settleName(ctx, s.command(c, env), in.Group, in.From, in.To)
}
