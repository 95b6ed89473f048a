package readapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/aggregates/commandapi"
	"waybill/events"
)

// organisation makes an organisation over HTTP and signs its owner in.
func (s *stack) organisation(t testing.TB, name string) person {
	t.Helper()
	email := strings.ToLower(name) + "-owner@example.com"
	a := person{s: s}.do(t, http.MethodPost, "/v1/organisations",
		fmt.Sprintf(`{"name": %q, "timezone": "Asia/Singapore", "owner": {"name": "Olivia Owner", "email": %q}}`, name, email),
		"Waybill-Setup-Token", setupToken)
	if a.status != http.StatusCreated {
		t.Fatalf("create organisation: %d %s", a.status, a.body)
	}
	var made commandapi.OrganisationMade
	a.into(t, &made)
	return s.enter(t, made.ID, made.Owner, access.RoleOwner)
}

// enter makes somebody active and signs it in without the work of a password.
func (s *stack) enter(t testing.TB, org, user uuid.UUID, role string) person {
	t.Helper()
	res, err := s.commands.AcceptInvitation(t.Context(), access.System(org), command.Envelope{}, command.AcceptInvitation{User: user})
	must(t, err)
	must(t, s.progress.Progress.Wait(t.Context(), res.Position))
	return s.open(t, org, user, role)
}

// open opens a session of an active user.
func (s *stack) open(t testing.TB, org, user uuid.UUID, role string) person {
	t.Helper()
	m := access.Membership{Org: org, User: user}
	must(t, s.pools.Identity.QueryRow(t.Context(), `SELECT identity_id FROM read.users WHERE user_id = $1`, user).Scan(&m.Identity))
	opened, err := s.access.OpenSession(t.Context(), m, events.Source{Portal: access.PortalOf(role)})
	must(t, err)
	return person{s, opened.Token.Reveal(), user}
}

// join follows a one-time link and signs in.
func (s *stack) join(t testing.TB, org, user uuid.UUID, email string) person {
	t.Helper()
	token := s.invitation(t, org, user, email)
	body := fmt.Sprintf(`{"token": %q, "email": %q, "password": %q}`, token, email, password)
	if a := (person{s: s}).do(t, http.MethodPost, "/v1/passwords", body); a.status != http.StatusOK || a.header.Get("Waybill-Position") == "" {
		t.Fatalf("set password: %d %s", a.status, a.body)
	}
	return s.signIn(t, email)
}

func (s *stack) invitation(t testing.TB, org, user uuid.UUID, email string) string {
	t.Helper()
	identity, err := s.access.Ensure(t.Context(), email)
	must(t, err)
	token, _, err := s.access.IssueToken(t.Context(), access.Ticket{Purpose: access.PurposeInvitation, Identity: identity, Org: org, User: user})
	must(t, err)
	return token.Reveal()
}

func (s *stack) signIn(t testing.TB, email string) person {
	t.Helper()
	a := person{s: s}.do(t, http.MethodPost, "/v1/sessions", fmt.Sprintf(`{"email": %q, "password": %q}`, email, password))
	if a.status != http.StatusCreated {
		t.Fatalf("sign in: %d %s", a.status, a.body)
	}
	var opened commandapi.SessionOpened
	a.into(t, &opened)
	return person{s, opened.Token, opened.User}
}

// org returns the organisation of somebody who is signed in.
func (p person) org(t testing.TB) uuid.UUID {
	t.Helper()
	var o struct {
		ID   uuid.UUID      `json:"id"`
		Rest map[string]any `json:",unknown"`
	}
	p.get(t, "/v1/organisation").into(t, &o)
	return o.ID
}

// add adds a user and signs it in. Members are the rest of the command's body.
func (p person) add(t testing.TB, name, role, members string) person {
	t.Helper()
	email := strings.ToLower(name) + "-" + uuid.NewString()[:8] + "@example.com"
	d := p.done(t, http.MethodPost, "/v1/users", fmt.Sprintf(`{"name": %q, "email": %q, "role": %q%s}`, name, email, role, members))
	return p.s.enter(t, p.org(t), d.ID, role)
}

// group creates a group.
func (p person) group(t testing.TB, name string) uuid.UUID {
	t.Helper()
	return p.done(t, http.MethodPost, "/v1/groups", fmt.Sprintf(`{"name": %q}`, name)).ID
}

// deliver creates a delivery and returns its id once it can be seen. A zero group
// leaves it untagged.
func (p person) deliver(t testing.TB, number, date string, group uuid.UUID) uuid.UUID {
	t.Helper()
	in := ""
	if group != uuid.Nil {
		in = fmt.Sprintf(`, "group": %q`, group)
	}
	d := p.done(t, http.MethodPost, "/v1/deliveries", fmt.Sprintf(
		`{"do_number": %q, "date": %q, "address": "1 Main Street", "recipient": "Rita", "items": [{"sku": "A-1", "quantity": 3, "unit": "box"}]%s}`, number, date, in))
	p.caughtUp(t, d.Position)
	return d.ID
}

// caughtUp waits until a position can be seen.
func (p person) caughtUp(t testing.TB, position string) {
	t.Helper()
	p.ok(t, "/v1/me", "Waybill-Position", position)
}

// fruit is the published example of who sees what.
type fruit struct {
	owner, adam, betty, ortega, vincent, wayne person
	apple, banana, orange                      uuid.UUID
	d                                          [4]uuid.UUID // of Apple, Banana, Orange, and untagged
}

// numbers are the D.O. numbers of the example's deliveries.
var numbers = [4]string{"DO-1", "DO-2", "DO-3", "DO-4"}

func newFruit(t testing.TB, s *stack) *fruit {
	t.Helper()
	f := &fruit{owner: s.organisation(t, "Fruit"+uuid.NewString()[:8])}
	f.owner.done(t, http.MethodPut, "/v1/settings/group-field", `{"enabled": true}`)
	f.apple, f.banana, f.orange = f.owner.group(t, "Apple"), f.owner.group(t, "Banana"), f.owner.group(t, "Orange")
	in := func(groups ...uuid.UUID) string {
		var quoted []string
		for _, g := range groups {
			quoted = append(quoted, `"`+g.String()+`"`)
		}
		return `, "groups": [` + strings.Join(quoted, ",") + `]`
	}
	f.adam = f.owner.add(t, "Adam", access.RoleCustomer, in(f.apple))
	f.betty = f.owner.add(t, "Betty", access.RoleCustomer, in(f.banana))
	f.ortega = f.owner.add(t, "Ortega", access.RoleCustomer, in(f.orange))
	f.vincent = f.owner.add(t, "Vincent", access.RoleManager, "")
	f.wayne = f.owner.add(t, "Wayne", access.RoleManager, in(f.apple, f.banana, f.orange))
	for i, g := range []uuid.UUID{f.apple, f.banana, f.orange, uuid.Nil} {
		f.d[i] = f.owner.deliver(t, numbers[i], "2026-03-02", g)
	}
	return f
}
