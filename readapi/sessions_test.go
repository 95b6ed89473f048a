package readapi_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/commandapi"
)

func testSessionsAreListedAndEndedByTheirOwnUserOnly(t *testing.T, s *stack) {
	owner := s.organisation(t, "OwnSessions")
	var people [2]person
	for i, name := range []string{"ann", "bob"} {
		email := name + "-own-sessions@example.com"
		s.join(t, owner.org(t), owner.done(t, "POST", "/v1/users", fmt.Sprintf(`{"name": %q, "email": %q, "role": "manager"}`, name, email)).ID, email)
		people[i] = s.signIn(t, email)
		people[i].do(t, "DELETE", "/v1/sessions", "") // what was opened on the way
		people[i] = s.signIn(t, email)
	}
	ann, bob := people[0], people[1]
	phone := s.signIn(t, "ann-own-sessions@example.com")
	list := exactly[commandapi.Sessions](t, ann.get(t, "/v1/sessions"))
	var current, other uuid.UUID
	for _, one := range list.Sessions {
		if one.Portal != access.PortalDispatcher || one.IP == "" || one.CreatedAt.IsZero() || !one.ExpiresAt.After(one.CreatedAt) {
			t.Errorf("session %+v", one)
		}
		if one.Current {
			current = one.ID
		} else {
			other = one.ID
		}
	}
	if len(list.Sessions) != 2 || current == uuid.Nil || other == uuid.Nil {
		t.Fatalf("%+v: want two sessions, one of them the current", list.Sessions)
	}
	for name, a := range map[string]answer{
		"somebody else's": bob.do(t, "DELETE", "/v1/sessions/"+current.String(), ""),
		"nobody's":        bob.do(t, "DELETE", "/v1/sessions/"+uuid.NewString(), ""),
		"no id":           bob.do(t, "DELETE", "/v1/sessions/x", ""),
	} {
		if missing := bob.get(t, "/v1/nothing"); a.status != http.StatusNotFound || a.body != missing.body {
			t.Errorf("%s: %d %s, want %d %s", name, a.status, a.body, http.StatusNotFound, missing.body)
		}
	}
	if a := ann.do(t, "DELETE", "/v1/sessions/"+other.String(), ""); a.status != http.StatusNoContent {
		t.Errorf("one's own: %d %s", a.status, a.body)
	}
	if phone.get(t, "/v1/me").status != http.StatusUnauthorized || ann.get(t, "/v1/me").status != http.StatusOK {
		t.Error("the ended session, and no other, must be gone at once")
	}
	list = exactly[commandapi.Sessions](t, ann.get(t, "/v1/sessions"))
	if len(list.Sessions) != 1 || list.Sessions[0].LastSeenAt.IsZero() {
		t.Errorf("%+v: want the one that is left, seen", list.Sessions)
	}
}
