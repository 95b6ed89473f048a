// Package user decides about users: one person's membership of one organisation
// each, with a role, permissions and an access scope.
//
// It is pure: no clock, no I/O, no ids made inside. Who may do it (nobody
// confers what they lack), and whether the groups it names may be given, is
// decided around it.
package user

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/events"
)

// The rules of a user.
//
//   - invited -> active <-> blocked -> removed. An invited user holds its
//     entitlements and cannot sign in yet. Removed is final: its grants end with
//     it, and coming back is another user of the same identity.
//   - An invitation that was revoked, or that expired, lets nobody in until it is
//     resent.
//   - The access scope is ALL or a set of groups, explicit always: an empty set
//     sees nothing and never turns into ALL. Owners and super admins have ALL.
//   - Added with groups, a user has those. Added without, it has ALL, recorded
//     as such; "none" in so many words gives the empty set. A customer without
//     groups is refused unless "all" is spelled out.
//   - Grants are keyed (group, basis, source): taking one away leaves the others.
//     A user with ALL has no other grants: they end when it is given. Whoever
//     loses the last group sees nothing.
//   - To become owner or super admin is to get ALL; to cease to be one, the
//     access from then on must be said.
//   - Access that was asked for is given by somebody who neither asked for it nor
//     gets it.
//   - A grant ends at its expiry, even when nobody records it.
//   - A user may be blocked by somebody and for a removed client, and is as long as
//     either reason is left.
//   - A stream that was abandoned before its creation never becomes a user.

// Statuses of a user.
const (
	Invited = "invited"
	Active  = "active"
	Blocked = "blocked"
	Removed = "removed"
)

// Grant is sight of one group.
type Grant struct {
	ID        uuid.UUID
	Group     uuid.UUID
	Basis     string
	Origin    string    // what the basis points to; empty for direct
	ExpiresAt time.Time // zero = never
}

// Request asks for sight of one group.
type Request struct {
	ID        uuid.UUID
	Group     uuid.UUID
	By        uuid.UUID // the user who asks
	Why       string
	ExpiresAt time.Time // of the access; zero = never
}

// open reports whether the grant holds at a time.
func (g Grant) open(at time.Time) bool { return g.ExpiresAt.IsZero() || at.Before(g.ExpiresAt) }

// State is what a user has become. The zero value is a user that does not exist
// yet. Its slices and maps are shared between states: do not modify them.
type State struct {
	Abandoned     bool
	Status        string // empty = does not exist
	before        string // status before it was blocked
	Identity      uuid.UUID
	Role          string
	All           bool
	AllGrant      uuid.UUID // with All
	AllBasis      string    // with All
	Grants        []Grant   // not revoked; may have expired
	Requests      []Request // neither approved nor denied
	Permissions   events.Permissions
	Invitation    uuid.UUID // the open or accepted one
	InvitationEnd time.Time
	uninvited     bool        // the invitation was revoked or has expired
	refused       int         // attempts to accept the invitation that were turned away since it was sent
	resets        []time.Time // when the last requests for another password end
	held          bool        // blocked by somebody
	BlockedFor    uuid.UUID   // blocked for this removed client, whose login it was
}

// Exists reports whether the user was added, also when it was removed since.
func (s State) Exists() bool { return s.Status != "" }

// Present reports whether the user was added and not removed.
func (s State) Present() bool { return s.Exists() && s.Status != Removed }

// pending reports whether the user has not accepted its invitation.
func (s State) pending() bool {
	return s.Status == Invited || s.Status == Blocked && s.before == Invited
}

// Groups returns the distinct groups with an open grant at a time.
func (s State) Groups(at time.Time) []uuid.UUID { return distinct(s.Grants, at) }

// Holds reports whether a grant of a group with a basis and its origin is open at a
// time.
func (s State) Holds(group uuid.UUID, basis, origin string, at time.Time) bool {
	return slices.ContainsFunc(s.Grants, func(g Grant) bool {
		return g.Group == group && g.Basis == basis && g.Origin == origin && g.open(at)
	})
}

func distinct(grants []Grant, at time.Time) []uuid.UUID {
	var groups []uuid.UUID
	for _, g := range grants {
		if g.open(at) && !slices.Contains(groups, g.Group) {
			groups = append(groups, g.Group)
		}
	}
	return groups
}

// Subject returns the user as the rules of seeing and acting look at it.
func (s State) Subject(id uuid.UUID, at time.Time) access.Subject {
	return access.Subject{User: id, Role: s.Role, All: s.All, Groups: s.Groups(at)}
}

