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
	case s.Invitation == uuid.Nil || c.Invitation != uuid.Nil && s.Invitation != c.Invitation:
		return nil, fault.New(fault.Conflict, "invitation-not-open", "This invitation is not open any more.")
	case s.Status == Blocked:
		return nil, fault.New(fault.Conflict, "user-blocked", "The user is blocked.")
	case s.Status == Active:
	case !c.At.Before(s.InvitationEnd):
		return nil, fault.New(fault.Conflict, "invitation-not-open", "This invitation is not open any more.")
	default:
		evs = append(evs, &events.UserInvitationAccepted{Invitation: s.Invitation})
	}
	if c.PasswordSet {
		evs = append(evs, &events.PasswordSet{})
	}
	return evs, nil
}

// RecordPasswordSet records that the person behind the user set a password.
type RecordPasswordSet struct{}

// Decide gives PasswordSet.
func (RecordPasswordSet) Decide(s State) ([]events.Payload, error) {
	if !s.Exists() {
		return nil, None()
	}
	return []events.Payload{&events.PasswordSet{}}, nil
}
