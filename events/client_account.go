package events

import (
	"time"

	"github.com/google/uuid"
)

// ClientAdded puts a client in the organisation's list; it is not yet an account.
type ClientAdded struct {
	BusinessName string   `json:"business_name"`
	Contact      Personal `json:"contact,omitzero"` // name of the person
	Email        Personal `json:"email"`
}

// DispatcherAssigned names the user who looks after the client.
type DispatcherAssigned struct {
	From uuid.UUID `json:"from,omitzero"` // the dispatcher before; zero = none, the owners looked after it
	To   uuid.UUID `json:"to"`
}

// ClientGroupLinked ties the client to its group, one to one.
type ClientGroupLinked struct {
	Group     uuid.UUID `json:"group"`
	GroupName string    `json:"group_name"` // the name its group is created with
}

func (e *ClientAdded) personal() []*Personal { return []*Personal{&e.Contact, &e.Email} }

// Modes of a ClientAccount, approvals, fates and kinds of notice.
const (
	ModeOnBehalf = "on_behalf" // made by the dispatcher; no approval needed
	ModeInvited  = "invited"   // accepted by the client itself

	ApprovalNotRequired = "not_required"
	ApprovalGranted     = "granted"
	ApprovalWithdrawn   = "withdrawn"

	FateKeptByClient = "kept_by_client" // its people keep reading their own deliveries
	FateEnded        = "ended"          // its logins end

	NoticeAccountCreated = "account_created"

	ScopeManageDispatches = "manage_dispatches"
)

// ClientDetails are what is known of a client besides its name.
type ClientDetails struct {
	BusinessName string   `json:"business_name"`
	Contact      Personal `json:"contact,omitzero"`
	Email        Personal `json:"email,omitzero"` // not given only where it was erased
	Phone        Personal `json:"phone,omitzero"`
}

func (d *ClientDetails) fields() []*Personal { return []*Personal{&d.Contact, &d.Email, &d.Phone} }

// ClientDetailsChanged records the details before and after.
type ClientDetailsChanged struct {
	Before ClientDetails `json:"before"`
	After  ClientDetails `json:"after"`
}

// ClientAccountCreated makes the client an account: on its behalf, or by its own
// acceptance. User and Identity are those of the contact, who may log in.
type ClientAccountCreated struct {
	Mode     string        `json:"mode"`
	Approval string        `json:"approval"`
	Details  ClientDetails `json:"details"`
	User     uuid.UUID     `json:"user"`     // the id that the contact's User gets
	Identity uuid.UUID     `json:"identity"` // the person behind the e-mail
}

// ClientNotified records that the client was told.
type ClientNotified struct {
	Kind string `json:"kind"`
}

// ClientInvited opens an invitation. The token never reaches the log.
type ClientInvited struct {
	Invitation uuid.UUID `json:"invitation"`
	Email      Personal  `json:"email"`
	ExpiresAt  time.Time `json:"expires_at"`
}

// ClientInvitationResent gives the open invitation a new token.
type ClientInvitationResent struct {
	Invitation uuid.UUID `json:"invitation"`
	ExpiresAt  time.Time `json:"expires_at"`
}

// ClientInvitationRevoked withdraws the open invitation.
type ClientInvitationRevoked struct {
	Invitation uuid.UUID `json:"invitation"`
}

// ClientInvitationExpired records that nobody accepted in time.
type ClientInvitationExpired struct {
	Invitation uuid.UUID `json:"invitation"`
}

// ClientInvitationAccepted is the client's own yes.
type ClientInvitationAccepted struct {
	Invitation  uuid.UUID `json:"invitation"`
	PasswordSet bool      `json:"password_set,omitzero"` // the client chose a password with it
}

// ClientInvitationAcceptanceRefused records an attempt that was turned away; the
// invitation stays valid.
type ClientInvitationAcceptanceRefused struct {
	Invitation uuid.UUID `json:"invitation"`
	Cause      string    `json:"cause"`
}

// ClientInvitationDeclined is the client's own no.
type ClientInvitationDeclined struct {
	Invitation uuid.UUID `json:"invitation"`
}

// ClientApprovalGranted lets the organisation manage the client's dispatches.
type ClientApprovalGranted struct {
	Scope string `json:"scope"`
}

// ClientApprovalWithdrawn takes that back. What was delivered stays readable.
type ClientApprovalWithdrawn struct{}

// DispatcherUnassigned leaves the client to the owners.
type DispatcherUnassigned struct {
	From uuid.UUID `json:"from"`
}

// ClientRemoved takes the client out of the list.
type ClientRemoved struct {
	Fate string `json:"fate"`
}

// ClientReinstated brings a removed client back to the state before.
type ClientReinstated struct{}

func (e *ClientDetailsChanged) personal() []*Personal {
	return append(e.Before.fields(), e.After.fields()...)
}

func (e *ClientAccountCreated) personal() []*Personal { return e.Details.fields() }

func (e *ClientInvited) personal() []*Personal { return []*Personal{&e.Email} }

// EventType implements Payload.
func (*ClientAdded) EventType() string { return "ClientAdded" }

// EventType implements Payload.
func (*DispatcherAssigned) EventType() string { return "DispatcherAssigned" }

// EventType implements Payload.
func (*ClientGroupLinked) EventType() string { return "ClientGroupLinked" }

// EventType implements Payload.
func (*ClientDetailsChanged) EventType() string { return "ClientDetailsChanged" }

// EventType implements Payload.
func (*ClientAccountCreated) EventType() string { return "ClientAccountCreated" }

// EventType implements Payload.
func (*ClientNotified) EventType() string { return "ClientNotified" }

// EventType implements Payload.
func (*ClientInvited) EventType() string { return "ClientInvited" }

// EventType implements Payload.
func (*ClientInvitationResent) EventType() string { return "ClientInvitationResent" }

// EventType implements Payload.
func (*ClientInvitationRevoked) EventType() string { return "ClientInvitationRevoked" }

// EventType implements Payload.
func (*ClientInvitationExpired) EventType() string { return "ClientInvitationExpired" }

// EventType implements Payload.
func (*ClientInvitationAccepted) EventType() string { return "ClientInvitationAccepted" }

// EventType implements Payload.
func (*ClientInvitationAcceptanceRefused) EventType() string {
	return "ClientInvitationAcceptanceRefused"
}

// EventType implements Payload.
func (*ClientInvitationDeclined) EventType() string { return "ClientInvitationDeclined" }

// EventType implements Payload.
func (*ClientApprovalGranted) EventType() string { return "ClientApprovalGranted" }

// EventType implements Payload.
func (*ClientApprovalWithdrawn) EventType() string { return "ClientApprovalWithdrawn" }

// EventType implements Payload.
func (*DispatcherUnassigned) EventType() string { return "DispatcherUnassigned" }

// EventType implements Payload.
func (*ClientRemoved) EventType() string { return "ClientRemoved" }

// EventType implements Payload.
func (*ClientReinstated) EventType() string { return "ClientReinstated" }
