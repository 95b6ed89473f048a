package readapi_test

import (
	"net/http"
	"testing"
	"time"

	"waybill/aggregates/access"
)

// sees reports what of delivery 1 (Apple) somebody gets to see.
func (f *fruit) sees(t testing.TB, p person) bool {
	t.Helper()
	byID := p.get(t, "/v1/deliveries/"+f.d[0].String())
	switch byID.status {
	case http.StatusUnauthorized:
		return false
	case http.StatusOK, http.StatusNotFound:
	default:
		t.Fatalf("by id: %d %s", byID.status, byID.body)
	}
	seen := byID.status == http.StatusOK
	if listed := len(p.deliveries(t, "/v1/deliveries?do_number="+numbers[0]).Deliveries) == 1; listed != seen {
		t.Errorf("seen by id: %v, in the list: %v", seen, listed)
	}
	if counted := p.progress(t, "/v1/progress?group="+f.apple.String()).Total == 1; counted != seen {
		t.Errorf("seen by id: %v, in the count: %v", seen, counted)
	}
	return seen
}

func testWhatWasTakenAwayIsGoneOnTheVeryNextRequest(t *testing.T, s *stack) {
	f := newFruit(t, s)
	apple := f.apple.String()
	newcomer := func(name string) person {
		return f.owner.add(t, name, access.RoleManager, `, "groups": ["`+apple+`", "`+f.banana.String()+`"]`)
	}
	for name, tc := range map[string]struct{ take, giveBack func(p person) }{
		"a revoked grant": {
			func(p person) { f.owner.done(t, "DELETE", "/v1/users/"+p.user.String()+"/groups/"+apple, "") },
			func(p person) { f.owner.done(t, "PUT", "/v1/users/"+p.user.String()+"/groups/"+apple, "") },
		},
		"an archived group": {
			func(person) { f.owner.done(t, "POST", "/v1/groups/"+apple+"/archive", `{"reason": "the client left"}`) },
			func(p person) {
				// Restoring revives no grant: give it anew.
				f.owner.done(t, "POST", "/v1/groups/"+apple+"/restore", "")
				f.owner.do(t, "DELETE", "/v1/users/"+p.user.String()+"/groups/"+apple, "")
				f.owner.done(t, "PUT", "/v1/users/"+p.user.String()+"/groups/"+apple, "")
			},
		},
		"a re-tagged delivery": {
			func(p person) {
				f.owner.done(t, "POST", "/v1/deliveries/"+f.d[0].String()+"/tag", `{"group": "`+f.orange.String()+`", "reason": "it was Orange's"}`)
			},
			func(p person) {
				f.owner.done(t, "POST", "/v1/deliveries/"+f.d[0].String()+"/tag", `{"group": "`+apple+`", "reason": "it was Apple's after all"}`)
			},
		},
		"an untagged delivery": {
			func(p person) {
				f.owner.done(t, "POST", "/v1/deliveries/"+f.d[0].String()+"/untag", `{"reason": "whose is it?"}`)
			},
			func(p person) {
				f.owner.done(t, "POST", "/v1/deliveries/"+f.d[0].String()+"/tag", `{"group": "`+apple+`", "reason": "Apple's"}`)
			},
		},
	} {
		p := newcomer(name[len(name)-5:])
		if !f.sees(t, p) {
			t.Fatalf("%s: not seen before", name)
		}
		for range 3 { // nothing is remembered from one request to the next
			tc.take(p)
			if f.sees(t, p) {
				t.Errorf("%s: still seen", name)
			}
			tc.giveBack(p)
			if !f.sees(t, p) {
				t.Errorf("%s: not seen again after it was given back", name)
			}
		}
	}
}

func testABlockedUserIsNobodyAtOnceAndItsSessionsDoNotComeBack(t *testing.T, s *stack) {
	f := newFruit(t, s)
	if !f.sees(t, f.adam) {
		t.Fatal("not seen before")
	}
	f.owner.done(t, "POST", "/v1/users/"+f.adam.user.String()+"/block", `{"reason": "left"}`)
	if a := f.adam.get(t, "/v1/me"); a.status != http.StatusUnauthorized {
		t.Errorf("blocked: %d %s", a.status, a.body)
	}
	f.owner.done(t, "POST", "/v1/users/"+f.adam.user.String()+"/unblock", "")
	if a := f.adam.get(t, "/v1/me"); a.status != http.StatusUnauthorized {
		t.Errorf("unblocked, with the session from before: %d %s", a.status, a.body)
	}
}

func testAGrantEndsWhenItsTimeIsOver(t *testing.T, s *stack) {
	f := newFruit(t, s)
	p := f.owner.add(t, "Temp", access.RoleManager, `, "access": "none"`)
	if f.sees(t, p) {
		t.Fatal("seen without a grant")
	}
	ends := time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
	f.owner.done(t, "PUT", "/v1/users/"+p.user.String()+"/groups/"+f.apple.String(), `{"expires_at": "`+ends.Format(time.RFC3339Nano)+`"}`)
	if !f.sees(t, p) {
		t.Error("not seen with a grant")
	}
	o := s.beside(t)
	o.clock.stop(ends.Add(-time.Microsecond))
	if !f.sees(t, p.at(o)) {
		t.Error("not seen at the last moment of the grant")
	}
	o.clock.stop(ends)
	if f.sees(t, p.at(o)) {
		t.Error("still seen at the grant's end")
	}
}

func testAForbiddenVerbOnAVisibleThingIsDenied(t *testing.T, s *stack) {
	f := newFruit(t, s)
	for _, try := range []struct{ method, path, body string }{
		{"POST", "/v1/deliveries/" + f.d[0].String() + "/dispatch", ""},
		{"POST", "/v1/groups/" + f.apple.String() + "/archive", `{"reason": "x"}`},
		{"POST", "/v1/groups", `{"name": "Mine"}`},
		{"POST", "/v1/users", `{"name": "Eve", "email": "eve@example.com", "role": "customer", "groups": ["` + f.apple.String() + `"]}`},
		{"POST", "/v1/users/" + f.adam.user.String() + "/block", ""},
		{"POST", "/v1/deliveries", `{"do_number": "DO-9", "date": "2026-03-02"}`},
		{"POST", "/v1/clients", `{"business_name": "Mine", "email": "mine@example.com"}`},
		{"PUT", "/v1/settings/group-field", `{"enabled": false}`},
		{"POST", "/v1/vehicles", `{"name": "Van", "plate": "SG 1"}`},
		{"POST", "/v1/imports", "x"},
		{"POST", "/v1/organisations", `{"name": "Mine", "timezone": "UTC", "owner": {"name": "Eve", "email": "eve@example.com"}}`},
	} {
		if a := f.adam.do(t, try.method, try.path, try.body); a.status != http.StatusForbidden {
			t.Errorf("%s %s as a customer: %d %s, want 403", try.method, try.path, a.status, a.body)
		}
	}
}
