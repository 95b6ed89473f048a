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

func TestClientsOverHTTP(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	for rule, test := range map[string]func(*testing.T, *stack){
		"AClientGetsAnAccountOnItsBehalfAndItsPeopleLogIn":         testAClientGetsAnAccountOnItsBehalfAndItsPeopleLogIn,
		"AClientAcceptsAnInvitationAndChoosesItsOwnCredentials":    testAClientAcceptsAnInvitationAndChoosesItsOwnCredentials,
		"WhateverIsWrongWithAnInvitationLooksTheSame":              testWhateverIsWrongWithAnInvitationLooksTheSame,
		"ASignedInPersonAcceptsWithoutAnotherPassword":             testASignedInPersonAcceptsWithoutAnotherPassword,
		"AnInvitationIsDeclinedOnce":                               testAnInvitationIsDeclinedOnce,
		"ClientsAreForThoseWhoSeeThemAndTheirVerbsForThoseWhoMay":  testClientsAreForThoseWhoSeeThemAndTheirVerbsForThoseWhoMay,
		"ListsOfClientsAreNarrowedWithoutTellingMore":              testListsOfClientsAreNarrowedWithoutTellingMore,
		"ARemovedClientsPeopleReadOrNotAndAReinstatedOneComesBack": testARemovedClientsPeopleReadOrNotAndAReinstatedOneComesBack,
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			test(t, s)
		})
	}
}

// grove is an organisation with a client, its group with a delivery, and a
// dispatcher who looks after it.
type grove struct {
	s                   *stack
	org                 uuid.UUID
	owner, dana         person
	client, group, drop uuid.UUID
	email               string
}

func newGrove(t *testing.T, s *stack) *grove {
	t.Helper()
	g := &grove{s: s, owner: s.organisation(t, "Grove"+uuid.NewString()[:8]), email: "carl-" + uuid.NewString()[:8] + "@example.com"}
	g.org = g.owner.org(t)
	g.owner.done(t, http.MethodPut, "/v1/settings/group-field", `{"enabled": true}`)
	g.dana = g.owner.add(t, "Dana", access.RoleDispatcher, `, "access": "none"`)
	a := g.owner.do(t, http.MethodPost, "/v1/clients", fmt.Sprintf(
		`{"business_name": "Cherry Ltd", "contact": "Carl", "email": %q, "dispatcher": %q, "group_name": "Cherry"}`, g.email, g.dana.user))
	var made commandapi.ClientMade
	a.into(t, &made)
	g.client, g.group = made.ID, made.Group
	g.drop = g.owner.deliver(t, "D5", "2026-03-10", g.group)
	return g
}

func (g *grove) path(rest string) string { return "/v1/clients/" + g.client.String() + rest }

func (g *grove) seen(t *testing.T, who person) readapi.Client {
	t.Helper()
	var c readapi.Client
	who.ok(t, g.path("")).into(t, &c)
	return c
}

// invite invites the client and returns a token of the invitation.
func (g *grove) invite(t *testing.T) string {
	t.Helper()
	return g.link(t, g.owner.done(t, http.MethodPost, g.path("/invitation"), "").ID)
}

func (g *grove) link(t *testing.T, invitation uuid.UUID) string {
	t.Helper()
	identity, err := g.s.access.Ensure(t.Context(), g.email)
	must(t, err)
	token, _, err := g.s.access.IssueToken(t.Context(), access.Ticket{
		Purpose: access.PurposeClientInvitation, Identity: identity, Org: g.org, Client: g.client, Invitation: invitation,
	})
	must(t, err)
	return token.Reveal()
}

func (g *grove) answer(t *testing.T, verb, token, email, rest string, headers ...string) answer {
	t.Helper()
	return person{s: g.s}.do(t, http.MethodPost, "/v1/client-invitations/"+verb, fmt.Sprintf(`{"token": %q, "email": %q%s}`, token, email, rest), headers...)
}

const chosen = `, "password": "` + password + `"`

// accept makes the account by invitation and signs its contact in.
func (g *grove) accept(t *testing.T) person {
	t.Helper()
	if a := g.answer(t, "accept", g.invite(t), g.email, chosen); a.status != http.StatusOK || a.header.Get("Waybill-Position") == "" {
		t.Fatalf("accept: %d %s", a.status, a.body)
	}
	return g.s.signIn(t, g.email)
}

