package readapi_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"waybill/readapi"
)

// walk follows a list to its end and counts how often every id was met.
func (p person) walk(t testing.TB, path string, between func()) map[uuid.UUID]int {
	t.Helper()
	met := map[uuid.UUID]int{}
	for path != "" {
		a := p.ok(t, path)
		var list readapi.DeliveryList
		a.into(t, &list)
		for _, d := range list.Deliveries {
			met[d.ID]++
		}
		next := ""
		if link := a.header.Get("Link"); link != "" {
			next = strings.TrimSuffix(strings.TrimPrefix(link, "<"), `>; rel="next"`)
		}
		if (next == "") != (list.Next == "") || next != "" && !strings.Contains(next, url.QueryEscape(list.Next)) {
			t.Fatalf("the Link %q does not lead to the cursor %q", next, list.Next)
		}
		path = next
		between()
	}
	return met
}

func testPagesAreCompleteAndWithoutDuplicatesWhileRowsAreAdded(t *testing.T, s *stack) {
	f := newFruit(t, s)
	const before = 60
	var there []uuid.UUID
	for i := range before {
		g := []uuid.UUID{f.apple, f.banana, f.orange}[i%3]
		d := f.owner.done(t, "POST", "/v1/deliveries", fmt.Sprintf(`{"do_number": "P-%d", "date": "2026-03-%02d", "group": %q}`, i, 1+i%5, g))
		there = append(there, d.ID)
		if i == before-1 {
			f.owner.caughtUp(t, d.Position)
		}
	}
	for name, tc := range map[string]struct {
		who  person
		path string
		want func(i int) bool
	}{
		"one group":             {f.adam, "/v1/deliveries?limit=7", func(i int) bool { return i%3 == 0 }},
		"several groups":        {f.wayne, "/v1/deliveries?limit=7", func(int) bool { return true }},
		"ALL":                   {f.vincent, "/v1/deliveries?limit=7", func(int) bool { return true }},
		"ALL by group":          {f.vincent, "/v1/deliveries?limit=1&group=" + f.banana.String(), func(i int) bool { return i%3 == 1 }},
		"several groups by day": {f.wayne, "/v1/deliveries?limit=3&date_from=2026-03-02&date_to=2026-03-03", func(i int) bool { return i%5 == 1 || i%5 == 2 }},
		"by status":             {f.wayne, "/v1/deliveries?limit=4&status=info_received", func(int) bool { return true }},
		"ALL by status":         {f.vincent, "/v1/deliveries?limit=50&status=Info%20received", func(int) bool { return true }},
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			met := tc.who.walk(t, tc.path, func() {
				n++ // before, among and after what the pages have passed
				f.owner.done(t, "POST", "/v1/deliveries", fmt.Sprintf(`{"do_number": "N-%s-%d", "date": "2026-03-%02d", "group": %q}`, strings.ReplaceAll(name, " ", "-"), n, 1+n%5, f.apple))
			})
			for i, id := range there {
				if want := tc.want(i); (met[id] == 1) != want || met[id] > 1 {
					t.Errorf("P-%d was met %d times, want it: %v", i, met[id], want)
				}
			}
			for id, times := range met {
				if times > 1 {
					t.Errorf("%s was met %d times", id, times)
				}
			}
		})
	}
}

func testACursorIsGoodForItsCallerAndItsFiltersOnly(t *testing.T, s *stack) {
	f := newFruit(t, s)
	for i := range 3 {
		f.owner.deliver(t, fmt.Sprintf("C-%d", i), "2026-03-02", f.apple)
	}
	cursor := func(p person, path string) string {
		next := p.deliveries(t, path).Next
		if next == "" {
			t.Fatalf("%s has one page only", path)
		}
		return url.QueryEscape(next)
	}
	adams := cursor(f.adam, "/v1/deliveries?limit=1")
	if a := f.adam.get(t, "/v1/deliveries?limit=2&cursor="+adams); a.status != http.StatusOK {
		t.Errorf("its own caller, with another size of page: %d %s", a.status, a.body)
	}
	other := "A"
	if adams[0] == 'A' {
		other = "B"
	}
	for name, tc := range map[string]struct {
		who  person
		path string
	}{
		"another caller":        {f.wayne, "/v1/deliveries?cursor=" + adams},
		"the owner":             {f.owner, "/v1/deliveries?cursor=" + adams},
		"another filter":        {f.adam, "/v1/deliveries?do_number=C-1&cursor=" + adams},
		"a filter fewer":        {f.wayne, "/v1/deliveries?cursor=" + cursor(f.wayne, "/v1/deliveries?limit=1&date_from=2026-01-01")},
		"another value":         {f.wayne, "/v1/deliveries?date_from=2026-01-02&cursor=" + cursor(f.wayne, "/v1/deliveries?limit=1&date_from=2026-01-01")},
		"another list":          {f.adam, "/v1/groups?cursor=" + adams},
		"another list's cursor": {f.wayne, "/v1/deliveries?cursor=" + cursorOf(t, f.wayne, "/v1/groups?limit=1")},
		"a changed one":         {f.adam, "/v1/deliveries?cursor=" + other + adams[1:]},
		"half of one":           {f.adam, "/v1/deliveries?cursor=" + adams[:len(adams)/2]},
		"made up":               {f.adam, "/v1/deliveries?cursor=eyJhIjoxfQ"},
		"no base64":             {f.adam, "/v1/deliveries?cursor=%21%21"},
	} {
		a := tc.who.get(t, tc.path)
		if a.status != http.StatusBadRequest || !strings.Contains(a.body, "cursor-not-valid") || !strings.Contains(a.body, "Begin again without it") {
			t.Errorf("%s: %d %s, want a clear refusal", name, a.status, a.body)
		}
	}
}

