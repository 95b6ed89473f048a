package main

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"waybill/events"
	"waybill/events/store"
)

// besides are the events that come with the facts and are none of them.
var besides = []string{"OwnerAdded", "UserInvited", "UserInvitationAccepted", "PasswordSet"}

// fact is a line of facts.txt.
type fact struct {
	number, actor, stream, event string
	at                           time.Time
	because                      []string // "=8", "<43", "is 57"
	says                         map[string]string
}

func (w *worked) facts() []fact {
	w.Helper()
	var all []fact
	for _, line := range workedLines(w.T, "facts.txt") {
		f := strings.Split(line, "\t")
		if len(f) < 6 {
			w.Fatalf("facts.txt: %q", line)
		}
		one := fact{number: f[0], at: workedTime(w.T, f[1]), actor: f[2], stream: f[3], event: f[4], says: map[string]string{}}
		switch {
		case strings.HasPrefix(f[5], "is "):
			one.because = []string{f[5]}
		case f[5] != "-":
			one.because = strings.Fields(f[5])
		}
		for _, m := range f[6:] {
			name, value, _ := strings.Cut(m, "=")
			one.says[name] = value
		}
		all = append(all, one)
	}
	if len(all) != 66 {
		w.Fatalf("facts.txt has %d facts", len(all))
	}
	return all
}

// logged is an event of the example's log, opened.
type logged struct {
	events.Event
	stream    string    // by name
	effective time.Time // when it counts
}

// log reads the example's events back, in their order, without claims and trail.
func (w *worked) log() []logged {
	w.Helper()
	w.nameIdentities()
	var all []logged
	var effective time.Time
	for r, err := range w.s.store.ReadAll(w.Context(), events.Position{}, store.Forwards) {
		w.must(err)
		id, err := events.ParseStream(r.Stream)
		if err != nil || id.Org.String() != w.org() || id.Category == events.CategoryClaim || id.Category == events.CategoryTrail {
			continue
		}
		ev, err := w.s.codec.Decode(r)
		w.must(err)
		w.must(w.s.codec.Open(w.Context(), []events.Event{ev}))
		counts := ev.Metadata.RecordedAt
		if latest := r.Created.Add(2 * time.Second); counts.After(latest) {
			counts = latest
		}
		if counts.After(effective) {
			effective = counts
		}
		all = append(all, logged{ev, id.Category + "/" + w.ids[id.ID], effective})
	}
	return all
}

// nameIdentities calls the identities by their e-mails.
func (w *worked) nameIdentities() {
	w.Helper()
	rows, err := w.s.pools.Identity.Query(w.Context(), `SELECT identity_id, email FROM identity.identities`)
	w.must(err)
	defer rows.Close()
	for rows.Next() {
		var id uuid.UUID
		var email string
		w.must(rows.Scan(&id, &email))
		w.call(email, id.String())
	}
	w.must(rows.Err())
	const stranger = "frank@example.com" // known by nothing but that he tried
	identity, called, err := w.s.access.Unproven(w.Context(), stranger)
	w.must(err)
	if identity != uuid.Nil {
		w.Errorf("%s has become known by trying", stranger)
	}
	w.call(stranger, called.ID)
}

// compare finds the event of each fact, by stream and order in it, and compares
// what the two say. It returns the numbers of the facts by event.
func (w *worked) compare(log []logged) map[uuid.UUID]string {
	w.Helper()
	left := map[string][]logged{} // events by stream
	for _, ev := range log {
		if !slices.Contains(besides, ev.Record.Type) {
			left[ev.stream] = append(left[ev.stream], ev)
		}
	}
	of, numbers := map[string]logged{}, map[uuid.UUID]string{}
	for _, f := range w.facts() {
		if len(f.because) == 1 && strings.HasPrefix(f.because[0], "is ") {
			of[f.number] = of[strings.TrimPrefix(f.because[0], "is ")]
		} else {
			if len(left[f.stream]) == 0 {
				w.Errorf("#%s: there is no %s in %s", f.number, f.event, f.stream)
				continue
			}
			of[f.number], left[f.stream] = left[f.stream][0], left[f.stream][1:]
			numbers[of[f.number].Record.ID] = f.number
		}
		w.compareOne(f, of)
	}
	for stream, evs := range left {
		for _, ev := range evs {
			w.Errorf("there is a %s in %s at %s that is no fact", ev.Record.Type, stream, ev.Metadata.RecordedAt)
		}
	}
	return numbers
}

func (w *worked) compareOne(f fact, of map[string]logged) {
	w.Helper()
	ev := of[f.number]
	m := ev.Metadata
	check := func(what, got, want string) {
		w.Helper()
		if got != want {
			w.Errorf("#%s %s in %s: %s is %q, want %q", f.number, f.event, f.stream, what, got, want)
		}
	}
	check("the event", ev.Record.Type, f.event)
	check("the actor", w.actor(m.Actor), f.actor)
	check("the time", m.RecordedAt.Format(time.RFC3339Nano), f.at.Format(time.RFC3339Nano))
	check("the time when it counts", ev.effective.Format(time.RFC3339Nano), f.at.Format(time.RFC3339Nano))
	caused := m.CommandID
	for _, because := range f.because {
		switch other := of[strings.TrimLeft(because, "=<")]; because[0] {
		case '<':
			caused = other.Record.ID
		case '=':
			check("the append", m.CommandID.String()+" "+ev.Record.Stream, other.Metadata.CommandID.String()+" "+other.Record.Stream)
		}
	}
	check("the causation", m.CausationID.String(), caused.String())
	got := w.says(ev)
	for name, value := range f.says {
		check(name, got[name], value)
	}
	for name, value := range got { // these stand in full
		if name == "reason" || strings.HasPrefix(name, "approval.") {
			check(name, value, f.says[name])
		}
	}
}

func (w *worked) actor(a events.Actor) string {
	switch a.Type {
	case events.ActorSystem:
		return "system"
	case events.ActorUser:
		return w.ids[a.ID]
	default:
		return a.Type + ":" + w.ids[a.ID]
	}
}

// says returns what an event says by member, ids as names.
func (w *worked) says(ev logged) map[string]string {
	w.Helper()
	var data map[string]any
	w.must(json.Unmarshal(ev.Record.Data, &data))
	m := ev.Metadata
	maps.Copy(data, map[string]any{"reason": m.Reason, "approval.by": m.Approval.By, "approval.requested_by": m.Approval.RequestedBy,
		"approval.request": m.Approval.Request, "approval.reference": m.Approval.Reference})
	if e, ok := ev.Payload.(*events.ClientAccountCreated); ok {
		data["email"] = e.Details.Email.Text()
	} else if e, ok := emailOf(ev.Payload); ok {
		data["email"] = e.Text()
	}
	said := map[string]string{}
	for name, value := range data {
		switch v := value.(type) {
		case string:
			said[name] = v
			if known := w.ids[v]; known != "" {
				said[name] = known
			}
		case float64:
			text, err := json.Marshal(v)
			w.must(err)
			said[name] = string(text)
		}
	}
	return said
}

func emailOf(p events.Payload) (events.Personal, bool) {
	switch e := p.(type) {
	case *events.UserAdded:
		return e.Email, true
	case *events.ClientAdded:
		return e.Email, true
	case *events.ClientInvited:
		return e.Email, true
	}
	return events.Personal{}, false
}
