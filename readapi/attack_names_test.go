package readapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates/commandapi"
	"waybill/readapi"
)

// betweenGroups says whether somebody may everything, sees what everybody sees, and
// nothing of what is hidden.
func (a *attacker) betweenGroups() bool {
	return a.may && !a.all && slices.Contains(a.marks, markHidden) && !slices.Contains(a.marks, markMine)
}

// conflicts takes names that are taken, by what one sees and by what one does not.
func (tb *table) conflicts(t *testing.T, attackers []*attacker) {
	g := tb.g
	email := func(id string) string {
		u := exactly[readapi.User](t, g.owner.ok(t, "/v1/users/"+id))
		return *u.Email
	}
	colleague, member := email(g.own[aUser][0]), email(g.secret[aUser][0])
	for what, try := range map[string]struct {
		method, path, body string
		taken              []string // first by what is seen
	}{
		"a group's name":       {"POST", "/v1/groups", `{"name": "%"}`, []string{markMine + " One", markHidden + " 1 Group", markOld + " Archived"}},
		"another name":         {"POST", "/v1/groups/" + g.mine.String() + "/rename", `{"name": "%"}`, []string{markMine + " Two", markHidden + " 1 Group", markOld + " Archived"}},
		"a new client's group": {"POST", "/v1/clients", `{"business_name": "Probe", "email": "probe@example.com", "group_name": "%"}`, []string{markMine + " One", markHidden + " 1 Group"}},
		"a customer code":      {"PUT", "/v1/customer-codes/%", `{"group": "` + g.mine2.String() + `"}`, []string{g.own[aCode][0], g.secret[aCode][0], g.beyond[aCode][0]}},
		"an e-mail": {"POST", "/v1/users", `{"name": "Probe", "email": "%", "role": "cso", "groups": ["` + g.mine.String() + `"]}`,
			[]string{colleague, member, email(g.beyond[aUser][0])}},
		"a contact's e-mail": {"POST", "/v1/clients/" + g.own[aClient][0] + "/account", `{"email": "%"}`,
			[]string{colleague, member, email(g.secret[aUser][1]), email(g.beyond[aUser][0])}}, // a customer among them
	} {
		for _, a := range attackers {
			if !a.betweenGroups() {
				continue
			}
			var first string
			for _, name := range try.taken {
				put := func(text string) string { return strings.ReplaceAll(text, "%", name) }
				tb.cells.Add(1)
				got := a.do(t, try.method, strings.ReplaceAll(put(try.path), " ", "%20"), put(try.body))
				got.header.Del("Content-Length")
				text := told(got, []string{name})
				if first == "" {
					first = text
				}
				if got.status != http.StatusConflict || text != first {
					t.Errorf("%s as %s, taken by %s:\n%s\n\nby what one sees:\n%s", what, a.name, name, text, first)
				}
				if found := tb.leaks(a, text, put(try.path+try.body)); len(found) > 0 {
					t.Errorf("%s as %s tells of %q: %s", what, a.name, found, text)
				}
			}
		}
	}
}

// freeNames takes D.O. numbers, codes and keys of others, which are as free as any.
func (tb *table) freeNames(t *testing.T, attackers []*attacker) {
	g := tb.g
	key := uuid.NewString()
	hold := "/v1/deliveries/" + g.secret[aDelivery][0] + "/hold"
	g.owner.done(t, http.MethodPost, hold, `{"reason": "x"}`, "Idempotency-Key", key)
	spaces := g.own[aGroup]
	for _, a := range attackers {
		if !a.betweenGroups() {
			continue
		}
		if len(spaces) > 0 {
			got := a.do(t, http.MethodPost, "/v1/deliveries", fmt.Sprintf(`{"do_number": "%s-1", "date": "2026-03-02", "group": %q}`, markHidden, spaces[0]))
			wantStatus(t, a.name+" takes a D.O. number that another group has", got, http.StatusCreated)
			spaces = spaces[1:]
		}
		var reports []string
		for _, code := range []string{g.secret[aCode][0], g.beyond[aCode][0], "NOBODYSCODE1"} {
			got := a.do(t, http.MethodPost, "/v1/imports?filename=a.csv", "Customer Code,D.O. Number,Date\n"+code+",PROBE-1,2026-03-02\n", "Content-Type", "text/csv")
			if report := exactly[commandapi.Imported](t, got); report.Rejected != 1 {
				t.Errorf("%s imports for the code %s: %s", a.name, code, got.body)
			}
			reports = append(reports, strings.ReplaceAll(got.body, code, "<it>"))
		}
		if reports[0] != reports[2] || reports[1] != reports[2] {
			t.Errorf("%s learns of codes by importing: %q", a.name, reports)
		}
		if got := a.do(t, http.MethodPost, hold, `{"reason": "x"}`, "Idempotency-Key", key); got.status != http.StatusNotFound || got.header.Get("Idempotency-Replayed") != "" {
			t.Errorf("%s with the owner's key gets %d %s", a.name, got.status, got.body)
		}
		tb.cells.Add(5)
	}
}