func cursorOf(t testing.TB, p person, path string) string {
	t.Helper()
	var list struct {
		Next string         `json:"next"`
		Rest map[string]any `json:",unknown"`
	}
	p.ok(t, path).into(t, &list)
	if list.Next == "" {
		t.Fatalf("%s has one page only", path)
	}
	return url.QueryEscape(list.Next)
}

func testListsByNameAreCompleteAlsoWithErasedNames(t *testing.T, s *stack) {
	owner := s.organisation(t, "Names")
	const n = 9
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			owner.done(t, "POST", "/v1/users", fmt.Sprintf(`{"name": "Same Name %d", "email": "u%d-names@example.com", "role": "manager", "access": "none"}`, i%2, i))
			owner.done(t, "POST", "/v1/clients", fmt.Sprintf(`{"business_name": "Client %d", "email": "c%d@example.com", "group_name": "Group %d"}`, i%2, i, i))
		})
	}
	wg.Wait()
	_, err := s.pools.Projector.Exec(t.Context(), `UPDATE read.users SET name = NULL, email = NULL WHERE email LIKE 'u_-names@%' AND email < 'u4'`)
	must(t, err)
	for _, list := range []struct {
		name string
		want int
	}{{"users", n + 1}, {"clients", n}, {"groups", n}} {
		for _, limit := range []int{1, 2, 4, 200} {
			met := map[string]int{}
			path := fmt.Sprintf("/v1/%s?limit=%d", list.name, limit)
			for path != "" {
				var page map[string]any
				owner.ok(t, path).into(t, &page)
				for _, row := range page[list.name].([]any) {
					met[row.(map[string]any)["id"].(string)]++
				}
				path = ""
				if next, ok := page["next"].(string); ok {
					path = fmt.Sprintf("/v1/%s?limit=%d&cursor=%s", list.name, limit, url.QueryEscape(next))
				}
			}
			for id, times := range met {
				if times != 1 {
					t.Errorf("%s by %d: %s was met %d times", list.name, limit, id, times)
				}
			}
			if len(met) != list.want {
				t.Errorf("%s by %d: %d met, want %d", list.name, limit, len(met), list.want)
			}
		}
	}
}

func testParametersAreTakenStrictly(t *testing.T, s *stack) {
	owner := s.organisation(t, "Strict")
	for path, field := range map[string]string{
		"/v1/deliveries?grup=x":                                "grup",
		"/v1/deliveries?limit=0":                               "limit",
		"/v1/deliveries?limit=201":                             "limit",
		"/v1/deliveries?limit=ten":                             "limit",
		"/v1/deliveries?group=apple":                           "group",
		"/v1/deliveries?status=lost":                           "status",
		"/v1/deliveries?date_from=02.03.2026":                  "date_from",
		"/v1/deliveries?date_to=2026-02-30":                    "date_to",
		"/v1/deliveries?group=" + uuid.NewString() + "&group=": "group",
		"/v1/deliveries?a=%zz":                                 "query",
		"/v1/progress?status=Failed":                           "status",
		"/v1/groups?name=x":                                    "name",
		"/v1/me?x=1":                                           "x",
		"/v1/deliveries/" + uuid.NewString() + "?x=1":          "x",
	} {
		a := owner.get(t, path)
		if a.status != http.StatusBadRequest || !strings.Contains(a.body, `"field":"`+field+`"`) {
			t.Errorf("%s: %d %s, want a refusal that names %s", path, a.status, a.body, field)
		}
	}
}
