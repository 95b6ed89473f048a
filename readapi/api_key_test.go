package readapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates/commandapi"
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
