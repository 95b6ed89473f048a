package commandapi

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/command"
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

// refused notes who was refused which command: a verb that is not theirs, something
// that is not there for them, or what a rule protects from everybody. The command is
// called by its route's name.
func (a *api) refused(who access.Caller, name, target string, err error) {
	if cause := causeOf(err); cause != "" && who.Org != uuid.Nil {
		a.cfg.Trail.Record(who.Org, who.Actor, who.Source,
			&events.CommandRefused{Command: strings.ToUpper(name[:1]) + name[1:], Cause: cause, Target: target})
	}
}

// noting is a handler whose refusals are noted, for commands that on does not make
// the route of.
func (a *api) noting(name string, do func(http.ResponseWriter, *http.Request) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		err := do(w, r)
		a.refused(access.CallerOf(r.Context()), name, "", err)
		return err
	}
}

// causeOf returns why a command was refused, as the trail says it; empty for what
// is not noted.
func causeOf(err error) string {
	var f *fault.Error
	switch {
	case !errors.As(err, &f), f.Kind != fault.Denied && f.Kind != fault.NotFound && !protected(f):
		return ""
	case f.Code == "":
		return strings.ReplaceAll(f.Kind.String(), " ", "-")
	}
	return f.Code
}

// protected reports whether a conflict is a refusal in meaning: of access that may
// not be given or taken so, or of work on what is closed to everybody. That a name is
// taken, that something is so already or has gone on is none; machines meet that by
// the thousand, and it would bury the others.
func protected(f *fault.Error) bool {
	if f.Kind != fault.Conflict {
		return false
	}
	switch f.Code {
	case "last-owner", "role-holds-all", "user-has-all", "user-blocked", "user-removed", "request-outdated",
		"client-not-managed", "client-removed", "approved-too-often", "too-many-api-keys",
		"group-archived", "group-merged", "group-reserved", "group-field-off", "group-of-client", "groups-of-different-clients", "widening-not-acknowledged":
		return true
	}
	return false
}

// refusedNamed bounds how many of the deliveries that a bulk command was refused
// are named in one fact.
const refusedNamed = 10

// refusedRows notes the rows of a bulk command that were refused, as one fact for
// each cause: who tries many ids at once is noted like who tries them one by one.
func (a *api) refusedRows(who access.Caller, name, do string, rows []command.BulkRow) {
	var causes []string
	first := map[string]command.BulkRow{}
	named, count := map[string][]string{}, map[string]int{}
	for _, row := range rows {
		cause := causeOf(row.Err)
		if cause == "" {
			continue
		}
		if count[cause]++; count[cause] == 1 {
			causes, first[cause] = append(causes, cause), row
		}
		if len(named[cause]) < refusedNamed {
			named[cause] = append(named[cause], row.Delivery.String())
		}
	}
	for _, cause := range causes {
		target := do + " " + strings.Join(named[cause], ", ")
		if more := count[cause] - len(named[cause]); more > 0 {
			target += " and " + strconv.Itoa(more) + " more"
		}
		a.refused(who, name, target, first[cause].Err)
	}
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
