package readapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/commandapi"
	"waybill/readapi"
)

func (s *stack) credentials(t testing.TB, members string) answer {
	t.Helper()
	return person{s: s}.do(t, http.MethodPost, "/v1/sessions", members)
}

func TestFailedSignInsAreUniformOverHTTP(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	f := newFruit(t, s)
	var me readapi.Me
	f.adam.ok(t, "/v1/me").into(t, &me)
	invited := f.owner.done(t, "POST", "/v1/users", `{"name": "Ina", "email": "ina@example.com", "role": "manager"}`)
	if invited.ID == uuid.Nil {
		t.Fatal("no invited user")
	}
	var first answer
	for name, body := range map[string]string{
		"wrong password":        fmt.Sprintf(`{"email": %q, "password": "wrong horse"}`, *me.Email),
		"unknown e-mail":        `{"email": "nobody@example.com", "password": "wrong horse"}`,
		"invited, no password":  `{"email": "ina@example.com", "password": "wrong horse"}`,
		"another organisation":  fmt.Sprintf(`{"email": %q, "password": %q, "organisation": %q}`, *me.Email, password, uuid.New()),
		"no e-mail at all":      `{"email": "", "password": ""}`,
		"wrong and wrong place": fmt.Sprintf(`{"email": %q, "password": "wrong horse", "portal": "dispatcher"}`, *me.Email),
	} {
		a := s.credentials(t, body)
		if first.status == 0 {
			first = a
		}
		if a.status != http.StatusUnauthorized || a.body != first.body {
			t.Errorf("%s: %d %s, want %d %s", name, a.status, a.body, http.StatusUnauthorized, first.body)
		}
	}
}

func TestAOneTimeLinkWorksOnceAndOnlyForItsEmail(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	owner := s.organisation(t, "Links")
	ina := owner.done(t, "POST", "/v1/users", `{"name": "Ina", "email": "ina@example.com", "role": "manager"}`)
	token := s.invitation(t, owner.org(t), ina.ID, "ina@example.com")
	use := func(email, password string) answer {
		return person{s: s}.do(t, "POST", "/v1/passwords", fmt.Sprintf(`{"token": %q, "email": %q, "password": %q}`, token, email, password))
	}
	if a := use("eve@example.com", password); a.status != http.StatusUnprocessableEntity {
		t.Errorf("another e-mail: %d %s", a.status, a.body)
	}
	if a := use("ina@example.com", "short"); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, `"field":"password"`) {
		t.Errorf("a short password: %d %s", a.status, a.body)
	}
	if a := use("Ina@Example.com", password); a.status != http.StatusOK {
		t.Errorf("the first use: %d %s", a.status, a.body)
	}
	wrong, again := use("eve@example.com", password), use("ina@example.com", password)
	if again.status != http.StatusUnprocessableEntity || again.body != wrong.body {
		t.Errorf("the second use: %d %s, want the same as any wrong one: %s", again.status, again.body, wrong.body)
	}
	p := s.signIn(t, "ina@example.com")
	if p.get(t, "/v1/me").status != http.StatusOK {
		t.Error("who has set a password and signed in is somebody")
	}
	p.do(t, "DELETE", "/v1/sessions/current", "")
	if p.get(t, "/v1/me").status != http.StatusUnauthorized {
		t.Error("who has signed out is nobody")
	}
	one, two := s.signIn(t, "ina@example.com"), s.signIn(t, "ina@example.com")
	one.do(t, "DELETE", "/v1/sessions", "")
	if two.get(t, "/v1/me").status != http.StatusUnauthorized {
		t.Error("signing out everywhere ends all sessions")
	}
}

func TestAnIdentityOfSeveralOrganisationsSaysWhichAndNeedsNoSecondLink(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	one, two := s.organisation(t, "One"), s.organisation(t, "Two")
	user := `{"name": "Ina", "email": "ina@example.com", "role": "manager"}`
	first := one.done(t, "POST", "/v1/users", user)
	s.join(t, one.org(t), first.ID, "ina@example.com")
	second := two.done(t, "POST", "/v1/users", user)

	a := s.credentials(t, fmt.Sprintf(`{"email": "ina@example.com", "password": %q}`, password))
	if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, one.org(t).String()) || !strings.Contains(a.body, two.org(t).String()) {
		t.Errorf("without saying which: %d %s, want both named", a.status, a.body)
	}
	for org, user := range map[uuid.UUID]uuid.UUID{one.org(t): first.ID, two.org(t): second.ID} {
		a := s.credentials(t, fmt.Sprintf(`{"email": "ina@example.com", "password": %q, "organisation": %q}`, password, org))
		var opened commandapi.SessionOpened
		a.into(t, &opened)
		if opened.User != user || opened.Organisation != org {
			t.Errorf("signed in as %+v, want user %s", opened, user)
		}
	}
}

func TestEachPortalIsForItsOwnPeople(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	owner := s.organisation(t, "Portals")
	g := owner.group(t, "Apple")
	owner.add(t, "Adam", access.RoleCustomer, `, "groups": ["`+g.String()+`"]`)
	var users readapi.Users
	owner.ok(t, "/v1/users").into(t, &users)
	for _, u := range users.Users {
		right, wrong := access.PortalDispatcher, access.PortalClient
		if u.Role == access.RoleCustomer {
			right, wrong = wrong, right
		}
		body := fmt.Sprintf(`{"email": %q, "password": %q, "portal": `, *u.Email, password)
		if a := s.credentials(t, body+`"`+right+`"}`); a.status != http.StatusCreated {
			t.Errorf("%s on the portal %s: %d %s", u.Role, right, a.status, a.body)
		}
		if a := s.credentials(t, body+`"`+wrong+`"}`); a.status != http.StatusForbidden {
			t.Errorf("%s on the portal %s: %d %s", u.Role, wrong, a.status, a.body)
		}
	}
}

func TestEveryRouteButThePublicOnesNeedsASession(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	var first answer
	for _, rt := range s.routes {
		if rt.Public {
			continue
		}
		path := strings.NewReplacer("{id}", uuid.NewString(), "{group}", uuid.NewString(), "{code}", "A").Replace(rt.Path)
		for _, p := range []person{{s: s}, {s: s, token: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}, {s: s, token: "?"}} {
			a := p.do(t, rt.Method, path, "")
			if first.status == 0 {
				first = a
			}
			if a.status != http.StatusUnauthorized || a.body != first.body || a.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s %s: %d %s", rt.Method, path, a.status, a.body)
			}
		}
	}
}
