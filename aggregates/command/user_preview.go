package command

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/group"
	"waybill/aggregates/user"
	"waybill/events"
)

// PreviewReplace answers what the user would gain and lose sight of, and changes
// nothing. Errors: those of ReplaceGroups, Unavailable.
func (s *Service) PreviewReplace(ctx context.Context, c access.Caller, env Envelope, in ReplaceGroups) (Widening, error) {
	cmd := s.command(c, env)
	return s.previewUser(ctx, c, cmd, in.User, s.replace(ctx, c, cmd, in))
}

// PreviewGrantAll answers what the user would gain sight of, and changes nothing.
// Errors: those of GrantAllGroupsAccess, Unavailable.
func (s *Service) PreviewGrantAll(ctx context.Context, c access.Caller, env Envelope, id uuid.UUID) (Widening, error) {
	cmd := s.command(c, env)
	return s.previewUser(ctx, c, cmd, id, s.grantAll(ctx, c, cmd))
}

// PreviewRevokeAll answers what the user would lose sight of, and changes nothing.
// Errors: those of RevokeAllGroupsAccess, Unavailable.
func (s *Service) PreviewRevokeAll(ctx context.Context, c access.Caller, env Envelope, in RevokeAllGroupsAccess) (Widening, error) {
	cmd := s.command(c, env)
	return s.previewUser(ctx, c, cmd, in.User, s.revokeAll(ctx, c, cmd, in))
}

// previewUser compares what a user sees before and after what would be decided.
// Who is blocked sees nothing, before as after.
func (s *Service) previewUser(ctx context.Context, c access.Caller, cmd aggregates.Command, id uuid.UUID,
	decide func(user.State) ([]events.Payload, error)) (Widening, error) {
	var before, after user.State
	_, err := s.onUser(ctx, c, cmd, id, func(u user.State) ([]events.Payload, error) {
		evs, err := decide(u)
		before, after = u, u
		for _, e := range evs {
			after = user.Evolve(after, e)
		}
		return nil, err // nothing is appended
	})
	if err != nil || before.Status == user.Blocked {
		return Widening{}, err
	}
	return s.compare(ctx, cmd.Org, id, before, after, cmd.At)
}

// compare tells what one user sees in one state and not in the other.
func (s *Service) compare(ctx context.Context, org, id uuid.UUID, before, after user.State, at time.Time) (Widening, error) {
	had, err := s.active(ctx, org, before.Groups(at))
	if err != nil {
		return Widening{}, err
	}
	has, err := s.active(ctx, org, after.Groups(at))
	if err != nil {
		return Widening{}, err
	}
	sight, err := s.sight(ctx)
	if err != nil {
		return Widening{}, err
	}
	var w Widening
	for _, way := range []struct {
		to       *[]SightOf
		from, in user.State
		was, is  []uuid.UUID
	}{{&w.Gains, before, after, had, has}, {&w.Loses, after, before, has, had}} {
		more, err := beyond(ctx, sight, org, way.from, way.in, way.was, way.is)
		if err != nil {
			return Widening{}, err
		}
		if more.All || len(more.Groups) > 0 {
			more.User = id
			*way.to = append(*way.to, more)
		}
	}
	return w, nil
}

// beyond returns what is seen in one state beyond another one.
func beyond(ctx context.Context, sight Sight, org uuid.UUID, from, in user.State, was, is []uuid.UUID) (SightOf, error) {
	more := SightOf{All: in.All && !from.All}
	switch {
	case from.All:
		return more, nil
	case in.All:
		all, err := sight.Everything(ctx, org)
		if err != nil {
			return more, err
		}
		seen, err := count(ctx, sight, org, was)
		more.Deliveries = all - seen
		return more, err
	}
	for _, g := range is {
		if !slices.Contains(was, g) {
			more.Groups = append(more.Groups, g)
		}
	}
	var err error
	more.Deliveries, err = count(ctx, sight, org, more.Groups)
	return more, err
}

func count(ctx context.Context, sight Sight, org uuid.UUID, groups []uuid.UUID) (int64, error) {
	var sum int64
	for _, g := range groups {
		n, err := sight.Deliveries(ctx, org, g)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// active returns which of some groups are active: the others nobody sees through
// a grant.
func (s *Service) active(ctx context.Context, org uuid.UUID, ids []uuid.UUID) ([]uuid.UUID, error) {
	var active []uuid.UUID
	for _, id := range ids {
		g, err := aggregates.Load(ctx, s.x, groups, org, id)
		if err != nil {
			return nil, err
		}
		if g.Status == group.Active {
			active = append(active, id)
		}
	}
	return active, nil
}
