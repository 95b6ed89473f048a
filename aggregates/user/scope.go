package user

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/events"
	"waybill/events/fault"
)

// NewGrant gives the id of a grant; the zero group stands for ALL.
type NewGrant func(group uuid.UUID) uuid.UUID

// Scope is an access scope as a command says it: the groups given, or Access all
// or none in so many words.
type Scope struct {
	Groups []uuid.UUID
	Access string // AccessUnsaid, AccessAll, AccessNone or AccessGroups
}

// Said reports whether anything was said about access.
func (c Scope) Said() bool { return len(c.Groups) > 0 || c.Access != AccessUnsaid }

// All reports whether the scope is ALL.
func (c Scope) All() bool { return c.Access == AccessAll }

// check refuses what contradicts itself, and no groups without a word.
func (c Scope) check() error {
	switch {
	case c.Access != AccessUnsaid && c.Access != AccessAll && c.Access != AccessNone && c.Access != AccessGroups:
		return fault.InvalidField("access", "must be \"all\", \"none\" or \"groups\", or left out")
	case len(c.Groups) > 0 && (c.Access == AccessAll || c.Access == AccessNone):
		return fault.InvalidField("access", "says %q, and groups are given as well; give one of the two", c.Access)
	case len(c.Groups) == 0 && (c.Access == AccessUnsaid || c.Access == AccessGroups):
		return fault.InvalidField("groups", "at least one is needed; say access \"none\" for a user who sees nothing, or \"all\" for one who sees everything")
	}
	return nil
}

// rescope gives what takes a user from the scope it has to another one: what is
// not in it ends, what is missing is given, and the rest stays as it is, with its
// basis and expiry.
func rescope(s State, to Scope, cause, allBasis string, newGrant NewGrant, at time.Time) []events.Payload {
	var evs []events.Payload
	then := func(more ...events.Payload) {
		for _, e := range more {
			s = Evolve(s, e)
		}
		evs = append(evs, more...)
	}
	byRole := s.AllBasis == events.BasisRole
	if s.All && (!to.All() || byRole != (allBasis == events.BasisRole)) {
		then(&events.AllGroupsAccessRevoked{Grant: s.AllGrant, Cause: cause})
	}
	then(end(s, cause, at, func(g Grant) bool { return to.All() || !slices.Contains(to.Groups, g.Group) })...)
	if to.All() {
		if !s.All {
			then(&events.AllGroupsAccessGranted{Grant: newGrant(uuid.Nil), Basis: allBasis})
		}
		return evs
	}
	for _, g := range to.Groups {
		if !slices.Contains(s.Groups(at), g) {
			then(&events.GroupAccessGranted{Grant: newGrant(g), Group: g, Basis: events.BasisDirect})
		}
	}
	return evs
}

// Missing returns the groups of a scope that the user does not see at a time.
func (s State) Missing(to Scope, at time.Time) []uuid.UUID {
	var missing []uuid.UUID
	has := s.Groups(at)
	for _, g := range to.Groups {
		if !slices.Contains(has, g) && !slices.Contains(missing, g) {
			missing = append(missing, g)
		}
	}
	return missing
}

// ReplaceGroups makes a scope the user's whole scope.
type ReplaceGroups struct {
	Scope
	NewGrant NewGrant
	At       time.Time
}

// Decide gives AllGroupsAccessRevoked, GroupAccessRevoked and GroupAccessGranted,
// or AllGroupsAccessGranted; nothing when it is so already.
func (c ReplaceGroups) Decide(s State) ([]events.Payload, error) {
	switch err := s.present(); {
	case err != nil:
		return nil, err
	case access.HoldsAll(s.Role):
		return nil, s.holdsAll()
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	return rescope(s, c.Scope, events.CauseReplaced, events.BasisDirect, c.NewGrant, c.At), nil
}

// GrantAll gives the scope ALL.
type GrantAll struct {
	Reason   string
	NewGrant NewGrant
	At       time.Time
}

// Decide gives AllGroupsAccessGranted after the ends of the grants that it takes
// the place of; nothing when the user has ALL.
func (c GrantAll) Decide(s State) ([]events.Payload, error) {
	switch err := s.present(); {
	case err != nil:
		return nil, err
	case s.All:
		return nil, nil
	case strings.TrimSpace(c.Reason) == "":
		return nil, fault.InvalidField("reason", "is required to give access to all groups")
	}
	return rescope(s, Scope{Access: AccessAll}, events.CauseAllGranted, events.BasisDirect, c.NewGrant, c.At), nil
}

// RevokeAll takes the scope ALL away and leaves these groups, possibly none.
type RevokeAll struct {
	Groups   []uuid.UUID
	Reason   string
	NewGrant NewGrant
	At       time.Time
}

// Decide gives AllGroupsAccessRevoked and the grants of the groups.
func (c RevokeAll) Decide(s State) ([]events.Payload, error) {
	switch err := s.present(); {
	case err != nil:
		return nil, err
	case access.HoldsAll(s.Role):
		return nil, s.holdsAll()
	case !s.All:
		return nil, fault.New(fault.Conflict, "all-not-held", "The user does not have access to all groups.")
	case strings.TrimSpace(c.Reason) == "":
		return nil, fault.InvalidField("reason", "is required to end access to all groups")
	}
	return rescope(s, Scope{Groups: c.Groups, Access: AccessGroups}, events.CauseAllRevoked, "", c.NewGrant, c.At), nil
}
