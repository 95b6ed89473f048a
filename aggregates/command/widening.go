package command

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/events"
	"waybill/events/fault"
	"waybill/events/store"
)

// Sight knows who sees what, from the read model.
type Sight interface {
	// Wait returns when everything up to a position is known, or with an error.
	Wait(ctx context.Context, p events.Position) error

	// Holders returns the users who see a group, while it is active, through an
	// open and unexpired grant, in the order of their ids. Who is blocked or
	// removed is none of them.
	Holders(ctx context.Context, org, group uuid.UUID) ([]uuid.UUID, error)

	// Grants returns the open grants of a group, each with its user.
	Grants(ctx context.Context, org, group uuid.UUID) (map[uuid.UUID]uuid.UUID, error)

	// Deliveries returns how many deliveries are tagged with a group.
	Deliveries(ctx context.Context, org, group uuid.UUID) (int64, error)

	// Everything returns how many deliveries the organisation has, also those in
	// no group.
	Everything(ctx context.Context, org uuid.UUID) (int64, error)

	// Twins names deliveries of one group that could not be in the other,
	// because one of the same type, D.O. number and date is there; at most so
	// many.
	Twins(ctx context.Context, org, from, into uuid.UUID, most int) ([]string, error)

	// Merging reports whether deliveries of another group are still to move to
	// this one, into which that group was merged.
	Merging(ctx context.Context, org, group uuid.UUID) (bool, error)
}

// Widening is who would see more and who less after a command.
type Widening struct {
	Gains, Loses []SightOf
}

// SightOf is what one user would gain or lose sight of.
type SightOf struct {
	User       uuid.UUID
	Groups     []uuid.UUID // whose sight begins or ends
	All        bool        // the scope ALL begins or ends
	Deliveries int64       // how many begin or end to be seen
}

// sight waits until everything that was appended before now is known. Errors:
// Unavailable.
func (s *Service) sight(ctx context.Context) (Sight, error) {
	away := func(err error) error {
		return fault.Wrap(err, fault.Unavailable, "sight-unknown", "Who sees what cannot be told at the moment. Try again.")
	}
	if s.cfg.Sight == nil {
		return nil, away(nil)
	}
	head, err := s.LastOfAggregates(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.SightLimit)
	defer cancel()
	if err := s.cfg.Sight.Wait(ctx, head); err != nil {
		return nil, away(err)
	}
	return s.cfg.Sight, nil
}

// lookedBack bounds how many events at the end of the log are looked at for one
// of an aggregate.
const lookedBack = 3000

// LastOfAggregates returns the position of the last event that read models take.
// How far they are is only now and then told beyond it, and who asks has often
// just claimed something.
func (s *Service) LastOfAggregates(ctx context.Context) (events.Position, error) {
	n := 0
	for r, err := range s.cfg.Store.ReadAll(ctx, events.Position{}, store.Backwards) {
		if err != nil {
			return events.Position{}, err
		}
		if slices.ContainsFunc(events.AggregatePrefixes(), func(p string) bool { return strings.HasPrefix(r.Stream, p) }) {
			return r.Position, nil
		}
		if n++; n == lookedBack {
			return s.cfg.Store.Head(ctx)
		}
	}
	return events.Position{}, nil
}

// needSightOfOthers refuses a caller who may not be told about other users.
func needSightOfOthers(c access.Caller) error {
	if c.SeesAll() {
		return nil
	}
	return need(c, access.ManageUsers)
}

// holdersOf returns what everybody who sees a group through a grant would gain
// or lose with its deliveries.
func holdersOf(ctx context.Context, s Sight, org, group uuid.UUID) ([]SightOf, error) {
	n, err := s.Deliveries(ctx, org, group)
	if err != nil {
		return nil, err
	}
	holders, err := s.Holders(ctx, org, group)
	if err != nil {
		return nil, err
	}
	out := make([]SightOf, len(holders))
	for i, u := range holders {
		out[i] = SightOf{User: u, Groups: []uuid.UUID{group}, Deliveries: n}
	}
	return out, nil
}
