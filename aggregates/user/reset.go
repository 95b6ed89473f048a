package user

import (
	"slices"
	"time"

	"waybill/events"
	"waybill/events/fault"
)

// maxResets is how many requests for another password may be open at a time:
// strangers can make them, and every one is an event and a mail.
const maxResets = 3

// RequestPasswordReset asks for a link with which the person behind the user sets
// another password.
type RequestPasswordReset struct{ ExpiresAt, At time.Time }

// Decide gives PasswordResetRequested; nothing while several requests are open. A
// user who is blocked or removed is refused.
func (c RequestPasswordReset) Decide(s State) ([]events.Payload, error) {
	switch err := s.present(); {
	case err != nil:
		return nil, err
	case s.Status == Blocked:
		return nil, fault.New(fault.Conflict, "user-blocked", "The user is blocked.")
	}
	open := 0
	for _, end := range s.resets {
		if c.At.Before(end) {
			open++
		}
	}
	if open >= maxResets {
		return nil, nil
	}
	return []events.Payload{&events.PasswordResetRequested{ExpiresAt: c.ExpiresAt}}, nil
}

// asked returns the ends of the last requests, those before it and one more.
func (s State) asked(end time.Time) []time.Time {
	last := s.resets[max(0, len(s.resets)+1-maxResets):]
	return append(slices.Clip(slices.Clone(last)), end)
}
