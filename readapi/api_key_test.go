package readapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates/commandapi"
	"waybill/readapi"
)

// key makes an API key and returns who acts with it.
func (p person) key(t *testing.T, rest string) (person, uuid.UUID) {
	t.Helper()
	a := p.do(t, "POST", "/v1/api-keys", `{"name": "WMS"`+rest+`}`)
	if a.status != http.StatusCreated {
		t.Fatalf("make an API key: %d %s", a.status, a.body)
	}
	made := exactly[commandapi.APIKeyMade](t, a)
	if !strings.HasPrefix(made.Key, "wbk_") {
		t.Error("an API key must be recognised as one")
	}
	return person{s: p.s, token: made.Key, user: p.user}, made.ID
}

func testAnAPIKeyNeverHasMoreThanItsUser(t *testing.T, s *stack) {
	f := newFruit(t, s)
	ann := f.owner.add(t, "Ann", "manager", `, "groups": ["`+f.apple.String()+`", "`+f.banana.String()+`"]`)
	count := func(p person) int { return len(p.deliveries(t, "/v1/deliveries").Deliveries) }
	apples := count(f.adam)
	whole, _ := ann.key(t, "")
	narrow, narrowID := ann.key(t, `, "groups": ["`+f.apple.String()+`"], "permissions": ["manage_users"]`)
	nothing, _ := ann.key(t, `, "groups": [], "permissions": []`)
	owners, _ := f.owner.key(t, `, "groups": ["`+f.apple.String()+`"], "permissions": ["manage_users", "manage_groups"]`)
	if count(whole) != count(ann) || count(narrow) != apples || count(nothing) != 0 || count(owners) != apples {
		t.Errorf("keys see %d, %d, %d and %d deliveries, want %d, %d, 0 and %d", count(whole), count(narrow), count(nothing), count(owners), count(ann), apples, apples)
	}
	wantStatus(t, "what the key sees not, by id", narrow.get(t, "/v1/deliveries/"+f.d[1].String()), http.StatusNotFound)
	wantStatus(t, "what the user may and the key may not", narrow.do(t, "POST", "/v1/groups", `{"name": "Kiwi"}`), http.StatusForbidden)
	for _, role := range []string{"owner", "super_admin", "manager"} {
		a := owners.do(t, "POST", "/v1/users", `{"name": "Eve", "email": "eve-`+role+`@example.com", "role": "`+role+`", "groups": ["`+f.apple.String()+`"]}`)
		if a.status != http.StatusForbidden && a.status != http.StatusUnprocessableEntity {
			t.Errorf("an owner's key of less makes a user %s: %d %s", role, a.status, a.body)
		}
	}
	wantStatus(t, "a permission that is not one's own", ann.do(t, "POST", "/v1/api-keys", `{"name": "x", "permissions": ["grant_all_access"]}`), http.StatusForbidden)
	wantStatus(t, "a group that is not one's own", ann.do(t, "POST", "/v1/api-keys", `{"name": "x", "groups": ["`+f.orange.String()+`"]}`), http.StatusNotFound)
	for _, path := range []string{"GET /v1/sessions", "GET /v1/api-keys", "DELETE /v1/sessions", "DELETE /v1/sessions/current", "DELETE /v1/api-keys/" + narrowID.String()} {
		method, path, _ := strings.Cut(path, " ")
		wantStatus(t, "a key at "+path, whole.do(t, method, path, ""), http.StatusForbidden)
	}
	wantStatus(t, "somebody else's key", f.adam.do(t, "DELETE", "/v1/api-keys/"+narrowID.String(), ""), http.StatusNotFound)

	f.owner.done(t, "DELETE", "/v1/users/"+ann.user.String()+"/groups/"+f.apple.String(), "")
	if count(narrow) != 0 || count(whole) != count(ann) {
		t.Error("what the user loses, its keys lose at the very next request")
	}
	if keys := exactly[commandapi.APIKeys](t, ann.get(t, "/v1/api-keys")).Keys; len(keys) != 3 || keys[1].ID != narrowID || keys[1].LastUsedAt.IsZero() {
		t.Errorf("keys %+v", keys)
	}
	wantStatus(t, "revoke", ann.do(t, "DELETE", "/v1/api-keys/"+narrowID.String(), ""), http.StatusNoContent)
	wantStatus(t, "a revoked key", narrow.get(t, "/v1/me"), http.StatusUnauthorized)
	f.owner.done(t, "POST", "/v1/users/"+ann.user.String()+"/block", "")
	wantStatus(t, "a blocked user's key", whole.get(t, "/v1/me"), http.StatusUnauthorized)
}

