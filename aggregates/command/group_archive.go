package command

import (
	"context"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/group"
	"waybill/events"
)

// ArchiveGroup takes a group out of use: at once only ALL users see it or its
// deliveries. The group of a client whose people keep reading, though nobody
// manages it here any more, stays for them. The envelope's reason is required.
// Errors: NotFound, Denied, Invalid, Conflict (client-not-managed).
func (s *Service) ArchiveGroup(ctx context.Context, c access.Caller, env Envelope, id uuid.UUID) (aggregates.Result, error) {
	return s.onGroup(ctx, c, s.command(c, env), id, s.archive(ctx, c, env))
}

func (s *Service) archive(ctx context.Context, c access.Caller, env Envelope) func(group.State) ([]events.Payload, error) {
	return func(g group.State) ([]events.Payload, error) {
		evs, err := group.Archive{Reason: env.Reason}.Decide(g)
		if err != nil || len(evs) == 0 || g.Client == uuid.Nil {
			return evs, err
		}
		t, err := aggregates.Load(ctx, s.x, clients, c.Org, g.Client)
		if err != nil || t.Fate == events.FateEnded { // nobody reads it any more
			return evs, err
		}
		return evs, s.manageableOf(ctx, c, g)
	}
}

// PreviewArchive answers who would lose sight of what, and changes nothing.
// Errors: those of ArchiveGroup, Unavailable.
func (s *Service) PreviewArchive(ctx context.Context, c access.Caller, env Envelope, id uuid.UUID) (Widening, error) {
	changes, err := s.previewGroup(ctx, c, id, s.archive(ctx, c, env))
	if err == nil {
		err = needSightOfOthers(c)
	}
	if err != nil || !changes {
		return Widening{}, err
	}
	sight, err := s.sight(ctx)
	if err != nil {
		return Widening{}, err
	}
	losers, err := holdersOf(ctx, sight, c.Org, id)
	return Widening{Loses: losers}, err
}

// RestoreGroup brings an archived group back. Grants that it had end before, if
// no policy has done that yet, so that restoring revives nothing. Errors:
// NotFound, Denied, Conflict.
func (s *Service) RestoreGroup(ctx context.Context, c access.Caller, env Envelope, id uuid.UUID) (aggregates.Result, error) {
	cmd := s.command(c, env)
	changes, err := s.previewGroup(ctx, c, id, group.Restore{}.Decide)
	if err == nil && changes && s.cfg.Sight != nil {
		err = s.endGrants(ctx, cmd, id)
	}
	if err != nil {
		return unlessDone(ctx, s, groups, id, cmd, err)
	}
	return s.onGroup(ctx, c, cmd, id, group.Restore{}.Decide)
}

// PreviewRestore answers who would gain sight of what, which is nobody, and
// changes nothing. Errors: those of RestoreGroup.
func (s *Service) PreviewRestore(ctx context.Context, c access.Caller, id uuid.UUID) (Widening, error) {
	_, err := s.previewGroup(ctx, c, id, group.Restore{}.Decide)
	return Widening{}, err
}

// previewGroup decides on a group that the caller sees and appends nothing. It
// reports whether something would change.
func (s *Service) previewGroup(ctx context.Context, c access.Caller, id uuid.UUID, decide func(group.State) ([]events.Payload, error)) (bool, error) {
	if !c.Sees(id) || id == uuid.Nil {
		return false, noGroup()
	}
	g, err := aggregates.Load(ctx, s.x, groups, c.Org, id)
	if err != nil {
		return false, err
	}
	if !g.Exists() {
		return false, noGroup()
	}
	if err := need(c, access.ManageGroups); err != nil {
		return false, err
	}
	evs, err := decide(g)
	return len(evs) > 0, err
}

// endGrants ends the open grants of an archived group.
func (s *Service) endGrants(ctx context.Context, cmd aggregates.Command, id uuid.UUID) error {
	sight, err := s.sight(ctx)
	if err != nil {
		return err
	}
	open, err := sight.Grants(ctx, cmd.Org, id)
	if err != nil {
		return err
	}
	for grant, user := range open {
		end := cmd.Then("end grant " + grant.String())
		_, err := s.EndGrant(ctx, access.System(cmd.Org), Envelope{
			CommandID: end.ID, CorrelationID: end.CorrelationID, CausationID: end.CausationID, Reason: "the group was archived", At: cmd.At,
		}, EndGrant{User: user, Grant: grant})
		if err != nil {
			return err
		}
	}
	return nil
}
