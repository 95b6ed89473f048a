package events

import (
	"time"

	"github.com/google/uuid"
)

// Access scopes as recorded in UserAdded.
const (
	AccessAll    = "all"    // every group, also untagged deliveries
	AccessGroups = "groups" // the granted set, possibly empty
)

// Bases of a grant: why it was given. Grants are keyed (user, group, basis,
// source), so taking one source away leaves the others.
const (
	BasisDirect               = "direct"
	BasisNoGroupsAtCreation   = "no_groups_at_creation"
	BasisRole                 = "role"
	BasisClientAccount        = "client_account"
	BasisDispatcherAssignment = "dispatcher_assignment"
	BasisRequest              = "request"
)

// UserAdded is the first event of a user: one person's membership of one
// organisation.
type UserAdded struct {
	Identity uuid.UUID `json:"identity"` // opaque id of the person, across organisations
	Name     Personal  `json:"name,omitzero"`
	Email    Personal  `json:"email"`
	Role     string    `json:"role"`
	Access   string    `json:"access"` // AccessAll or AccessGroups
}

// AllGroupsAccessGranted gives the scope ALL, explicitly.
type AllGroupsAccessGranted struct {
	Grant uuid.UUID `json:"grant"`
	Basis string    `json:"basis"`
}

// GroupAccessGranted gives the user sight of one group.
type GroupAccessGranted struct {
	Grant     uuid.UUID `json:"grant"`
	Group     uuid.UUID `json:"group"`
	Basis     string    `json:"basis"`
	Origin    string    `json:"source,omitzero"` // what the basis points to: a client, a request; empty for direct
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// GroupAccessRevoked ends one grant.
type GroupAccessRevoked struct {
	Grant           uuid.UUID `json:"grant"`
	Group           uuid.UUID `json:"group"`
	RemainingGroups int       `json:"remaining_groups"` // distinct groups the user still has; 0 = sees nothing
}

// UserPermissionsSet records the user's switches before and after. A permission
// that stands in neither list is at its role's default.
type UserPermissionsSet struct {
	Before Permissions `json:"before"`
	After  Permissions `json:"after"`
}

// Permissions are a user's explicit switches by permission name.
type Permissions map[string]bool

// UserInvited records that the user may set a password. The token itself never
// reaches the log.
type UserInvited struct {
	Invitation uuid.UUID `json:"invitation"`
	ExpiresAt  time.Time `json:"expires_at"`
}

// UserInvitationAccepted makes an invited user active.
type UserInvitationAccepted struct {
	Invitation uuid.UUID `json:"invitation"`
}

// PasswordSet records that a password was set, never which.
type PasswordSet struct{}

// UserBlocked ends all access until UserUnblocked.
type UserBlocked struct{}

// UserUnblocked gives a blocked user back what it held.
type UserUnblocked struct{}

func (e *UserAdded) personal() []*Personal { return []*Personal{&e.Name, &e.Email} }

// EventType implements Payload.
func (*UserAdded) EventType() string { return "UserAdded" }

// EventType implements Payload.
func (*AllGroupsAccessGranted) EventType() string { return "AllGroupsAccessGranted" }

// EventType implements Payload.
func (*GroupAccessGranted) EventType() string { return "GroupAccessGranted" }

// EventType implements Payload.
func (*GroupAccessRevoked) EventType() string { return "GroupAccessRevoked" }

// EventType implements Payload.
func (*UserPermissionsSet) EventType() string { return "UserPermissionsSet" }

// EventType implements Payload.
func (*UserInvited) EventType() string { return "UserInvited" }

// EventType implements Payload.
func (*UserInvitationAccepted) EventType() string { return "UserInvitationAccepted" }

// EventType implements Payload.
func (*PasswordSet) EventType() string { return "PasswordSet" }

// EventType implements Payload.
func (*UserBlocked) EventType() string { return "UserBlocked" }

// EventType implements Payload.
func (*UserUnblocked) EventType() string { return "UserUnblocked" }