func testAKeyForSomeGroupsSeesNothingForBeingItsUser(t *testing.T, s *stack) {
	f := newFruit(t, s)
	doris := f.owner.add(t, "Doris", "dispatcher", `, "groups": ["`+f.apple.String()+`"]`)
	add := func(name, rest string) commandapi.Done {
		return f.owner.done(t, "POST", "/v1/clients", `{"business_name": "`+name+`", "email": "`+strings.ToLower(name)+`@example.com"`+rest+`}`)
	}
	loose := add("Loose", `, "dispatcher": "`+doris.user.String()+`"`).ID.String()
	foreign := add("Foreign", `, "group_name": "Foreign", "dispatcher": "`+doris.user.String()+`"`).ID.String()
	last := add("Last", "")
	clients := func(p person) int {
		return len(exactly[readapi.Clients](t, p.ok(t, "/v1/clients")).Clients)
	}
	f.owner.ok(t, "/v1/clients/"+last.ID.String(), "Waybill-Position", last.Position)

	whole, _ := doris.key(t, "")
	narrow, _ := doris.key(t, `, "groups": ["`+f.apple.String()+`"]`)
	if clients(doris) != 2 || clients(whole) != 2 {
		t.Fatalf("doris sees %d clients that she looks after, and her key %d, want 2: the test would prove nothing", clients(doris), clients(whole))
	}
	if n := clients(narrow); n != 0 {
		t.Errorf("a key for one group sees %d clients of other groups, want none", n)
	}
	for _, id := range []string{loose, foreign} {
		for path, want := range map[string]int{"": http.StatusNotFound, "/account-draft": http.StatusNotFound} {
			wantStatus(t, "a client through the key", narrow.get(t, "/v1/clients/"+id+path), want)
		}
		wantStatus(t, "a command on the client", narrow.do(t, "DELETE", "/v1/clients/"+id+"/dispatcher", ""), http.StatusNotFound)
	}
	if got := exactly[readapi.Grants](t, narrow.ok(t, "/v1/users/"+doris.user.String()+"/grants")).Grants; len(got) != 1 || *got[0].Group != f.apple {
		t.Errorf("the key sees the grants %+v, want that on its group", got)
	}

	// Of somebody with ALL, too, it is for its groups.
	owners, _ := f.owner.key(t, `, "groups": ["`+f.apple.String()+`"]`)
	if n := clients(owners); n != 0 {
		t.Errorf("an owner's key for one group sees %d clients, want none", n)
	}
	if got := exactly[readapi.Grants](t, owners.ok(t, "/v1/users/"+f.owner.user.String()+"/grants")).Grants; len(got) != 0 {
		t.Errorf("an owner's key for one group sees the grants %+v", got)
	}
	for path, want := range map[string]int{"/v1/deliveries/" + f.d[0].String(): http.StatusOK, "/v1/deliveries/" + f.d[1].String(): http.StatusNotFound,
		"/v1/deliveries/" + f.d[3].String(): http.StatusNotFound, "/v1/groups/" + f.banana.String(): http.StatusNotFound, "/v1/users/" + f.betty.user.String(): http.StatusNotFound} {
		wantStatus(t, "an owner's key for one group at "+path, owners.get(t, path), want)
	}
}
