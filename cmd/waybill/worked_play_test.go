package main

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"waybill/aggregates/policies"
	"waybill/events"
	"waybill/events/store"
	"waybill/projections"
	"waybill/projections/deadlines"
)

// play gives the commands of commands.txt, each at its time, and looks after every
// moment who sees what.
func (w *worked) play() {
	w.Helper()
	var before time.Time
	for _, line := range workedLines(w.T, "commands.txt") {
		stamp, rest, _ := strings.Cut(line, " ")
		who, what, _ := strings.Cut(rest, " ")
		at := workedTime(w.T, stamp)
		if !at.Equal(before) {
			if !before.IsZero() {
				w.look()
			}
			w.set(at)
			if !before.IsZero() && at.YearDay() != before.YearDay() {
				w.newDay()
			}
		}
		before = at
		w.do(who, what)
	}
	w.look()
}

// newDay finds the sessions of the day before over, and signs everybody in again.
func (w *worked) newDay() {
	w.Helper()
	for _, name := range w.joined {
		if status, _ := w.send(w.people[name].token, "GET", "/v1/me", ""); status != http.StatusUnauthorized {
			w.Errorf("%s: the session of %s is good for another day: status %d", w.time(), name, status)
		}
		w.signIn(name)
	}
}

// do is one line of commands.txt, without its time.
func (w *worked) do(who, what string) {
	w.Helper()
	verb, rest, _ := strings.Cut(what, " ")
	switch verb {
	case "LINK":
		w.link(who)
	case "JOIN":
		w.link(who)
		body := `{"token": "{token of ` + who + `}", "email": "` + workedEmail(who) + `", "password": "` + workedPassword + `"}`
		if status, answer := w.send("", "POST", "/v1/passwords", w.named(body)); status != http.StatusOK {
			w.Fatalf("%s sets a password: %d %s", who, status, answer)
		}
		w.join(who)
	case "SIGNIN":
		w.join(who)
	case "WAIT":
		stream, event, _ := strings.Cut(rest, " ")
		w.look() // what ends by itself ends also before that is recorded
		eventually(w.T, what, func() bool {
			kind, name, _ := strings.Cut(stream, "/")
			records, err := w.s.store.Read(w.Context(), kind+"-"+w.org()+"."+w.names[name], 0, 100)
			w.must(err)
			if len(records) == 0 || records[len(records)-1].Type != event {
				return false
			}
			w.last = records[len(records)-1].Position
			return true
		})
	default:
		w.give(who, verb, rest)
	}
}

var (
	refusal = regexp.MustCompile(` = (\d+)$`)
	binding = regexp.MustCompile(` -> (.+)$`)
)

// give sends a command as somebody.
func (w *worked) give(who, method, rest string) {
	w.Helper()
	want, binds := 0, []string(nil)
	if m := refusal.FindStringSubmatch(rest); m != nil {
		want, _ = strconv.Atoi(m[1])
		rest = strings.TrimSuffix(rest, m[0])
	}
	if m := binding.FindStringSubmatch(rest); m != nil {
		binds = strings.Fields(m[1])
		rest = strings.TrimSuffix(rest, m[0])
	}
	path, body, _ := strings.Cut(w.named(rest), " ")
	token := ""
	switch p := w.people[who]; {
	case p != nil:
		token = p.token
	case who == "setup":
		token = who
	case who != "anybody":
		w.Fatalf("nobody is called %s", who)
	}
	status, answer := w.send(token, method, path, body)
	if want != 0 && status != want || want == 0 && status/100 != 2 {
		w.Fatalf("%s: %s %s %s: %d %s", w.time(), who, method, rest, status, answer)
	}
	if want != 0 {
		return
	}
	var made map[string]any
	w.must(json.Unmarshal([]byte(answer), &made))
	if at, ok := made["position"].(string); ok { // otherwise it is visible with the answer
		var err error
		w.last, err = events.ParsePosition(at)
		w.must(err)
	}
	for _, b := range binds {
		member, name, other := strings.Cut(b, "=")
		if !other {
			member, name = "id", b
		}
		id, _ := made[member].(string)
		w.call(name, id)
		if member == "all_group" {
			org, _ := made["id"].(string)
			w.call("the organisation", org)
		}
	}
}

var braced = regexp.MustCompile(`\{(token of )?([A-Za-z]\w*)\}`)