func (g *grove) delivery() string { return "/v1/deliveries/" + g.drop.String() }

func wantStatus(t *testing.T, what string, a answer, want int) {
	t.Helper()
	if a.status != want {
		t.Errorf("%s: %d %s, want %d", what, a.status, a.body, want)
	}
}

func testAClientGetsAnAccountOnItsBehalfAndItsPeopleLogIn(t *testing.T, s *stack) {
	g := newGrove(t, s)
	if c := g.seen(t, g.owner); c.Status != "added" || c.Mode != "" || c.Dispatcher == nil || *c.Dispatcher != g.dana.user {
		t.Errorf("the client in the list is %+v", c)
	}
	var draft readapi.AccountDraft
	a := g.owner.ok(t, g.path("/account-draft"))
	a.into(t, &draft)
	if draft.BusinessName != "Cherry Ltd" || *draft.Email != g.email || *draft.Contact != "Carl" || *draft.Phone != "" || draft.Group == nil || draft.GroupName != "" {
		t.Errorf("the draft is %s", a.body)
	}
	details := fmt.Sprintf(`{"business_name": "Cherry & Sons", "contact": "Carl", "email": %q}`, g.email)
	wantStatus(t, "a blind write", g.owner.do(t, http.MethodPut, g.path(""), details), http.StatusPreconditionRequired)
	wantStatus(t, "a stale write", g.owner.do(t, http.MethodPut, g.path(""), details, "If-Match", `"0"`), http.StatusPreconditionFailed)
	g.owner.done(t, http.MethodPut, g.path(""), details, "If-Match", a.header.Get("ETag"))
	wantStatus(t, "before the account", g.dana.get(t, g.delivery()), http.StatusNotFound)

	a = g.owner.do(t, http.MethodPost, g.path("/account"), `{"phone": "+44 1632 960001"}`)
	wantStatus(t, "account", a, http.StatusCreated)
	var made commandapi.ClientAccountMade
	a.into(t, &made)
	if made.Group != g.group || a.header.Get("Waybill-Visible") != "now" {
		t.Errorf("the account is %s, visible %q", a.body, a.header.Get("Waybill-Visible"))
	}
	c := g.seen(t, g.owner)
	if c.Status != "active" || c.Mode != "on_behalf" || c.Approval != "not_required" || c.BusinessName != "Cherry & Sons" || *c.Phone != "+44 1632 960001" || c.User == nil || *c.User != made.User {
		t.Errorf("the client is %+v", c)
	}
	g.dana.ok(t, g.delivery())
	carl := s.join(t, g.org, made.User, g.email)
	carl.ok(t, g.delivery())
	if c := g.seen(t, carl); c.Dispatcher != nil || c.User == nil {
		t.Errorf("the client sees itself as %+v", c)
	}
	for portal, want := range map[string]bool{access.PortalClient: true, access.PortalDispatcher: false} {
		a := person{s: s}.do(t, http.MethodPost, "/v1/sessions", fmt.Sprintf(`{"email": %q, "password": %q, "portal": %q}`, g.email, password, portal))
		if (a.status == http.StatusCreated) != want {
			t.Errorf("portal %s: %d %s", portal, a.status, a.body)
		}
	}
	wantStatus(t, "twice", g.owner.do(t, http.MethodPost, g.path("/account"), ""), http.StatusConflict)
	wantStatus(t, "invited after all", g.owner.do(t, http.MethodPost, g.path("/invitation"), ""), http.StatusConflict)
}

