package readapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"waybill/readapi"
)

func testALongTimelineComesInPieces(t *testing.T, s *stack) {
	f := newFruit(t, s)
	id := f.d[0].String()
	// As many revisions of an ETA as nobody would send here, put in as the
	// projections would.
	const steps = 437
	_, err := s.pools.Projector.Exec(t.Context(), `
		INSERT INTO read.delivery_timeline (delivery_id, revision, org_id, type, at, actor, reason)
		SELECT $1, i, $2, 'DeliveryEtaRevised', now(), 'user:' || $3::uuid, '' FROM generate_series(1, $4::int - 1) i`, f.d[0], f.owner.org(t), f.vincent.user, steps)
	must(t, err)

	whole := exactly[readapi.DeliveryWhole](t, f.adam.ok(t, "/v1/deliveries/"+id))
	if n := len(whole.Timeline); n != 50 || whole.Timeline[n-1].Revision != steps-1 || whole.Timeline[0].Revision != steps-50 {
		t.Fatalf("with the delivery come %d steps, want the last 50 in their order", n)
	}
	var met []uint64
	for _, e := range slices.Backward(whole.Timeline) {
		met = append(met, e.Revision)
	}
	for cursor := whole.Earlier; cursor != ""; {
		a := f.adam.ok(t, "/v1/deliveries/"+id+"/timeline?limit=100&cursor="+cursor)
		piece := exactly[readapi.Timeline](t, a)
		for _, e := range piece.Timeline {
			met = append(met, e.Revision)
			if e.Actor != "user" {
				t.Errorf("a customer is told that %s did it", e.Actor)
			}
		}
		if (piece.Next != "") != strings.Contains(a.header.Get("Link"), `rel="next"`) || len(met) > steps {
			t.Fatalf("after %d steps: next %q, Link %q", len(met), piece.Next, a.header.Get("Link"))
		}
		cursor = piece.Next
	}
	if len(met) != steps || !slices.IsSortedFunc(met, func(a, b uint64) int { return int(b) - int(a) }) || met[steps-1] != 0 {
		t.Errorf("piece by piece there are %d steps, want all %d, each once, backwards", len(met), steps)
	}
	if first := exactly[readapi.Timeline](t, f.adam.ok(t, "/v1/deliveries/"+id+"/timeline")); len(first.Timeline) != 50 || first.Timeline[0].Revision != steps-1 {
		t.Error("without a cursor it begins with what happened last")
	}
	wantStatus(t, "a timeline of what one does not see", f.betty.get(t, "/v1/deliveries/"+id+"/timeline"), http.StatusNotFound)
	wantStatus(t, "with a cursor of another timeline", f.owner.get(t, "/v1/deliveries/"+f.d[1].String()+"/timeline?cursor="+whole.Earlier), http.StatusBadRequest)
	wantStatus(t, "with somebody else's cursor", f.owner.get(t, "/v1/deliveries/"+id+"/timeline?cursor="+whole.Earlier), http.StatusBadRequest)

	// Steps may be large: the piece ends before it is megabytes.
	_, err = s.pools.Projector.Exec(t.Context(), `UPDATE read.delivery_timeline SET detail = to_jsonb(json_build_object('was', repeat('x', 60000))) WHERE delivery_id = $1`, f.d[0])
	must(t, err)
	for _, path := range []string{"", "/timeline?limit=200"} {
		if a := f.adam.ok(t, "/v1/deliveries/"+id+path); len(a.body) > 400<<10 || !strings.Contains(a.body, `"earlier"`) && !strings.Contains(a.body, `"next"`) {
			t.Errorf("%s answers %d bytes, want less, and where it goes on", path, len(a.body))
		}
	}
}

func testListsWithinAnswersAreBoundedAndWholeElsewhere(t *testing.T, s *stack) {
	f := newFruit(t, s)
	const many = 230
	_, err := s.pools.Projector.Exec(t.Context(), `
		INSERT INTO read.customer_codes (org_id, code, group_id, position) SELECT $1, 'C' || lpad(i::text, 4, '0'), $2, 1 FROM generate_series(1, $3::int) i`,
		f.owner.org(t), f.apple, many)
	must(t, err)
	_, err = s.pools.Projector.Exec(t.Context(), `
		WITH g AS (INSERT INTO read.groups (group_id, org_id, kind, name, status, created_at, revision, position)
			SELECT gen_random_uuid(), $1, 'standard', 'G' || i, 'active', now(), 0, 1 FROM generate_series(1, $3::int) i RETURNING group_id)
		INSERT INTO read.grants (grant_id, org_id, user_id, group_id, basis, source, granted_at, granted_by, reason, position)
		SELECT gen_random_uuid(), $1, $2, group_id, 'direct', '', now(), 'system:', '', 1 FROM g`, f.owner.org(t), f.wayne.user, many)
	must(t, err)

	if g := exactly[readapi.Group](t, f.adam.ok(t, "/v1/groups/"+f.apple.String())); len(g.CustomerCodes) != 100 || g.CustomerCodes[0] != "C0001" {
		t.Errorf("a group comes with %d codes, want the first 100", len(g.CustomerCodes))
	}
	codes := func(p person, filter string) (met []string) {
		next := ""
		for {
			page := exactly[readapi.CustomerCodes](t, p.ok(t, "/v1/customer-codes?limit=90"+filter+next))
			for _, k := range page.CustomerCodes {
				if k.Group != f.apple {
					t.Errorf("code %s of group %s", k.Code, k.Group)
				}
				met = append(met, k.Code)
			}
			if page.Next == "" {
				return met
			}
			next = "&cursor=" + page.Next
		}
	}
	for name, tc := range map[string]struct {
		who    person
		filter string
		want   int
	}{
		"in one's group":         {f.adam, "", many},
		"of the group":           {f.owner, "&group=" + f.apple.String(), many},
		"of another group":       {f.owner, "&group=" + f.banana.String(), 0},
		"of a group not one's":   {f.betty, "&group=" + f.apple.String(), 0},
		"without that group":     {f.betty, "", 0},
		"with all":               {f.vincent, "", many},
		"of a group that is not": {f.vincent, "&group=" + uuid.NewString(), 0},
	} {
		got := codes(tc.who, tc.filter)
		if len(got) != tc.want || !slices.IsSorted(got) {
			t.Errorf("%s: %d codes, want %d in their order", name, len(got), tc.want)
		}
	}
	for path, p := range map[string]person{"/v1/users/" + f.wayne.user.String(): f.owner, "/v1/me": f.wayne} {
		var answer struct {
			Groups []any          `json:"groups"`
			Rest   map[string]any `json:",unknown"`
		}
		p.ok(t, path).into(t, &answer)
		if len(answer.Groups) != 100 {
			t.Errorf("%s names %d groups, want 100", path, len(answer.Groups))
		}
	}
	// What is not the caller's does not take the places of what is.
	ann := f.owner.add(t, "Ann", "manager", fmt.Sprintf(`, "groups": [%q, %q]`, f.apple, f.banana))
	if u := exactly[readapi.User](t, ann.ok(t, "/v1/users/"+f.wayne.user.String())); len(u.Groups) != 2 {
		t.Errorf("ann sees wayne in %d groups, want the two that are hers", len(u.Groups))
	}
}
