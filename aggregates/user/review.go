package user

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/events"
	"waybill/events/fault"
)

// Review records that somebody else looked at the user's access.
type Review struct {
	Decision string      // events.ReviewKeep, ReviewReduce or ReviewRevoke
	Groups   []uuid.UUID // what is taken away by ReviewReduce
	At       time.Time
}

// Decide gives AccessReviewed, and the ends of what is taken away.
func (c Review) Decide(s State) ([]events.Payload, error) {
	if err := s.present(); err != nil {
		return nil, err
	}
	evs := []events.Payload{&events.AccessReviewed{Decision: c.Decision}}
	switch c.Decision {
	case events.ReviewKeep, events.ReviewRevoke:
		if len(c.Groups) > 0 {
			return nil, fault.InvalidField("groups", "is for the decision %q", events.ReviewReduce)
		}
	case events.ReviewReduce:
		if err := c.reduces(s); err != nil {
			return nil, err
		}
	default:
		return nil, fault.InvalidField("decision", "must be \"keep\", \"reduce\" or \"revoke\"")
	}
	if c.Decision == events.ReviewKeep {
		return evs, nil
	}
	if access.HoldsAll(s.Role) {
		return nil, s.holdsAll()
	}
	if s.All {
		evs = append(evs, &events.AllGroupsAccessRevoked{Grant: s.AllGrant, Cause: events.CauseAccessReview})
	}
	return append(evs, end(s, events.CauseAccessReview, c.At, func(g Grant) bool {
		return c.Decision == events.ReviewRevoke || slices.Contains(c.Groups, g.Group)
	})...), nil
}

// reduces refuses a reduction that is none, and one that leaves nothing.
func (c Review) reduces(s State) error {
	has := s.Groups(c.At)
	switch {
	case access.HoldsAll(s.Role):
		return s.holdsAll()
	case s.All:
		return fault.New(fault.Conflict, "user-has-all", "The user sees everything; end that and say which groups are left.")
	case len(c.Groups) == 0:
		return fault.InvalidField("groups", "at least one is needed: what is taken away")
	case slices.ContainsFunc(c.Groups, func(g uuid.UUID) bool { return !slices.Contains(has, g) }):
		return fault.InvalidField("groups", "has one that the user does not have")
	case !slices.ContainsFunc(has, func(g uuid.UUID) bool { return !slices.Contains(c.Groups, g) }):
		return fault.InvalidField("groups", "are all that the user has; say decision %q", events.ReviewRevoke)
	}
	return nil
}