// named puts ids and tokens for the names in braces.
func (w *worked) named(text string) string {
	w.Helper()
	return braced.ReplaceAllStringFunc(text, func(b string) string {
		m := braced.FindStringSubmatch(b)
		of := w.names
		if m[1] != "" {
			of = w.links
		}
		if of[m[2]] == "" {
			w.Fatalf("nothing is known for %s", b)
		}
		return of[m[2]]
	})
}

// send sends a request with a session's token; "setup" stands for whoever runs
// the installation.
func (w *worked) send(token, method, path, body string) (status int, answer string) {
	w.Helper()
	req, err := http.NewRequestWithContext(w.Context(), method, w.url+path, bytes.NewReader([]byte(body)))
	w.must(err)
	if token == "setup" {
		req.Header.Set("Waybill-Setup-Token", workedPassword)
	} else if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	w.must(err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	w.must(err)
	return res.StatusCode, string(text)
}

func workedEmail(name string) string { return name + "@example.com" }

func (w *worked) org() string { return w.names["the organisation"] }

// link sends somebody the one-time link that the command line prints.
func (w *worked) link(name string) {
	w.Helper()
	w.visible()
	email := workedEmail(name)
	var out bytes.Buffer
	if members, err := w.s.members(w.Context(), email, [16]byte{}); err != nil {
		w.Fatal(err)
	} else if len(members) == 1 {
		w.must(w.s.printLink(w.Context(), &out, members[0], w.url))
	} else {
		clients, err := w.s.invitedClients(w.Context(), email, [16]byte{})
		w.must(err)
		if len(clients) != 1 {
			w.Fatalf("%s: %d users and %d clients have the e-mail %s", w.time(), len(members), len(clients), email)
		}
		w.must(w.s.printClientLink(w.Context(), &out, clients[0], email, w.url))
	}
	line, _, _ := strings.Cut(out.String(), "\n")
	_, fragment, _ := strings.Cut(line, "#")
	values, err := url.ParseQuery(fragment)
	w.must(err)
	w.links[name] = values.Get("token")
}

// join is somebody's first sign-in.
func (w *worked) join(name string) {
	w.Helper()
	w.people[name] = &workedHuman{email: workedEmail(name)}
	w.joined = append(w.joined, name)
	w.signIn(name)
	if w.people[name].token == "" {
		w.Fatalf("%s cannot sign in", name)
	}
}

func (w *worked) signIn(name string) {
	w.Helper()
	p := w.people[name]
	p.token = ""
	status, answer := w.send("", "POST", "/v1/sessions", `{"email": "`+p.email+`", "password": "`+workedPassword+`"}`)
	if status == http.StatusCreated {
		var session struct {
			Token string `json:"token"`
			User  string `json:"user"`
		}
		w.must(json.Unmarshal([]byte(answer), &session, json.RejectUnknownMembers(false)))
		p.token = session.Token
		w.call(name, session.User)
	} else if status != http.StatusUnauthorized {
		w.Fatalf("%s: %s signs in: %d %s", w.time(), name, status, answer)
	}
}

// visible waits until what was commanded can be seen.
func (w *worked) visible() {
	w.Helper()
	w.must(w.s.progress.Wait(w.Context(), w.last))
}

// settle waits until everything that follows the log has followed it, and adds no
// more to it.
func (w *worked) settle() {
	w.Helper()
	eventually(w.T, "what reacts to the log has come to its end", func() bool {
		last := map[string]uint64{} // of each kind of stream
		for r, err := range w.s.store.ReadAll(w.Context(), events.Position{}, store.Forwards) {
			w.must(err)
			kind, _, _ := strings.Cut(r.Stream, "-")
			last[kind+"-"] = r.Position.Commit
		}
		for name, prefixes := range map[string][]string{policies.Name: policies.Prefixes(), policies.MergesName: policies.MergesPrefixes(),
			policies.ClientsName: policies.ClientsPrefixes(), deadlines.Name: deadlines.Prefixes()} {
			at, err := projections.NewProgress(projections.ProgressConfig{Name: name, Pool: w.s.pools.Projector}).Position(w.Context())
			w.must(err)
			if slices.ContainsFunc(prefixes, func(p string) bool { return last[p] > at.Commit }) {
				return false
			}
		}
		return true
	})
}
