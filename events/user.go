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
	Cause           string    `json:"cause,omitzero"`   // what else it is part of; empty: somebody just revoked it
}

// What a revoked grant ended with.
const (
	CauseUserRemoved  = "user_removed"
	CauseRoleChanged  = "role_changed"
	CauseReplaced     = "groups_replaced"
	CauseAllGranted   = "all_granted"
	CauseAllRevoked   = "all_revoked" // what was given besides ALL, and is not kept
	CauseAccessReview = "access_review"
)

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
	Client     uuid.UUID `json:"client,omitzero"` // made for this client's account, whose own notice brings the link
}

// UserInvitationAccepted makes an invited user active.
type UserInvitationAccepted struct {
	Invitation uuid.UUID `json:"invitation"`
}

// PasswordSet records that a password was set, never which.
type PasswordSet struct{}

// UserBlocked ends all access until UserUnblocked. A user may be blocked for two
// reasons at once: by somebody, and for a client.
type UserBlocked struct {
	Client uuid.UUID `json:"client,omitzero"` // a login of this client, which was removed
}

// UserUnblocked takes one reason away and, unless the other one is left, gives the
// user back what it held.
type UserUnblocked struct {
	Client       uuid.UUID `json:"client,omitzero"`        // for which it was blocked; zero: it was blocked by somebody
	StillBlocked bool      `json:"still_blocked,omitzero"` // for the other reason
}

func (e *UserAdded) personal() []*Personal { return []*Personal{&e.Name, &e.Email} }

// UserInvitationResent gives an invitation a new token; the earlier one is void.
type UserInvitationResent struct {
	Invitation uuid.UUID `json:"invitation"`
	ExpiresAt  time.Time `json:"expires_at"`
}

// UserInvitationRevoked withdraws an open invitation.
type UserInvitationRevoked struct {
	Invitation uuid.UUID `json:"invitation"`
}

// UserInvitationExpired records that nobody accepted in time.
type UserInvitationExpired struct {
	Invitation uuid.UUID `json:"invitation"`
}

// UserInvitationAcceptanceRefused records an attempt that was turned away; the
// invitation stays valid.
type UserInvitationAcceptanceRefused struct {
	Invitation uuid.UUID `json:"invitation"`
	Cause      string    `json:"cause"` // such as email_mismatch
}

// PasswordResetRequested records that a link was asked for, never the token.
type PasswordResetRequested struct {
	ExpiresAt time.Time `json:"expires_at"`
}

// UserRoleChanged changes what the user may do. Changes of access come with it
// as events of their own.
type UserRoleChanged struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// AllGroupsAccessRevoked ends the scope ALL: what is left are the user's grants.
type AllGroupsAccessRevoked struct {
	Grant uuid.UUID `json:"grant"`
	Cause string    `json:"cause,omitzero"` // as that of a revoked group
}

// GroupAccessRequested asks for sight of a group.
type GroupAccessRequested struct {
	Request   uuid.UUID `json:"request"`
	Group     uuid.UUID `json:"group"`
	ExpiresAt time.Time `json:"expires_at,omitzero"` // of the access asked for
	By        uuid.UUID `json:"by,omitzero"`         // the user who asks, who is never the one to approve
	Why       string    `json:"why,omitzero"`        // the reason, which becomes that of the grant
}

// GroupAccessRequestApproved comes in one append with the grant.
type GroupAccessRequestApproved struct {
	Request uuid.UUID `json:"request"`
}

// GroupAccessRequestDenied ends a request without a grant.
type GroupAccessRequestDenied struct {
	Request uuid.UUID `json:"request"`
}

// GroupAccessExpired records that a grant's time was over. Access ended at its
// expires_at, whenever this event comes.
type GroupAccessExpired struct {
	Grant           uuid.UUID `json:"grant"`
	Group           uuid.UUID `json:"group"`
	RemainingGroups int       `json:"remaining_groups"`
}

// Decisions of an access review.
const (
	ReviewKeep   = "keep"
	ReviewReduce = "reduce"
	ReviewRevoke = "revoke"
)

// AccessReviewed records that somebody else looked at the user's access. What
// was taken away follows as events of its own in the same append.
type AccessReviewed struct {
	Decision string `json:"decision"`
}

// UserRemoved ends the membership for good.
type UserRemoved struct{}

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

// EventType implements Payload.
func (*UserInvitationResent) EventType() string { return "UserInvitationResent" }

// EventType implements Payload.
func (*UserInvitationRevoked) EventType() string { return "UserInvitationRevoked" }

// EventType implements Payload.
func (*UserInvitationExpired) EventType() string { return "UserInvitationExpired" }

// EventType implements Payload.
func (*UserInvitationAcceptanceRefused) EventType() string { return "UserInvitationAcceptanceRefused" }

// EventType implements Payload.
func (*PasswordResetRequested) EventType() string { return "PasswordResetRequested" }

// EventType implements Payload.
func (*UserRoleChanged) EventType() string { return "UserRoleChanged" }

// EventType implements Payload.
func (*AllGroupsAccessRevoked) EventType() string { return "AllGroupsAccessRevoked" }

// EventType implements Payload.
func (*GroupAccessRequested) EventType() string { return "GroupAccessRequested" }

// EventType implements Payload.
func (*GroupAccessRequestApproved) EventType() string { return "GroupAccessRequestApproved" }

// EventType implements Payload.
func (*GroupAccessRequestDenied) EventType() string { return "GroupAccessRequestDenied" }

// EventType implements Payload.
func (*GroupAccessExpired) EventType() string { return "GroupAccessExpired" }

// EventType implements Payload.
func (*AccessReviewed) EventType() string { return "AccessReviewed" }

// EventType implements Payload.
func (*UserRemoved) EventType() string { return "UserRemoved" }