// May returns what the user may do.
func (s State) May() access.Set { return access.Effective(s.Role, s.Permissions) }

// Evolve returns the state after an event.
func Evolve(s State, p events.Payload) State {
	switch e := p.(type) {
	case *events.CreationAbandoned:
		s.Abandoned = true
	case *events.UserAdded:
		// Active at once unless an invitation follows.
		s.Status, s.Identity, s.Role = Active, e.Identity, e.Role
	case *events.AllGroupsAccessGranted:
		s.All, s.AllGrant, s.AllBasis = true, e.Grant, e.Basis
	case *events.AllGroupsAccessRevoked:
		s.All, s.AllGrant, s.AllBasis = false, uuid.Nil, ""
	case *events.GroupAccessGranted:
		s.Grants = append(slices.Clip(s.Grants), Grant{e.Grant, e.Group, e.Basis, e.Origin, e.ExpiresAt})
	case *events.GroupAccessRevoked:
		s.Grants = without(s.Grants, func(g Grant) bool { return g.ID == e.Grant })
	case *events.GroupAccessExpired:
		s.Grants = without(s.Grants, func(g Grant) bool { return g.ID == e.Grant })
	case *events.GroupAccessRequested:
		s.Requests = append(slices.Clip(s.Requests), Request{e.Request, e.Group, e.By, e.Why, e.ExpiresAt})
	case *events.GroupAccessRequestApproved:
		s.Requests = without(s.Requests, func(r Request) bool { return r.ID == e.Request })
	case *events.GroupAccessRequestDenied:
		s.Requests = without(s.Requests, func(r Request) bool { return r.ID == e.Request })
	case *events.UserRoleChanged:
		s.Role = e.To
	case *events.UserPermissionsSet:
		s.Permissions = e.After
	case *events.UserInvited:
		s.Status, s.Invitation, s.InvitationEnd, s.refused = Invited, e.Invitation, e.ExpiresAt, 0
	case *events.UserInvitationResent:
		s.Invitation, s.InvitationEnd, s.uninvited, s.refused = e.Invitation, e.ExpiresAt, false, 0
	case *events.UserInvitationAcceptanceRefused:
		s.refused++
	case *events.UserInvitationRevoked, *events.UserInvitationExpired:
		s.uninvited = true
	case *events.UserInvitationAccepted:
		if s.Status == Blocked {
			s.before = Active
		} else {
			s.Status = Active
		}
	case *events.UserBlocked:
		if s.Status != Blocked {
			s.before, s.Status = s.Status, Blocked
		}
		if e.Client == uuid.Nil {
			s.held = true
		} else {
			s.BlockedFor = e.Client
		}
	case *events.UserUnblocked:
		if e.Client == uuid.Nil {
			s.held = false
		} else {
			s.BlockedFor = uuid.Nil
		}
		if !e.StillBlocked {
			s.Status, s.before, s.held, s.BlockedFor = s.before, "", false, uuid.Nil
		}
	case *events.PasswordResetRequested:
		s.resets = s.asked(e.ExpiresAt)
	case *events.PasswordSet:
		s.resets = nil
	case *events.UserRemoved:
		s.Status, s.before, s.Requests = Removed, "", nil
	}
	return s
}

// without returns a copy of list with what is not gone.
func without[T any](list []T, gone func(T) bool) []T {
	return slices.DeleteFunc(slices.Clone(list), gone)
}

// Touches returns the groups that an event of the user touches.
func Touches(_ uuid.UUID, before State, p events.Payload) []uuid.UUID {
	switch e := p.(type) {
	case *events.GroupAccessGranted:
		return []uuid.UUID{e.Group}
	case *events.GroupAccessRevoked:
		return []uuid.UUID{e.Group}
	case *events.GroupAccessExpired:
		return []uuid.UUID{e.Group}
	case *events.GroupAccessRequested:
		return []uuid.UUID{e.Group}
	case *events.GroupAccessRequestApproved:
		return before.requested(e.Request)
	case *events.GroupAccessRequestDenied:
		return before.requested(e.Request)
	}
	return nil
}

func (s State) requested(id uuid.UUID) []uuid.UUID {
	if r, ok := s.Request(id); ok {
		return []uuid.UUID{r.Group}
	}
	return nil
}

// Request finds an open request.
func (s State) Request(id uuid.UUID) (Request, bool) {
	i := slices.IndexFunc(s.Requests, func(r Request) bool { return r.ID == id })
	if i < 0 {
		return Request{}, false
	}
	return s.Requests[i], true
}
