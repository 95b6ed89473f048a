package commandapi

import (
	"errors"
	"strings"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/events"
	"waybill/events/fault"
)

// Trail keeps facts for the audit. Record must not wait, and has no way to fail.
type Trail interface {
	// Record takes a fact about an organisation; the zero one is none.
	Record(org uuid.UUID, who events.Actor, from events.Source, p events.Payload)
}

// untrailed is the trail of who keeps none.
type untrailed struct{}

// Record implements [Trail].
func (untrailed) Record(uuid.UUID, events.Actor, events.Source, events.Payload) {}

// causeWrongPortal is for the audit alone; who signs in is not told.
const causeWrongPortal = "wrong-portal"

// refusedSignIn notes a sign-in that failed. What was limited is not noted: it
// would let strangers fill the log.
func (a *api) refusedSignIn(err error, elsewhere []access.Membership, from events.Source) {
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Unauthenticated {
		return
	}
	if len(elsewhere) == 0 {
		a.cfg.Trail.Record(uuid.Nil, events.Actor{Type: events.ActorIdentity}, from, &events.SignInRefused{Cause: f.Code})
	}
	for _, m := range elsewhere {
		a.cfg.Trail.Record(m.Org, events.Actor{Type: events.ActorIdentity, ID: m.Identity.String()}, from, &events.SignInRefused{Cause: causeWrongPortal})
	}
}

// refused notes who was refused which command: a verb that is not theirs, or
// something that is not there for them.
func (a *api) refused(s spec, c call, err error) {
	var f *fault.Error
	if c.caller.Org == uuid.Nil || !errors.As(err, &f) || f.Kind != fault.Denied && f.Kind != fault.NotFound {
		return
	}
	cause := f.Code
	if cause == "" {
		cause = strings.ReplaceAll(f.Kind.String(), " ", "-")
	}
	a.cfg.Trail.Record(c.caller.Org, c.caller.Actor, c.caller.Source,
		&events.CommandRefused{Command: strings.ToUpper(s.name[:1]) + s.name[1:], Cause: cause, Target: c.target(s.path)})
}

// target returns the ids of the path; other text of it is anybody's.
func (c call) target(path string) string {
	var ids []string
	for part := range strings.SplitSeq(path, "/") {
		name := strings.Trim(part, "{}")
		if id, err := uuid.Parse(c.vars[name]); err == nil && name != part {
			ids = append(ids, name+" "+id.String())
		}
	}
	return strings.Join(ids, ", ")
}