func testAClientAcceptsAnInvitationAndChoosesItsOwnCredentials(t *testing.T, s *stack) {
	g := newGrove(t, s)
	token := g.invite(t)
	if c := g.seen(t, g.owner); c.Status != "invited" || c.Invitation == nil || c.Invitation.State != "open" || c.Invitation.ExpiresAt.IsZero() {
		t.Errorf("the invited client is %+v", c)
	}
	wantStatus(t, "a bad password", g.answer(t, "accept", token, g.email, `, "password": "short"`), http.StatusUnprocessableEntity)
	wantStatus(t, "set as a password", person{s: s}.do(t, http.MethodPost, "/v1/passwords", fmt.Sprintf(`{"token": %q, "email": %q%s}`, token, g.email, chosen)), http.StatusUnprocessableEntity)
	wantStatus(t, "a wrong e-mail", g.answer(t, "accept", token, "frank@example.com", chosen), http.StatusUnprocessableEntity)
	a := g.answer(t, "accept", token, strings.ToUpper(g.email), chosen)
	wantStatus(t, "accept", a, http.StatusOK)
	var made commandapi.ClientAccepted
	a.into(t, &made)
	carl := s.signIn(t, g.email)
	if carl.user != made.User || made.Organisation != g.org {
		t.Errorf("accepted as %+v, signed in as %s", made, carl.user)
	}
	if c := g.seen(t, g.owner); c.Status != "active" || c.Mode != "invited" || c.Approval != "granted" || c.Invitation.State != "accepted" {
		t.Errorf("the client is %+v", c)
	}
	carl.ok(t, g.delivery())
	g.dana.ok(t, g.delivery())

	g.owner.do(t, http.MethodDelete, g.path("/approval"), "")
	wantStatus(t, "withdrawn by the owner", g.owner.do(t, http.MethodDelete, g.path("/approval"), ""), http.StatusForbidden)
	carl.done(t, http.MethodDelete, g.path("/approval"), `{"reason": "moving dispatch in-house"}`)
	wantStatus(t, "the dispatcher, withdrawn", g.dana.get(t, g.delivery()), http.StatusNotFound)
	wantStatus(t, "work, withdrawn", g.owner.do(t, http.MethodPost, g.delivery()+"/dispatch", `{}`), http.StatusConflict)
	carl.ok(t, g.delivery())
	g.owner.ok(t, g.delivery())
	if c := g.seen(t, carl); c.Status != "approval_withdrawn" || c.Approval != "withdrawn" {
		t.Errorf("the client is %+v", c)
	}
	carl.done(t, http.MethodPut, g.path("/approval"), "")
	g.dana.ok(t, g.delivery())
	wantStatus(t, "work, approved again", g.dana.do(t, http.MethodPost, g.delivery()+"/dispatch", `{}`), http.StatusOK)
}

func testWhateverIsWrongWithAnInvitationLooksTheSame(t *testing.T, s *stack) {
	cases := map[string]func(*grove) (token, email string){
		"made up":        func(g *grove) (string, string) { return strings.Repeat("A", 43), g.email },
		"no token":       func(g *grove) (string, string) { return "x", g.email },
		"a wrong e-mail": func(g *grove) (string, string) { return g.invite(t), "frank@example.com" },
		"revoked": func(g *grove) (string, string) {
			token := g.invite(t)
			g.owner.done(t, http.MethodDelete, g.path("/invitation"), "")
			return token, g.email
		},
		"superseded": func(g *grove) (string, string) {
			token := g.invite(t)
			g.link(t, g.owner.done(t, http.MethodPost, g.path("/invitation/resend"), "").ID)
			return token, g.email
		},
		"used": func(g *grove) (string, string) {
			token := g.invite(t)
			wantStatus(t, "accept", g.answer(t, "accept", token, g.email, chosen), http.StatusOK)
			return token, g.email
		},
		"expired": func(g *grove) (string, string) {
			token := g.invite(t)
			_, err := s.pools.Identity.Exec(t.Context(), `UPDATE identity.tokens SET expires_at = now() WHERE client_id = $1`, g.client)
			must(t, err)
			return token, g.email
		},
		"closed by an account": func(g *grove) (string, string) {
			token := g.invite(t)
			g.owner.done(t, http.MethodPost, g.path("/account"), "")
			return token, g.email
		},
		"of a removed client": func(g *grove) (string, string) {
			token := g.invite(t)
			g.owner.done(t, http.MethodDelete, g.path(""), "")
			return token, g.email
		},
		"of another purpose": func(g *grove) (string, string) {
			return s.invitation(t, g.org, g.dana.user, g.email), g.email
		},
	}
	answers := map[string][]string{}
	for name, wrong := range cases {
		g := newGrove(t, s)
		token, email := wrong(g)
		for verb, rest := range map[string]string{"accept": chosen, "decline": ""} {
			a := g.answer(t, verb, token, email, rest)
			key := fmt.Sprint(a.status, " ", a.body)
			answers[key] = append(answers[key], verb+" "+name)
		}
	}
	if len(answers) != 1 {
		t.Errorf("there are %d different answers: %q", len(answers), answers)
	}
}

