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

// The people of a client's account.
//
//   - The account's contact is a customer who sees the client's group, on the
//     basis of that account. A contact who accepted the client's invitation is
//     active at once; another one is invited, and the notice of the account
//     brings the link.
//   - When the client's logins end, its customers lose its group; whoever is left
//     with nothing is blocked for it. Reinstated, the contact gets both back.

// AddContact makes, or finds, the contact of a client's account.
type AddContact struct {
	User, Identity    uuid.UUID
	Name, Email       string // Email in its normal form
	Client, Group     uuid.UUID
	Grant             uuid.UUID
	Invitation        uuid.UUID
	InvitationExpires time.Time
	Accepted          bool // the client's invitation, so that none is needed here
	PasswordSet       bool
	At                time.Time
}

// Decide gives UserAdded, the grant, and UserInvited or UserInvitationAccepted;
// for a user who is there already the grant alone.
func (c AddContact) Decide(s State) ([]events.Payload, error) {
	grant := GrantGroup{Grant: c.Grant, Group: c.Group, Basis: events.BasisClientAccount, Origin: c.Client.String(), At: c.At}
	switch {
	case s.Abandoned:
		return nil, fault.New(fault.Conflict, "creation-abandoned", "This creation was overtaken by another one before it was finished.")
	case s.Exists():
		return grant.Decide(s)
	}
	evs := []events.Payload{&events.UserAdded{
		Identity: c.Identity, Role: access.RoleCustomer, Access: events.AccessGroups,
		Name: events.PersonalText(c.User, strings.TrimSpace(c.Name)), Email: events.PersonalText(c.User, c.Email),
	}}
	given, err := grant.Decide(Evolve(s, evs[0]))
	if err != nil {
		return nil, err
	}
	evs = append(evs, given...)
	switch {
	case !c.Accepted:
		return append(evs, &events.UserInvited{Invitation: c.Invitation, ExpiresAt: c.InvitationExpires, Client: c.Client}), nil
	case c.PasswordSet:
		return append(evs, &events.UserInvitationAccepted{Invitation: c.Invitation}, &events.PasswordSet{}), nil
	default:
		return append(evs, &events.UserInvitationAccepted{Invitation: c.Invitation}), nil
	}
}

// EndSource takes away the grants of one basis and source, also from a user who
// sees everything meanwhile.
type EndSource struct {
	Basis, Origin string
	At            time.Time
}

// Decide gives GroupAccessRevoked; nothing when there is none open.
func (c EndSource) Decide(s State) ([]events.Payload, error) {
	if !s.Exists() {
		return nil, None()
	}
	return revoke(s, func(g Grant) bool { return g.Basis == c.Basis && g.Origin == c.Origin }, c.At), nil
}

// EndLogin ends what a customer has of a removed client.
type EndLogin struct {
	Client, Group uuid.UUID
	At            time.Time
}

// Decide gives GroupAccessRevoked for the client's group, and UserBlocked when
// nothing remains, also for a user whom somebody has blocked: either reason is
// enough. Nothing for somebody who is no customer.
func (c EndLogin) Decide(s State) ([]events.Payload, error) {
	switch {
	case !s.Exists():
		return nil, None()
	case s.Role != access.RoleCustomer || s.All:
		return nil, nil
	}
	evs := revoke(s, func(g Grant) bool { return g.Group == c.Group }, c.At)
	for _, e := range evs {
		s = Evolve(s, e)
	}
	if len(evs) > 0 && len(s.Groups(c.At)) == 0 && s.Present() && s.BlockedFor == uuid.Nil {
		evs = append(evs, &events.UserBlocked{Client: c.Client})
	}
	return evs, nil
}

// RestoreLogin gives the contact of a reinstated client back what it had.
type RestoreLogin struct {
	Client, Group uuid.UUID
	Grant         uuid.UUID
	At            time.Time
}

// Decide gives UserUnblocked for a user blocked for the client, and the grant;
// nothing when neither was taken. Whom somebody has blocked stays so, and whoever
// sees everything by now needs no grant.
func (c RestoreLogin) Decide(s State) ([]events.Payload, error) {
	var evs []events.Payload
	switch {
	case !s.Exists():
		return nil, None()
	case s.Role != access.RoleCustomer || !slices.Contains([]string{Invited, Active, Blocked}, s.Status):
		return nil, nil
	case s.Status == Blocked && s.BlockedFor == c.Client:
		evs = append(evs, &events.UserUnblocked{Client: c.Client, StillBlocked: s.held})
		s = Evolve(s, evs[0])
	}
	if s.All {
		return evs, nil
	}
	given, err := GrantGroup{Grant: c.Grant, Group: c.Group, Basis: events.BasisClientAccount, Origin: c.Client.String(), At: c.At}.Decide(s)
	return append(evs, given...), err
}
