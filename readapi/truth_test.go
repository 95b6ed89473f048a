package readapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"waybill/readapi"
)

func testThePublishedTruthTableHoldsInListsByIDInCountsAndInSearch(t *testing.T, s *stack) {
	f := newFruit(t, s)
	for name, tc := range map[string]struct {
		who  person
		sees [4]bool
	}{
		"Adam":      {f.adam, [4]bool{true, false, false, false}},
		"Betty":     {f.betty, [4]bool{false, true, false, false}},
		"Ortega":    {f.ortega, [4]bool{false, false, true, false}},
		"Vincent":   {f.vincent, [4]bool{true, true, true, true}},
		"Wayne":     {f.wayne, [4]bool{true, true, true, false}},
		"the owner": {f.owner, [4]bool{true, true, true, true}},
	} {
		t.Run(name, func(t *testing.T) {
			listed := map[uuid.UUID]bool{}
			for _, d := range tc.who.deliveries(t, "/v1/deliveries").Deliveries {
				listed[d.ID] = true
			}
			var total int64
			for i, id := range f.d {
				want := tc.sees[i]
				if want {
					total++
				}
				if listed[id] != want {
					t.Errorf("D%d is listed: %v, want %v", i+1, listed[id], want)
				}
				if got := tc.who.get(t, "/v1/deliveries/"+id.String()).status; (got == http.StatusOK) != want || !want && got != http.StatusNotFound {
					t.Errorf("D%d by id: %d, want it there: %v", i+1, got, want)
				}
				if got := len(tc.who.deliveries(t, "/v1/deliveries?do_number="+numbers[i]).Deliveries); (got == 1) != want || got > 1 {
					t.Errorf("D%d by its number: %d, want it found: %v", i+1, got, want)
				}
			}
			if len(listed) != int(total) {
				t.Errorf("%d deliveries listed, want %d", len(listed), total)
			}
			if got := tc.who.progress(t, "/v1/progress").Total; got != total {
				t.Errorf("%d deliveries counted, want %d", got, total)
			}
			for i, g := range []string{f.apple.String(), f.banana.String(), f.orange.String(), "none"} {
				want := int64(0)
				if tc.sees[i] {
					want = 1
				}
				if got := tc.who.progress(t, "/v1/progress?group="+g).Total; got != want {
					t.Errorf("group of D%d: %d counted, want %d", i+1, got, want)
				}
				if got := len(tc.who.deliveries(t, "/v1/deliveries?group="+g).Deliveries); int64(got) != want {
					t.Errorf("group of D%d: %d listed, want %d", i+1, got, want)
				}
			}
		})
	}
}

func (p person) deliveries(t testing.TB, path string, headers ...string) readapi.DeliveryList {
	t.Helper()
	var list readapi.DeliveryList
	p.ok(t, path, headers...).into(t, &list)
	return list
}

func (p person) progress(t testing.TB, path string) readapi.Progressed {
	t.Helper()
	var progress readapi.Progressed
	p.ok(t, path).into(t, &progress)
	return progress
}

// ok gets an answer that must be there.
func (p person) ok(t testing.TB, path string, headers ...string) answer {
	t.Helper()
	a := p.get(t, path, headers...)
	if a.status != http.StatusOK {
		t.Fatalf("GET %s: %d %s", path, a.status, a.body)
	}
	return a
}

