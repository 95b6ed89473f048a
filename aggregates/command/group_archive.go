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
// deliveries. The envelope's reason is required. Errors: NotFound, Denied,
// Invalid, Conflict.
func (s *Service) ArchiveGroup(ctx context.Context, c access.Caller, env Envelope, id uuid.UUID) (aggregates.Result, error) {
	return s.onGroup(ctx, c, s.command(c, env), id, group.Archive{Reason: env.Reason}.Decide)
}

// PreviewArchive answers who would lose sight of what, and changes nothing.
// Errors: those of ArchiveGroup, Unavailable.
func (s *Service) PreviewArchive(ctx context.Context, c access.Caller, env Envelope, id uuid.UUID) (Widening, error) {
	changes, err := s.previewGroup(ctx, c, id, group.Archive{Reason: env.Reason}.Decide)
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
