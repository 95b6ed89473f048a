package user

import (
	"time"

	"waybill/aggregates/access"
	"waybill/events"
	"waybill/events/fault"
)

// ChangeRole gives the user another role.
type ChangeRole struct {
	Role     string
	Scope    // the access from then on; required of those who always had ALL
	NewGrant NewGrant
	At       time.Time
}

// Decide gives UserRoleChanged and what changes of the user's access. Whoever
// becomes owner or super admin gets ALL and loses the grants of groups; whoever
// was one needs the new access said; others keep what they have unless something
// is said. Nothing when the role is the same and nothing is said. That the last
// owner stays is decided on the ALL group.
func (c ChangeRole) Decide(s State) ([]events.Payload, error) {
	if err := s.present(); err != nil {
		return nil, err
	}
	if _, ok := access.Defaults(c.Role); !ok {
		return nil, fault.InvalidField("role", "must be one of owner, super_admin, manager, dispatcher, cso, customer, auditor")
	}
	if c.Role == s.Role {
		if c.Said() {
			return nil, fault.InvalidField("access", "comes with another role; the user has this one already")
		}
		return nil, nil
	}
	to, err := c.target(s)
	if err != nil {
		return nil, err
	}
	evs := []events.Payload{&events.UserRoleChanged{From: s.Role, To: c.Role}}
	if !to.Said() {
		return evs, nil
	}
	basis := events.BasisDirect
	if access.HoldsAll(c.Role) {
		basis = events.BasisRole
	}
	return append(evs, rescope(s, to, events.CauseRoleChanged, basis, c.NewGrant, c.At)...), nil
}

// target returns the scope that comes with the role; unsaid when it stays.
func (c ChangeRole) target(s State) (Scope, error) {
	switch {
	case access.HoldsAll(c.Role):
		if len(c.Groups) > 0 || c.Access == AccessNone || c.Access == AccessGroups {
			return Scope{}, fault.InvalidField("access", "the role %q always sees everything; leave groups and access out", c.Role)
		}
		if c.Access != AccessUnsaid && c.Access != AccessAll {
			return Scope{}, c.check()
		}
		return Scope{Access: AccessAll}, nil
	case access.HoldsAll(s.Role) && !c.Said():
		return Scope{}, fault.InvalidField("access", "is required: the user saw everything by its role; give groups, or say \"all\" or \"none\"")
	case c.Role == access.RoleCustomer && s.All && !c.Said():
		return Scope{}, fault.InvalidField("access", "is required: the user sees everything, which a customer does only when \"all\" is spelled out")
	case c.Said():
		return c.Scope, c.check()
	}
	return Scope{}, nil
}

// Remove ends the membership for good.
type Remove struct{ At time.Time }

// Decide gives UserRemoved and the ends of all that the user holds; nothing when
// it is removed already. That the last owner stays is decided on the ALL group.
func (c Remove) Decide(s State) ([]events.Payload, error) {
	switch {
	case !s.Exists():
		return nil, None()
	case s.Status == Removed:
		return nil, nil
	}
	evs := []events.Payload{&events.UserRemoved{}}
	if s.All {
		evs = append(evs, &events.AllGroupsAccessRevoked{Grant: s.AllGrant, Cause: events.CauseUserRemoved})
	}
	return append(evs, end(s, events.CauseUserRemoved, c.At, func(Grant) bool { return true })...), nil
}