func testWhatIsForeignLooksExactlyAsIfItDidNotExist(t *testing.T, s *stack) {
	f, other := newFruit(t, s), newFruit(t, s)
	ghost := uuid.New()
	// Everything that adam could try on what is not his, by the verb's path; the
	// thing's id stands for %.
	tries := []struct{ method, path, body string }{
		{"GET", "/v1/deliveries/%", ""}, {"GET", "/v1/deliveries/%/timeline", ""}, {"GET", "/v1/customer-codes?group=%", ""}, {"GET", "/v1/groups/%", ""}, {"GET", "/v1/users/%", ""}, {"GET", "/v1/clients/%", ""}, {"GET", "/v1/vehicles/%", ""},
		{"POST", "/v1/deliveries/%/dispatch", ""}, {"POST", "/v1/deliveries/%/complete", ""}, {"POST", "/v1/deliveries/%/fail", `{"reason": "x"}`},
		{"POST", "/v1/deliveries/%/tag", `{"group": "` + f.apple.String() + `", "reason": "x"}`}, {"POST", "/v1/deliveries/%/untag", ""},
		{"POST", "/v1/deliveries/%/assign", `{"vehicle": "` + uuid.NewString() + `"}`},
		{"POST", "/v1/groups/%/archive", `{"reason": "x"}`}, {"POST", "/v1/groups/%/restore", ""},
		{"POST", "/v1/groups/%/rename", `{"name": "Apple"}`}, {"POST", "/v1/groups/%/merge", `{"into": "` + f.apple.String() + `"}`},
		{"POST", "/v1/groups/" + f.apple.String() + "/merge?dry_run=true", `{"into": "%"}`}, {"POST", "/v1/groups/%/archive?dry_run=true", `{"reason": "x"}`},
		{"GET", "/v1/groups/%/import-template", ""}, {"PUT", "/v1/groups/%/import-template", `{}`},
		{"PUT", "/v1/groups/%/vehicles/" + uuid.NewString(), ""}, {"DELETE", "/v1/groups/%/vehicles/" + uuid.NewString(), ""},
		{"DELETE", "/v1/vehicles/%", ""}, {"GET", "/v1/vehicles/%/positions", ""},
		{"POST", "/v1/vehicles/%/positions", `{"positions": [{"at": "2026-03-01T12:00:00Z", "latitude": 0, "longitude": 0}]}`},
		{"POST", "/v1/users/%/block", ""}, {"POST", "/v1/users/%/unblock", ""}, {"PUT", "/v1/users/%/permissions", `{"permissions": {}}`},
		{"PUT", "/v1/users/%/groups/" + f.apple.String(), ""}, {"DELETE", "/v1/users/%/groups/" + f.apple.String(), ""},
		{"PUT", "/v1/users/%/role", `{"role": "cso"}`}, {"PUT", "/v1/users/%/groups", `{"groups": ["` + f.apple.String() + `"]}`},
		{"PUT", "/v1/users/%/all-groups", `{"reason": "x"}`}, {"DELETE", "/v1/users/%/all-groups", `{"reason": "x"}`},
		{"POST", "/v1/users/%/access-requests", `{"group": "` + f.apple.String() + `", "reason": "x"}`}, {"POST", "/v1/users/%/access-requests/" + ghost.String() + "/approve", ""},
		{"POST", "/v1/users/%/access-requests/" + ghost.String() + "/deny", ""}, {"POST", "/v1/users/%/access-reviews", `{"decision": "keep"}`},
		{"DELETE", "/v1/users/%", ""}, {"POST", "/v1/users/%/invitation/resend", ""}, {"DELETE", "/v1/users/%/invitation", ""}, {"GET", "/v1/users/%/grants", ""},
		{"POST", "/v1/clients/%/group", `{"group_name": "Mine"}`},
		{"GET", "/v1/deliveries?group=%", ""}, {"GET", "/v1/progress?group=%", ""},
	}
	foreign := map[string]uuid.UUID{
		"another group's delivery": f.d[1], "an untagged delivery": f.d[3], "another group": f.banana, "another user": f.betty.user,
		"another organisation's delivery": other.d[0], "another organisation's group": other.apple, "another organisation's user": other.adam.user,
	}
	for who, p := range map[string]person{"adam": f.adam, "another owner": other.owner} {
		for _, try := range tries {
			send := func(id string) answer {
				a := p.do(t, try.method, strings.ReplaceAll(try.path, "%", id), strings.ReplaceAll(try.body, "%", id), "If-Match", `"0"`)
				a.header.Del("Date")
				return a
			}
			never := send(ghost.String())
			if never.status != http.StatusNotFound && !strings.Contains(try.path, "?") {
				t.Errorf("%s: %s %s on nothing: %d %s, want 404", who, try.method, try.path, never.status, never.body)
			}
			for what, id := range foreign {
				if who == "another owner" && strings.HasPrefix(what, "another organisation's") {
					continue // its own
				}
				got := send(id.String())
				if got.status != never.status || got.body != never.body || len(got.header) != len(never.header) {
					t.Errorf("%s: %s %s on %s:\n%d %s%v\nbut on what does not exist:\n%d %s%v",
						who, try.method, try.path, what, got.status, got.body, got.header, never.status, never.body, never.header)
				}
			}
		}
	}
}

func testListsShowOnlyOnesOwn(t *testing.T, s *stack) {
	f := newFruit(t, s)
	newFruit(t, s) // another organisation, which nobody here sees
	count := func(p person, path, member string) int {
		var list map[string]any
		p.ok(t, path).into(t, &list)
		return len(list[member].([]any))
	}
	for name, tc := range map[string]struct {
		who           person
		groups, users int
	}{
		"a customer sees its group and itself":             {f.adam, 1, 1},
		"a manager of users in all groups but without ALL": {f.wayne, 3, 4}, // adam, betty, ortega and itself; neither vincent nor the owner
		"with ALL": {f.vincent, 3, 6},
	} {
		if got := count(tc.who, "/v1/groups", "groups"); got != tc.groups {
			t.Errorf("%s: %d groups, want %d", name, got, tc.groups)
		}
		if got := count(tc.who, "/v1/users", "users"); got != tc.users {
			t.Errorf("%s: %d users, want %d", name, got, tc.users)
		}
	}
	// Only the overlap shows: wayne's groups for a manager of Apple alone.
	ann := f.owner.add(t, "Ann", "manager", `, "groups": ["`+f.apple.String()+`"]`)
	var wayne readapi.User
	ann.ok(t, "/v1/users/"+f.wayne.user.String()).into(t, &wayne)
	if len(wayne.Groups) != 1 || wayne.Groups[0] != f.apple {
		t.Errorf("ann sees wayne in %v, want Apple alone", wayne.Groups)
	}
}
