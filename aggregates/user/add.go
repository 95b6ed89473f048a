package user

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/events"
	"waybill/events/fault"
)

// What AddUser may say about access.
const (
	AccessUnsaid = ""       // the groups given; ALL when none are
	AccessAll    = "all"    // ALL, spelled out
	AccessNone   = "none"   // the empty set
	AccessGroups = "groups" // the groups given, at least one
)

// Add makes a user of the organisation.
type Add struct {
	User              uuid.UUID // the subject of its personal data
	Identity          uuid.UUID
	Name, Email       string // Email in its normal form
	Role              string
	Groups            []uuid.UUID
	Access            string
	Permissions       events.Permissions // nil = the role's defaults
	Invitation        uuid.UUID
	InvitationExpires time.Time
	NewGrant          func(group uuid.UUID) uuid.UUID // id of a grant; the zero group stands for ALL
}

// Decide gives UserAdded, the grants, UserPermissionsSet when there are
// switches, and UserInvited.
func (c Add) Decide(s State) ([]events.Payload, error) {
	switch {
	case s.Abandoned:
		return nil, fault.New(fault.Conflict, "creation-abandoned",
			"This creation was overtaken by another one before it was finished; send it again as a new request.")
	case s.Exists():
		return nil, fault.New(fault.Conflict, "user-exists", "The user exists already.")
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	basis, err := c.Scope()
	if err != nil {
		return nil, err
	}
	scope := events.AccessGroups
	if basis != "" {
		scope = events.AccessAll
	}
	evs := []events.Payload{&events.UserAdded{
		Identity: c.Identity, Role: c.Role, Access: scope,
		Name: events.PersonalText(c.User, strings.TrimSpace(c.Name)), Email: events.PersonalText(c.User, c.Email),
	}}
	if basis != "" {
		evs = append(evs, &events.AllGroupsAccessGranted{Grant: c.NewGrant(uuid.Nil), Basis: basis})
	}
	for _, g := range c.distinctGroups() {
		evs = append(evs, &events.GroupAccessGranted{Grant: c.NewGrant(g), Group: g, Basis: events.BasisDirect})
	}
	if len(c.Permissions) > 0 {
		evs = append(evs, &events.UserPermissionsSet{Before: events.Permissions{}, After: maps.Clone(c.Permissions)})
	}
	return append(evs, &events.UserInvited{Invitation: c.Invitation, ExpiresAt: c.InvitationExpires}), nil
}

func (c Add) check() error {
	switch {
	case c.Email == "":
		return fault.InvalidField("email", "is required")
	case strings.TrimSpace(c.Name) == "":
		return fault.InvalidField("name", "is required")
	case len([]rune(c.Name)) > 200:
		return fault.InvalidField("name", "must have at most 200 characters")
	}
	if _, ok := access.Defaults(c.Role); !ok {
		return fault.InvalidField("role", "must be one of owner, super_admin, manager, dispatcher, cso, customer, auditor")
	}
	return checkPermissions(c.Permissions)
}

// Scope returns the basis on which the user would get ALL; empty for the groups
// given.
func (c Add) Scope() (basis string, err error) {
	switch {
	case c.Access != AccessUnsaid && c.Access != AccessAll && c.Access != AccessNone && c.Access != AccessGroups:
		return "", fault.InvalidField("access", "must be \"all\", \"none\" or \"groups\", or left out")
	case len(c.Groups) > 0 && (c.Access == AccessAll || c.Access == AccessNone):
		return "", fault.InvalidField("access", "says %q, and groups are given as well; give one of the two", c.Access)
	case access.HoldsAll(c.Role):
		if len(c.Groups) > 0 || c.Access == AccessNone || c.Access == AccessGroups {
			return "", fault.InvalidField("access", "the role %q always sees everything; leave groups and access out", c.Role)
		}
		return events.BasisRole, nil
	case len(c.Groups) > 0:
		return "", nil
	case c.Access == AccessGroups:
		return "", fault.InvalidField("groups", "at least one is needed; say access \"none\" for a user who sees nothing yet")
	case c.Access == AccessAll:
		return events.BasisDirect, nil
	case c.Access == AccessNone:
		return "", nil
	case c.Role == access.RoleCustomer:
		return "", fault.InvalidField("groups", "a customer needs at least one; say access \"all\" if it shall really see everything of the organisation")
	}
	return events.BasisNoGroupsAtCreation, nil
}

func (c Add) distinctGroups() []uuid.UUID {
	var groups []uuid.UUID
	for _, g := range c.Groups {
		if !slices.Contains(groups, g) {
			groups = append(groups, g)
		}
	}
	return groups
}

func checkPermissions(p events.Permissions) error {
	for _, name := range slices.Sorted(maps.Keys(p)) {
		if _, ok := access.ParsePermission(name); !ok {
			return fault.InvalidField("permissions."+name, "is no permission; there are %s", strings.Join(access.Everything.Names(), ", "))
		}
	}
	return nil
}
