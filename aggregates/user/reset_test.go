package user

import (
	"testing"
	"time"

	"waybill/aggregates/aggregatetest"
	"waybill/events"
)

func TestAskingForAnotherPassword(t *testing.T) {
	t.Parallel()
	until := func(minutes int) *events.PasswordResetRequested {
		return &events.PasswordResetRequested{ExpiresAt: noon.Add(time.Duration(minutes) * time.Minute)}
	}
	ask := RequestPasswordReset{ExpiresAt: noon.Add(time.Hour), At: noon}
	active := append(given(added("cso", "groups"), invited), &events.UserInvitationAccepted{Invitation: invited.Invitation})
	with := func(more ...events.Payload) []events.Payload {
		return append(active[:len(active):len(active)], more...)
	}
	aggregatetest.Decide(t, Evolve, tests{
		"an active user asks":                    {Given: active, When: ask, Then: then(until(60))},
		"who is invited and known elsewhere too": {Given: active[:2], When: ask, Then: then(until(60))},
		"it may ask again":                       {Given: with(until(10), until(20)), When: ask, Then: then(until(60))},
		"but not all the time":                   {Given: with(until(10), until(20), until(30)), When: ask},
		"however many there were":                {Given: with(until(-9), until(-8), until(10), until(20), until(30)), When: ask},
		"what is over does not count":            {Given: with(until(-1), until(0), until(30)), When: ask, Then: then(until(60))},
		"once it is set, they are over":          {Given: with(until(10), until(20), until(30), &events.PasswordSet{}), When: ask, Then: then(until(60))},
		"a blocked user gets no link":            {Given: with(&events.UserBlocked{}), When: ask, Refused: "user-blocked"},
		"a removed one neither":                  {Given: with(&events.UserRemoved{}), When: ask, Refused: "user-removed"},
		"nobody asks":                            {When: ask, Refused: "user-not-found"},
	})
}
