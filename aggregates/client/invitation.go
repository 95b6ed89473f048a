package client

import (
	"time"

	"github.com/google/uuid"

	"waybill/events"
	"waybill/events/fault"
)

// Causes of a refused acceptance.
const (
	CauseEmailMismatch    = "email_mismatch"    // another e-mail than the invited one
	CauseIdentityMismatch = "identity_mismatch" // signed in as somebody else
)

// maxRefusals bounds how many refused attempts an invitation records: whoever
// has its link could fill the log otherwise.
const maxRefusals = 20

// NotOpen is the one answer about an invitation that was accepted, declined,
// withdrawn, superseded or expired, so that all of these look the same.
func NotOpen() error {
	return fault.New(fault.Conflict, "invitation-not-open", "This invitation is not open any more.")
}

// open reports whether the last invitation can be accepted at a time.
func (s State) open(at time.Time) bool { return s.Open && at.Before(s.InvitationEnd) }

// IsOpen reports whether an invitation can be answered at a time.
func (s State) IsOpen(invitation uuid.UUID, at time.Time) bool {
	return s.Exists() && !s.IsRemoved && s.Mode == "" && s.Invitation == invitation && s.open(at)
}

// closing ends the last invitation, unless it has ended.
func (s State) closing(at time.Time) []events.Payload {
	switch {
	case !s.Open:
		return nil
	case s.open(at):
		return []events.Payload{&events.ClientInvitationRevoked{Invitation: s.Invitation}}
	default:
		return []events.Payload{&events.ClientInvitationExpired{Invitation: s.Invitation}}
	}
}

// Invite opens an invitation.
type Invite struct {
	Client     uuid.UUID
	Invitation uuid.UUID
	Email      string // in its normal form
	ExpiresAt  time.Time
	At         time.Time
}

// Decide gives ClientInvited; before it the expiry of an earlier one that nobody
// has recorded.
func (c Invite) Decide(s State) ([]events.Payload, error) {
	if err := s.toBeAccount(); err != nil {
		return nil, err
	}
	switch {
	case c.Email == "":
		return nil, fault.InvalidField("email", "is required")
	case s.open(c.At):
		return nil, fault.New(fault.Conflict, "invitation-open", "The client is invited already; send that invitation again, or withdraw it.")
	}
	return append(s.closing(c.At), &events.ClientInvited{
		Invitation: c.Invitation, Email: events.PersonalText(c.Client, c.Email), ExpiresAt: c.ExpiresAt,
	}), nil
}

// Resend gives the open invitation a new time to be accepted in.
type Resend struct{ ExpiresAt, At time.Time }

// Decide gives ClientInvitationResent.
func (c Resend) Decide(s State) ([]events.Payload, error) {
	if err := s.Present(); err != nil {
		return nil, err
	}
	if !s.open(c.At) {
		return nil, NotOpen()
	}
	return []events.Payload{&events.ClientInvitationResent{Invitation: s.Invitation, ExpiresAt: c.ExpiresAt}}, nil
}

// Revoke withdraws the open invitation.
type Revoke struct{ At time.Time }

// Decide gives ClientInvitationRevoked; nothing when none is open.
func (c Revoke) Decide(s State) ([]events.Payload, error) {
	if err := s.Present(); err != nil || !s.open(c.At) {
		return nil, err
	}
	return s.closing(c.At), nil
}

// Expire records that nobody accepted an invitation in time.
type Expire struct {
	Invitation uuid.UUID
	At         time.Time
}

// Decide gives ClientInvitationExpired; nothing when the invitation is not open,
// or its time not over. It goes for a removed client, too, so that what comes back
// is true.
func (c Expire) Decide(s State) ([]events.Payload, error) {
	switch {
	case !s.Exists():
		return nil, None()
	case !s.Open, s.Invitation != c.Invitation, s.open(c.At):
		return nil, nil
	}
	return s.closing(c.At), nil
}

// Accept is the client's own yes, by whoever proved to have the invited e-mail.
type Accept struct {
	Client         uuid.UUID
	Invitation     uuid.UUID
	Details        Details   // with the invited e-mail
	User, Identity uuid.UUID // of the contact
	PasswordSet    bool
	At             time.Time
}

// Decide gives ClientInvitationAccepted, ClientAccountCreated and
// ClientApprovalGranted; nothing when the same person accepted it before.
func (c Accept) Decide(s State) ([]events.Payload, error) {
	switch {
	case !s.Exists():
		return nil, None()
	case !s.IsRemoved && s.Accepted == c.Invitation && c.Invitation != uuid.Nil && s.Identity == c.Identity:
		return nil, nil
	case !s.IsOpen(c.Invitation, c.At):
		return nil, NotOpen()
	}
	if err := s.toBeAccount(); err != nil {
		return nil, err
	}
	return []events.Payload{
		&events.ClientInvitationAccepted{Invitation: c.Invitation, PasswordSet: c.PasswordSet},
		&events.ClientAccountCreated{
			Mode: events.ModeInvited, Approval: events.ApprovalGranted, Details: c.Details.Tidy().about(c.Client),
			User: c.User, Identity: c.Identity,
		},
		&events.ClientApprovalGranted{Scope: events.ScopeManageDispatches},
	}, nil
}

// Refuse records an attempt to accept that is turned away.
type Refuse struct {
	Invitation uuid.UUID
	Cause      string
	At         time.Time
}

// Decide gives ClientInvitationAcceptanceRefused; nothing when there were very
// many.
func (c Refuse) Decide(s State) ([]events.Payload, error) {
	switch {
	case !s.Exists():
		return nil, None()
	case !s.IsOpen(c.Invitation, c.At):
		return nil, NotOpen()
	case s.Refused >= maxRefusals:
		return nil, nil
	}
	return []events.Payload{&events.ClientInvitationAcceptanceRefused{Invitation: c.Invitation, Cause: c.Cause}}, nil
}

// Decline is the client's own no.
type Decline struct {
	Invitation uuid.UUID
	At         time.Time
}

// Decide gives ClientInvitationDeclined.
func (c Decline) Decide(s State) ([]events.Payload, error) {
	switch {
	case !s.Exists():
		return nil, None()
	case !s.IsOpen(c.Invitation, c.At):
		return nil, NotOpen()
	}
	return []events.Payload{&events.ClientInvitationDeclined{Invitation: c.Invitation}}, nil
}