func testASignedInPersonAcceptsWithoutAnotherPassword(t *testing.T, s *stack) {
	elsewhere := newGrove(t, s)
	carl := elsewhere.accept(t)
	g := newGrove(t, s)
	g.owner.done(t, http.MethodPut, g.path(""), fmt.Sprintf(`{"business_name": "Cherry Ltd", "email": %q}`, elsewhere.email), "If-Match", g.owner.ok(t, g.path("")).header.Get("ETag"))
	g.email = elsewhere.email
	token := g.invite(t)
	wantStatus(t, "nobody signed in", g.answer(t, "accept", token, g.email, ""), http.StatusUnprocessableEntity)
	wantStatus(t, "somebody else", g.answer(t, "accept", token, g.email, "", "Authorization", "Bearer "+g.dana.token), http.StatusUnprocessableEntity)
	wantStatus(t, "the person", g.answer(t, "accept", token, g.email, "", "Authorization", "Bearer "+carl.token), http.StatusOK)
	carl.ok(t, elsewhere.delivery()) // the session goes on
	a := person{s: s}.do(t, http.MethodPost, "/v1/sessions", fmt.Sprintf(`{"email": %q, "password": %q, "organisation": %q}`, g.email, password, g.org))
	wantStatus(t, "sign in", a, http.StatusCreated)
	var opened commandapi.SessionOpened
	a.into(t, &opened)
	(person{s, opened.Token, opened.User}).ok(t, g.delivery())
}

func testAnInvitationIsDeclinedOnce(t *testing.T, s *stack) {
	g := newGrove(t, s)
	token := g.invite(t)
	declined := g.answer(t, "decline", token, g.email, "")
	wantStatus(t, "decline", declined, http.StatusNoContent)
	wantStatus(t, "accept after all", g.answer(t, "accept", token, g.email, chosen), http.StatusUnprocessableEntity)
	g.owner.caughtUp(t, declined.header.Get("Waybill-Position"))
	if c := g.seen(t, g.owner); c.Status != "added" || c.Invitation.State != "declined" {
		t.Errorf("the client is %+v", c)
	}
	g.accept(t) // another invitation
}

func testClientsAreForThoseWhoSeeThemAndTheirVerbsForThoseWhoMay(t *testing.T, s *stack) {
	g := newGrove(t, s)
	carl := g.accept(t)
	other := g.owner.group(t, "Other")
	manager := g.owner.add(t, "Moira", access.RoleManager, `, "groups": ["`+other.String()+`"]`)
	stranger := s.organisation(t, "Stranger"+uuid.NewString()[:8])
	routes := []struct{ method, path, body string }{
		{"GET", "/account-draft", ""}, {"PUT", "", `{"business_name": "X", "email": "x@example.com"}`}, {"DELETE", "", ""}, {"POST", "/reinstate", ""},
		{"POST", "/group", `{"group_name": "X"}`}, {"POST", "/account", ""}, {"POST", "/invitation", ""}, {"POST", "/invitation/resend", ""},
		{"DELETE", "/invitation", ""}, {"PUT", "/dispatcher", `{"dispatcher": "` + g.dana.user.String() + `"}`}, {"DELETE", "/dispatcher", ""},
		{"DELETE", "/approval", ""}, {"PUT", "/approval", ""},
	}
	for _, r := range routes {
		for name, who := range map[string]person{"another organisation": stranger, "another group": manager} {
			a := who.do(t, r.method, g.path(r.path), r.body, "If-Match", `"1"`)
			none := who.do(t, r.method, "/v1/clients/"+uuid.NewString()+r.path, r.body, "If-Match", `"1"`)
			if a.status != http.StatusNotFound || a.body != none.body || a.header.Get("ETag") != "" {
				t.Errorf("%s %s by %s: %d %s, and of nothing %s", r.method, r.path, name, a.status, a.body, none.body)
			}
		}
		if r.path == "/approval" {
			wantStatus(t, r.method+" "+r.path+" by the dispatcher", g.dana.do(t, r.method, g.path(r.path), r.body), http.StatusForbidden)
			continue
		}
		for name, who := range map[string]person{"the client": carl, "the dispatcher": g.dana} {
			wantStatus(t, r.method+" "+r.path+" by "+name, who.do(t, r.method, g.path(r.path), r.body, "If-Match", `"1"`), http.StatusForbidden)
		}
	}
	if c := g.seen(t, g.owner); c.Status != "active" || c.BusinessName != "Cherry Ltd" {
		t.Errorf("the client is %+v", c)
	}
}

