package access

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"waybill/events"
)

// Caller is who asks, and what they may see and do, as it stood when the
// request came in. It is looked up for every request and never kept. The zero
// value may nothing and sees nothing.
type Caller struct {
	Org         uuid.UUID
	User        uuid.UUID // zero for the system, and for an identity that is no user here yet
	Identity    uuid.UUID
	Actor       events.Actor
	Role        string
	Permissions Set                     // effective: the role's defaults with the user's switches
	All         bool                    // the scope ALL
	Groups      []uuid.UUID             // active groups with an open, unexpired grant; meaningless with All
	Narrowed    bool                    // an API key for some groups: sees what is theirs, and nothing for being its user
	Ends        map[uuid.UUID]time.Time // when the caller ceases by itself to see a group; one that is not in it: never
	Portal      string
	Timezone    string // of the organisation, IANA name; empty for the system
	Session     uuid.UUID
	Source      events.Source
	At          time.Time // of the question, for queries; by it end the grants that they show
	System      bool      // waybill itself: policies, set-up; may and sees everything
}

// System returns the caller that stands for waybill itself in an organisation.
func System(org uuid.UUID) Caller {
	return Caller{Org: org, Actor: events.Actor{Type: events.ActorSystem}, Permissions: Everything, All: true, System: true}
}

// May reports whether the caller may use the verbs behind p.
func (c Caller) May(p Permission) bool { return c.System || c.Permissions.Has(p) }

// SeesAll reports whether the caller sees everything of the organisation, also
// what is in no group.
func (c Caller) SeesAll() bool { return c.System || c.All }

// Sees reports whether the caller sees what belongs to a group (rules R2-R5).
// The zero group stands for "in no group", which only ALL sees.
func (c Caller) Sees(group uuid.UUID) bool {
	return c.SeesAll() || group != uuid.Nil && slices.Contains(c.Groups, group)
}

// LooksAfter reports whether the caller is the dispatcher of a client, and sees
// it for that. The zero user is nobody's dispatcher.
func (c Caller) LooksAfter(dispatcher uuid.UUID) bool {
	return !c.Narrowed && c.User != uuid.Nil && c.User == dispatcher
}

// Subject is a user that somebody looks at or acts on.
type Subject struct {
	User   uuid.UUID
	Role   string
	All    bool
	Groups []uuid.UUID // with an open, unexpired grant
}

// SeesUser reports whether the caller sees that the user exists (rule R7).
func (c Caller) SeesUser(s Subject) bool {
	if c.SeesAll() || c.User != uuid.Nil && c.User == s.User {
		return true
	}
	return c.May(ManageUsers) && slices.ContainsFunc(s.Groups, c.Sees)
}

// Encloses reports whether all that a user sees is within what the caller sees. One
// who sees nothing is within ALL only: nobody else knows of it.
func (c Caller) Encloses(s Subject) bool {
	if c.SeesAll() {
		return true
	}
	return !s.All && len(s.Groups) > 0 && !slices.ContainsFunc(s.Groups, func(g uuid.UUID) bool { return !c.Sees(g) })
}

// MayActOn reports whether the caller may change the user: with manage_users,
// on users whose scope is within its own, and on owners and super admins only
// as one that could have made them.
func (c Caller) MayActOn(s Subject) bool {
	if !c.May(ManageUsers) || HoldsAll(s.Role) && !c.MayGiveRole(s.Role) {
		return false
	}
	if c.SeesAll() {
		return true
	}
	return !s.All && !slices.ContainsFunc(s.Groups, func(g uuid.UUID) bool { return !c.Sees(g) })
}

// MayGiveRole reports whether the caller may make somebody a user of this role:
// nobody confers what they lack. Only owners make owners.
func (c Caller) MayGiveRole(role string) bool {
	defaults, ok := Defaults(role)
	switch {
	case !ok:
		return false
	case c.System:
		return true
	case role == RoleOwner:
		return c.Role == RoleOwner
	case role == RoleSuperAdmin:
		return c.Role == RoleOwner || c.Role == RoleSuperAdmin
	default:
		return c.Permissions.Holds(defaults)
	}
}

// MayGiveAll reports whether the caller may give the scope ALL.
func (c Caller) MayGiveAll() bool { return c.SeesAll() && c.May(GrantAllAccess) }

// MayGiveGroup reports whether the caller may give sight of a group.
func (c Caller) MayGiveGroup(group uuid.UUID) bool { return group != uuid.Nil && c.Sees(group) }

// MayGiveUntil reports whether the caller may give sight of a group until a time,
// the zero time being for ever: nobody gives for longer what he has for a time.
// When that is over is in own.
func (c Caller) MayGiveUntil(group uuid.UUID, end time.Time) (own time.Time, ok bool) {
	own, ends := c.Ends[group]
	return own, c.MayGiveGroup(group) && (c.SeesAll() || !ends || !end.IsZero() && !end.After(own))
}

// MayRaise reports whether the caller may change what a user may do from one
// set to another: it must hold whatever is added.
func (c Caller) MayRaise(from, to Set) bool {
	return c.System || c.Permissions.Holds(to.Without(from))
}
