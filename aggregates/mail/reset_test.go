package mail_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"waybill/aggregates/commandapi"
	"waybill/aggregates/mail"
	"waybill/aggregates/problem"
)

// The answer is there before anybody has looked for an account: its time tells
// nothing.
func TestARequestForAnotherPasswordIsAnsweredBeforeAnythingIsLookedUp(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	registry := prometheus.NewRegistry()
	idle, err := commandapi.NewResets(commandapi.ResetsConfig{Commands: p.commands, Access: p.access, Queue: 2, Registry: registry})
	must(t, err) // and never runs
	routes, err := commandapi.Routes(commandapi.Config{Commands: p.commands, Access: p.access, Progress: p.progress, Problems: problem.NewRenderer(nil, uuid.New), Resets: idle})
	must(t, err)
	p.pools.Identity.Close() // nothing can be looked up
	for range 5 {
		for _, r := range routes {
			if r.Name != "requestPasswordReset" {
				continue
			}
			req := httptest.NewRequest("POST", r.Path, strings.NewReader(`{"email": "`+address("adam")+`"}`))
			req.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			if r.Handler.ServeHTTP(w, req); w.Code != http.StatusAccepted {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		}
	}
	if n := metric(t, registry, "waybill_password_resets_dropped_total", ""); n != 3 {
		t.Errorf("%v requests were dropped, want the three that had no room", n)
	}
}

func TestWhoAsksForAnotherPasswordIsToldNothing(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	p.deliver(t, nil)
	f := p.firm(t, "Fruit")
	people := map[string]string{}
	for _, name := range []string{"active", "invited", "blocked", "removed"} {
		email := address(name)
		id := f.add(t, name, email)
		people[name] = email
		if name != "invited" {
			p.use(t, linkOf(t, p, p.mailTo(t, email, 1)), password)
		}
		switch name {
		case "blocked":
			f.done(t, f.owner, "POST", "/v1/users/"+id.String()+"/block", "")
		case "removed":
			f.done(t, f.owner, "DELETE", "/v1/users/"+id.String(), "")
		}
	}
	people["unknown"] = address("unknown")
	p.settled(t)
	sent := map[string]int{}
	for name, email := range people {
		sent[name] = len(p.server.mails(email))
	}
	type answer struct {
		status int
		header string
		body   string
	}
	ask := func(email string) answer {
		status, header, body := p.call(t, "", "POST", "/v1/password-resets", fmt.Sprintf(`{"email": %q}`, email), nil)
		header.Del("Date")
		header.Del("Request-Id")
		header.Del("X-Request-Id")
		return answer{status, fmt.Sprint(header), body}
	}
	var first answer
	for range 12 { // more often than the limit allows
		for name, email := range people {
			got := ask(email)
			if first.status == 0 {
				first = got
			}
			if got != first || got.status != http.StatusAccepted || strings.Contains(got.body, email) {
				t.Fatalf("%s: %+v, want %+v", name, got, first)
			}
		}
	}
	// The requests are carried out in their order: when this one has been, all are.
	last := address("last")
	f.add(t, "last", last)
	p.use(t, linkOf(t, p, p.mailTo(t, last, 1)), password)
	ask(last)
	p.mailTo(t, last, 2)
	kinds := p.settled(t)
	for name, email := range people {
		more := len(p.server.mails(email)) - sent[name]
		if name == "active" && (more < 1 || more > 3) || name != "active" && more != 0 {
			t.Errorf("%s got %d mails", name, more)
		}
	}
	if n := len(kinds[mail.KindPasswordReset]); n != 4 {
		t.Errorf("%d requests are in the log, want three of who asked all the time and one of the other", n)
	}
	l := p.server.mails(people["active"])
	if status := p.use(t, linkOf(t, p, l[len(l)-1].letter(t)), "another good password"); status != http.StatusOK {
		t.Errorf("the last link: %d", status)
	}
	for _, wrong := range []string{`{"email": "nothing"}`, `{"email": ""}`, `{}`} {
		if status, _, _ := p.call(t, "", "POST", "/v1/password-resets", wrong, nil); status != http.StatusUnprocessableEntity && status != http.StatusBadRequest {
			t.Errorf("%s: %d", wrong, status)
		}
	}
	for _, path := range []string{"/forgot-password", "/forgot-password.js"} {
		if status, header, body := p.call(t, "", "GET", path, "", nil); status != http.StatusOK || body == "" || header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s: %d", path, status)
		}
	}
	if _, _, body := p.call(t, "", "GET", "/set-password", "", nil); !strings.Contains(body, `href="/forgot-password"`) {
		t.Error("the page behind a link does not say what to do without a password")
	}
}
