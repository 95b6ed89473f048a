package commandapi

import (
	"errors"
	"net/http"
	"slices"
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

// noted bounds for how many organisations of one identity a refused sign-in is
// noted.
const noted = 10

// refuseSignIn answers a sign-in that failed and then notes it, where those who
// look after the account see it: under each organisation of whoever was meant, and
// under none when nobody was. It notes after the answer is sent, so that nothing
// of that shows in how long the answer took. What was limited is not noted: it
// would let strangers fill the log.
func (a *api) refuseSignIn(w http.ResponseWriter, r *http.Request, err error, elsewhere []access.Membership, from events.Source) error {
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Unauthenticated {
		return err
	}
	meant, cause := elsewhere, causeWrongPortal
	if len(elsewhere) == 0 {
		cause = f.Code
		var refused *access.RefusedError
		if errors.As(err, &refused) {
			// Who is but invited has nothing to do with that organisation yet.
			meant = slices.DeleteFunc(slices.Clone(refused.Meant), func(m access.Membership) bool { return m.Status != access.StatusActive })
		}
	}
	a.cfg.Problems.Write(w, r, err)
	_ = http.NewResponseController(w).Flush() // what cannot be flushed is sent in a moment
	if len(meant) == 0 {
		a.cfg.Trail.Record(uuid.Nil, events.Actor{Type: events.ActorIdentity}, from, &events.SignInRefused{Cause: cause})
	}
	for _, m := range meant[:min(len(meant), noted)] {
		a.cfg.Trail.Record(m.Org, events.Actor{Type: events.ActorIdentity, ID: m.Identity.String()}, from, &events.SignInRefused{Cause: cause})
	}
	return nil
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
