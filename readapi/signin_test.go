package readapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/commandapi"
)

func (s *stack) credentials(t testing.TB, members string) answer {
	t.Helper()
	return person{s: s}.do(t, http.MethodPost, "/v1/sessions", members)
}

func testFailedSignInsAreUniformOverHTTP(t *testing.T, s *stack) {
	owner := s.organisation(t, "Uniform")
	const email = "ulla-uniform@example.com"
	s.join(t, owner.org(t), owner.done(t, "POST", "/v1/users", `{"name": "Ulla", "email": "`+email+`", "role": "manager"}`).ID, email)
	owner.done(t, "POST", "/v1/users", `{"name": "Ina", "email": "ina-uniform@example.com", "role": "manager"}`)
	var first answer
	for name, body := range map[string]string{
		"wrong password":        fmt.Sprintf(`{"email": %q, "password": "wrong horse"}`, email),
		"unknown e-mail":        `{"email": "nobody@example.com", "password": "wrong horse"}`,
		"invited, no password":  `{"email": "ina-uniform@example.com", "password": "wrong horse"}`,
		"another organisation":  fmt.Sprintf(`{"email": %q, "password": %q, "organisation": %q}`, email, password, uuid.New()),
		"no e-mail at all":      `{"email": "", "password": ""}`,
		"wrong and wrong place": fmt.Sprintf(`{"email": %q, "password": "wrong horse", "portal": "dispatcher"}`, email),
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

func testAOneTimeLinkWorksOnceAndOnlyForItsEmail(t *testing.T, s *stack) {
	owner := s.organisation(t, "Links")
	ina := owner.done(t, "POST", "/v1/users", `{"name": "Ina", "email": "ina-links@example.com", "role": "manager"}`)
	token := s.invitation(t, owner.org(t), ina.ID, "ina-links@example.com")
	use := func(email, password string) answer {
		return person{s: s}.do(t, "POST", "/v1/passwords", fmt.Sprintf(`{"token": %q, "email": %q, "password": %q}`, token, email, password))
	}
	if a := use("eve@example.com", password); a.status != http.StatusUnprocessableEntity {
		t.Errorf("another e-mail: %d %s", a.status, a.body)
	}
	if a := use("ina-links@example.com", "short"); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, `"field":"password"`) {
		t.Errorf("a short password: %d %s", a.status, a.body)
	}
	if a := use("Ina-Links@Example.com", password); a.status != http.StatusOK {
		t.Errorf("the first use: %d %s", a.status, a.body)
	}
	wrong, again := use("eve@example.com", password), use("ina-links@example.com", password)
	if again.status != http.StatusUnprocessableEntity || again.body != wrong.body {
		t.Errorf("the second use: %d %s, want the same as any wrong one: %s", again.status, again.body, wrong.body)
	}
	p := s.signIn(t, "ina-links@example.com")
	if p.get(t, "/v1/me").status != http.StatusOK {
		t.Error("who has set a password and signed in is somebody")
	}
	p.do(t, "DELETE", "/v1/sessions/current", "")
	if p.get(t, "/v1/me").status != http.StatusUnauthorized {
		t.Error("who has signed out is nobody")
	}
	one, two := s.signIn(t, "ina-links@example.com"), s.signIn(t, "ina-links@example.com")
	one.do(t, "DELETE", "/v1/sessions", "")
	if two.get(t, "/v1/me").status != http.StatusUnauthorized {
		t.Error("signing out everywhere ends all sessions")
	}
}

func testAnIdentityOfSeveralOrganisationsSaysWhichAndNeedsNoSecondLink(t *testing.T, s *stack) {
	one, two := s.organisation(t, "One"), s.organisation(t, "Two")
	user := `{"name": "Ina", "email": "ina-several@example.com", "role": "manager"}`
	first := one.done(t, "POST", "/v1/users", user)
	s.join(t, one.org(t), first.ID, "ina-several@example.com")
	second := two.done(t, "POST", "/v1/users", user)

	a := s.credentials(t, fmt.Sprintf(`{"email": "ina-several@example.com", "password": %q}`, password))
	if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, one.org(t).String()) || !strings.Contains(a.body, two.org(t).String()) {
		t.Errorf("without saying which: %d %s, want both named", a.status, a.body)
	}
	for org, user := range map[uuid.UUID]uuid.UUID{one.org(t): first.ID, two.org(t): second.ID} {
		a := s.credentials(t, fmt.Sprintf(`{"email": "ina-several@example.com", "password": %q, "organisation": %q}`, password, org))
		var opened commandapi.SessionOpened
		a.into(t, &opened)
		if opened.User != user || opened.Organisation != org {
			t.Errorf("signed in as %+v, want user %s", opened, user)
		}
	}
}

func testEachPortalIsForItsOwnPeople(t *testing.T, s *stack) {
	owner := s.organisation(t, "Portals")
	for role, portals := range map[string][2]string{
		access.RoleCustomer: {access.PortalClient, access.PortalDispatcher},
		access.RoleCSO:      {access.PortalDispatcher, access.PortalClient},
	} {
		email := role + "-portals@example.com"
		user := owner.done(t, "POST", "/v1/users", fmt.Sprintf(`{"name": "Pia", "email": %q, "role": %q, "access": "none"}`, email, role))
		s.join(t, owner.org(t), user.ID, email)
		body := fmt.Sprintf(`{"email": %q, "password": %q, "portal": `, email, password)
		if a := s.credentials(t, body+`"`+portals[0]+`"}`); a.status != http.StatusCreated {
			t.Errorf("%s on the portal %s: %d %s", role, portals[0], a.status, a.body)
		}
		wrong := s.credentials(t, fmt.Sprintf(`{"email": %q, "password": "wrong horse", "portal": %q}`, email, portals[0]))
		if a := s.credentials(t, body+`"`+portals[1]+`"}`); a.status != http.StatusUnauthorized || a.body != wrong.body {
			t.Errorf("%s on the portal %s: %d %s, want the answer to a wrong password: %s", role, portals[1], a.status, a.body, wrong.body)
		}
	}
}

func testEveryRouteButThePublicOnesNeedsASession(t *testing.T, s *stack) {
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
