package user

import (
	"maps"
	"strings"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/events"
	"waybill/events/fault"
)

// None is the answer about a user that does not exist, or not for the caller.
func None() error { return fault.New(fault.NotFound, "user-not-found", "There is no such user.") }

// present refuses a user that does not exist, or not any more.
func (s State) present() error {
	switch {
	case !s.Exists():
		return None()
	case s.Status == Removed:
		return fault.New(fault.Conflict, "user-removed", "The user was removed for good; add the person anew.")
	}
	return nil
}

// SetPermissions replaces the user's switches. Empty ones put everything at the
// role's defaults; nil, which is what saying nothing comes to, is refused.
type SetPermissions struct{ Permissions events.Permissions }

// Decide gives UserPermissionsSet; nothing when they are so already.
func (c SetPermissions) Decide(s State) ([]events.Payload, error) {
	if err := s.present(); err != nil {
		return nil, err
	}
	if c.Permissions == nil {
		return nil, fault.InvalidField("permissions", "must say which switches; {} puts all of them at the role's defaults")
	}
	if err := checkPermissions(c.Permissions); err != nil {
		return nil, err
	}
	if maps.Equal(s.Permissions, c.Permissions) {
		return nil, nil
	}
	return []events.Payload{&events.UserPermissionsSet{Before: switches(s.Permissions), After: switches(c.Permissions)}}, nil
}

func switches(p events.Permissions) events.Permissions {
	if p == nil {
		return events.Permissions{}
	}
	return maps.Clone(p)
}

// GrantGroup gives the user sight of a group.
type GrantGroup struct {
	Grant     uuid.UUID
	Group     uuid.UUID
	Basis     string // empty = events.BasisDirect
	Origin    string
	ExpiresAt time.Time // zero = never
	At        time.Time
}

// Decide gives GroupAccessGranted; before it GroupAccessRevoked when a grant of
// the same key is open with another expiry; nothing when there is nothing to
// change.
func (c GrantGroup) Decide(s State) ([]events.Payload, error) {
	switch err := s.takesGroups(); {
	case err != nil:
		return nil, err
	case !c.ExpiresAt.IsZero() && !c.ExpiresAt.After(c.At):
		return nil, fault.InvalidField("expires_at", "must be in the future")
	}
	granted := &events.GroupAccessGranted{Grant: c.Grant, Group: c.Group, Basis: c.Basis, Origin: c.Origin}
	if granted.Basis == "" {
		granted.Basis = events.BasisDirect
	}
	if !c.ExpiresAt.IsZero() {
		granted.ExpiresAt = c.ExpiresAt.UTC().Truncate(time.Microsecond)
	}
	for _, g := range s.Grants {
		if g.Group != c.Group || g.Basis != granted.Basis || g.Origin != c.Origin || !g.open(c.At) {
			continue
		}
		if g.ExpiresAt.Equal(granted.ExpiresAt) {
			return nil, nil
		}
		revoked := revoke(s, func(o Grant) bool { return o.ID == g.ID }, c.At)
		return append(revoked, granted), nil
	}
	return []events.Payload{granted}, nil
}

// takesGroups refuses a user that is given no groups.
func (s State) takesGroups() error {
	switch err := s.present(); {
	case err != nil:
		return err
	case access.HoldsAll(s.Role):
		return s.holdsAll()
	case s.All:
		return fault.New(fault.Conflict, "user-has-all", "The user sees everything; narrow that before giving single groups.")
	}
	return nil
}

func (s State) holdsAll() error {
	return fault.New(fault.Conflict, "role-holds-all", "The role %s always sees everything; change the role first.", strings.ReplaceAll(s.Role, "_", " "))
}

// RevokeGroup takes sight of a group away.
type RevokeGroup struct {
	Group  uuid.UUID
	Basis  string // empty = whatever the basis
	Origin string // looked at only with a basis
	At     time.Time
}

// Decide gives GroupAccessRevoked for every open grant of the group; nothing
// when there is none.
func (c RevokeGroup) Decide(s State) ([]events.Payload, error) {
	switch err := s.present(); {
	case err != nil:
		return nil, err
	case s.All && c.Basis == "":
		return nil, fault.New(fault.Conflict, "user-has-all", "The user sees everything; single groups cannot be taken from it.")
	}
	return revoke(s, func(g Grant) bool {
		return g.Group == c.Group && (c.Basis == "" || g.Basis == c.Basis && g.Origin == c.Origin)
	}, c.At), nil
}

// EndGrant takes one grant away, whichever it is.
type EndGrant struct {
	Grant uuid.UUID
	At    time.Time
}

// Decide gives GroupAccessRevoked; nothing when the grant is not open.
func (c EndGrant) Decide(s State) ([]events.Payload, error) {
	if !s.Exists() {
		return nil, None()
	}
	return revoke(s, func(g Grant) bool { return g.ID == c.Grant }, c.At), nil
}

// revoke ends the open grants that which picks, one after the other.
func revoke(s State, which func(Grant) bool, at time.Time) []events.Payload {
	return end(s, "", at, which)
}

// end is revoke as part of something else.
func end(s State, cause string, at time.Time, which func(Grant) bool) []events.Payload {
	var evs []events.Payload
	for _, g := range s.Grants {
		if !which(g) || !g.open(at) {
			continue
		}
		e := &events.GroupAccessRevoked{Grant: g.ID, Group: g.Group, Cause: cause}
		s = Evolve(s, e)
		e.RemainingGroups = len(s.Groups(at))
		evs = append(evs, e)
	}
	return evs
}

// Block ends all access until Unblock.
type Block struct{}

// Decide gives UserBlocked, also for a user who is blocked for a removed client,
// whose return then does not unblock it; nothing when somebody blocked it already.
// That the last owner stays is decided on the ALL group, which has the set of
// owners.
func (Block) Decide(s State) ([]events.Payload, error) {
	switch err := s.present(); {
	case err != nil:
		return nil, err
	case s.held:
		return nil, nil
	}
	return []events.Payload{&events.UserBlocked{}}, nil
}

// Unblock takes back a block. Of a user who is blocked for a removed client as
// well, it takes back what somebody decided, and only then, by another command,
// what came of the client's removal.
type Unblock struct{}

// Decide gives UserUnblocked; nothing when it is not blocked.
func (Unblock) Decide(s State) ([]events.Payload, error) {
	switch err := s.present(); {
	case err != nil:
		return nil, err
	case s.Status != Blocked:
		return nil, nil
	case s.held:
		return []events.Payload{&events.UserUnblocked{StillBlocked: s.BlockedFor != uuid.Nil}}, nil
	}
	return []events.Payload{&events.UserUnblocked{Client: s.BlockedFor}}, nil
}