func testListsOfClientsAreNarrowedWithoutTellingMore(t *testing.T, s *stack) {
	g := newGrove(t, s)
	more := func(name, members string) uuid.UUID {
		return g.owner.done(t, http.MethodPost, "/v1/clients", fmt.Sprintf(`{"business_name": %q, "email": "x@example.com"%s}`, name, members)).ID
	}
	damson := more("Damson", "")
	gone := more("Elder", "")
	g.owner.done(t, http.MethodDelete, "/v1/clients/"+gone.String(), "")
	names := func(who person, query string) string {
		t.Helper()
		var page readapi.Clients
		who.ok(t, "/v1/clients"+query).into(t, &page)
		var out []string
		for _, c := range page.Clients {
			out = append(out, c.BusinessName)
		}
		return strings.Join(out, ", ")
	}
	viewer := g.owner.add(t, "Vera", access.RoleCSO, `, "groups": ["`+g.group.String()+`"]`)
	for _, tc := range []struct {
		who         person
		query, want string
	}{
		{g.owner, "", "Cherry Ltd, Damson"}, {g.owner, "?status=added", "Cherry Ltd, Damson"}, {g.owner, "?status=removed", "Elder"},
		{g.owner, "?status=active", ""}, {g.owner, "?dispatcher=" + g.dana.user.String(), "Cherry Ltd"}, {g.owner, "?dispatcher=none", "Damson"},
		{g.owner, "?status=removed&dispatcher=none", "Elder"},
		{g.dana, "", "Cherry Ltd"}, {g.dana, "?dispatcher=" + g.dana.user.String(), "Cherry Ltd"}, {g.dana, "?dispatcher=none", ""},
		{viewer, "", "Cherry Ltd"}, {viewer, "?dispatcher=" + g.dana.user.String(), ""}, {viewer, "?dispatcher=none", ""},
	} {
		if got := names(tc.who, tc.query); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.query, got, tc.want)
		}
	}
	for _, query := range []string{"?status=lost", "?dispatcher=dana", "?mode=x"} {
		wantStatus(t, query, g.owner.get(t, "/v1/clients"+query), http.StatusBadRequest)
	}
	g.owner.done(t, http.MethodPut, "/v1/clients/"+damson.String()+"/dispatcher", `{"dispatcher": "`+g.dana.user.String()+`"}`)
	if got := names(g.dana, ""); got != "Cherry Ltd, Damson" {
		t.Errorf("the dispatcher of both sees %q", got)
	}
	g.owner.done(t, http.MethodDelete, g.path("/dispatcher"), "")
	if got := names(g.dana, ""); got != "Damson" {
		t.Errorf("the dispatcher of one sees %q", got)
	}
}

func testARemovedClientsPeopleReadOrNotAndAReinstatedOneComesBack(t *testing.T, s *stack) {
	for fate, body := range map[string]string{"kept_by_client": "", "ended": `{"fate": "ended"}`} {
		g := newGrove(t, s)
		carl := g.accept(t)
		g.owner.done(t, http.MethodDelete, g.path(""), body)
		if c := g.seen(t, g.owner); c.Status != "removed" || c.Fate != fate {
			t.Errorf("the removed client is %+v, want fate %s", c, fate)
		}
		if want := map[string]int{"kept_by_client": http.StatusOK, "ended": http.StatusUnauthorized}[fate]; carl.get(t, g.delivery()).status != want {
			t.Errorf("fate %s: the client's people get %d, want %d", fate, carl.get(t, g.delivery()).status, want)
		}
		wantStatus(t, "its dispatcher", g.dana.get(t, g.delivery()), http.StatusNotFound)
		wantStatus(t, "work", g.owner.do(t, http.MethodPost, g.delivery()+"/dispatch", `{}`), http.StatusConflict)
		g.owner.done(t, http.MethodPost, g.path("/reinstate"), "")
		if c := g.seen(t, g.owner); c.Status != "active" || c.Fate != "" {
			t.Errorf("the reinstated client is %+v", c)
		}
		s.signIn(t, g.email).ok(t, g.delivery())
		g.dana.ok(t, g.delivery())
	}
}
