package user

import (
	"time"

	"github.com/google/uuid"

	"waybill/events"
	"waybill/events/fault"
)

// AcceptInvitation makes an invited user active.
type AcceptInvitation struct {
	Invitation  uuid.UUID // zero: whichever is open
	PasswordSet bool      // a password was set with it; a known identity has one already
	At          time.Time
}

// Decide gives UserInvitationAccepted, and PasswordSet when one was set. A user
// that is active already gets just the PasswordSet.
func (c AcceptInvitation) Decide(s State) ([]events.Payload, error) {
	var evs []events.Payload
	switch {
	case !s.Exists():
		return nil, None()
	case s.Status == Removed, s.Invitation == uuid.Nil || c.Invitation != uuid.Nil && s.Invitation != c.Invitation:
		return nil, errNotOpen()
	case s.Status == Blocked:
		return nil, fault.New(fault.Conflict, "user-blocked", "The user is blocked.")
	case s.Status == Active:
	case s.uninvited || !c.At.Before(s.InvitationEnd):
		return nil, errNotOpen()
	default:
		evs = append(evs, &events.UserInvitationAccepted{Invitation: s.Invitation})
	}
	if c.PasswordSet {
		evs = append(evs, &events.PasswordSet{})
	}
	return evs, nil
}

// CauseEmailMismatch is the cause of a refused acceptance: another e-mail than the
// invited one.
const CauseEmailMismatch = "email_mismatch"

// maxRefusals bounds how many refused attempts are recorded until an invitation is
// sent again: whoever has its link could fill the log otherwise.
const maxRefusals = 20

// RefuseInvitation records an attempt to accept an invitation that is turned away.
// The invitation stays as it is.
type RefuseInvitation struct {
	Invitation uuid.UUID // zero: whichever is open
	Cause      string
	At         time.Time
}

// Decide gives UserInvitationAcceptanceRefused; nothing when there were very many.
func (c RefuseInvitation) Decide(s State) ([]events.Payload, error) {
	switch {
	case !s.Exists():
		return nil, None()
	case s.Status != Invited, s.uninvited, !c.At.Before(s.InvitationEnd), c.Invitation != uuid.Nil && s.Invitation != c.Invitation:
		return nil, errNotOpen()
	case s.refused >= maxRefusals:
		return nil, nil
	}
	return []events.Payload{&events.UserInvitationAcceptanceRefused{Invitation: s.Invitation, Cause: c.Cause}}, nil
}

// RecordPasswordSet records that the person behind the user set a password.
type RecordPasswordSet struct{}

// Decide gives PasswordSet.
func (RecordPasswordSet) Decide(s State) ([]events.Payload, error) {
	if !s.Present() {
		return nil, None()
	}
	return []events.Payload{&events.PasswordSet{}}, nil
}

func errNotOpen() error {
	return fault.New(fault.Conflict, "invitation-not-open", "This invitation is not open any more.")
}

// unaccepted refuses a user that has accepted its invitation.
func (s State) unaccepted() error {
	switch err := s.present(); {
	case err != nil:
		return err
	case !s.pending() || s.Invitation == uuid.Nil:
		return fault.New(fault.Conflict, "invitation-accepted", "The user has accepted the invitation.")
	}
	return nil
}

// ResendInvitation gives the invitation another token; the earlier one is void. It
// also brings a revoked or expired invitation back.
type ResendInvitation struct{ ExpiresAt time.Time }

// Decide gives UserInvitationResent.
func (c ResendInvitation) Decide(s State) ([]events.Payload, error) {
	if err := s.unaccepted(); err != nil {
		return nil, err
	}
	return []events.Payload{&events.UserInvitationResent{Invitation: s.Invitation, ExpiresAt: c.ExpiresAt}}, nil
}

// RevokeInvitation withdraws the invitation.
type RevokeInvitation struct{}

// Decide gives UserInvitationRevoked; nothing when it is not open any more.
func (RevokeInvitation) Decide(s State) ([]events.Payload, error) {
	if err := s.unaccepted(); err != nil || s.uninvited {
		return nil, err
	}
	return []events.Payload{&events.UserInvitationRevoked{Invitation: s.Invitation}}, nil
}

// ExpireInvitation records that nobody accepted in time.
type ExpireInvitation struct {
	Invitation uuid.UUID
	At         time.Time
}

// Decide gives UserInvitationExpired; nothing when the invitation is not open, or
// was resent.
func (c ExpireInvitation) Decide(s State) ([]events.Payload, error) {
	switch {
	case !s.Exists():
		return nil, None()
	case !s.pending() || s.uninvited || s.Invitation != c.Invitation || c.At.Before(s.InvitationEnd):
		return nil, nil
	}
	return []events.Payload{&events.UserInvitationExpired{Invitation: s.Invitation}}, nil
}
