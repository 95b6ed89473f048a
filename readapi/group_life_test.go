package readapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates/commandapi"
	"waybill/readapi"
)

func testAMergedGroupsDeliveriesFollowItAndItsMembersDoNot(t *testing.T, s *stack) {
	f := newFruit(t, s)
	more := []uuid.UUID{f.d[0]}
	for i := range 4 {
		more = append(more, f.owner.deliver(t, fmt.Sprintf("M-%d", i), "2026-03-01", f.apple))
	}
	f.owner.done(t, "PUT", "/v1/customer-codes/APL", `{"group": "`+f.apple.String()+`"}`)
	into := `{"into": "` + f.banana.String() + `"`
	path := "/v1/groups/" + f.apple.String() + "/merge"
	if a := f.owner.do(t, "POST", path, into+"}"); a.status != http.StatusConflict || !strings.Contains(a.body, "widening-not-acknowledged") {
		t.Errorf("unacknowledged: %d %s", a.status, a.body)
	}
	merged := f.owner.done(t, "POST", path, into+`, "acknowledge_widening": true}`, "Idempotency-Key", "merge")
	if !merged.Changed {
		t.Errorf("merging changed nothing: %+v", merged)
	}
	again := f.owner.done(t, "POST", path, into+`, "acknowledge_widening": true}`, "Idempotency-Key", "merge")
	if again != merged {
		t.Errorf("the repetition answers %+v, want %+v", again, merged)
	}
	if n := len(f.adam.deliveries(t, "/v1/deliveries").Deliveries); n != 0 {
		t.Errorf("a member of the merged group sees %d deliveries", n)
	}
	until(t, func() bool { return len(f.betty.deliveries(t, "/v1/deliveries").Deliveries) == len(more)+1 })
	for _, id := range more {
		f.betty.ok(t, "/v1/deliveries/"+id.String())
		if a := f.adam.get(t, "/v1/deliveries/"+id.String()); a.status != http.StatusNotFound {
			t.Errorf("a member of the merged group still sees a delivery: %d", a.status)
		}
	}
	whole := exactly[readapi.DeliveryWhole](t, f.owner.ok(t, "/v1/deliveries/"+more[1].String()))
	last := whole.Timeline[len(whole.Timeline)-1]
	if last.Type != "DeliveryTagged" || last.Reason != "merge" || !strings.HasPrefix(last.Actor, "system") || *last.From != f.apple || *last.To != f.banana {
		t.Errorf("the move is told as %+v", last)
	}
	g := exactly[readapi.Group](t, f.owner.ok(t, "/v1/groups/"+f.apple.String()))
	if g.Status != "merged" || g.MergedInto == nil || *g.MergedInto != f.banana {
		t.Errorf("the merged group is told as %+v", g)
	}
	until(t, func() bool {
		banana := exactly[readapi.Group](t, f.owner.ok(t, "/v1/groups/"+f.banana.String()))
		return len(banana.CustomerCodes) == 1 && banana.CustomerCodes[0] == "APL"
	})
	// Its name is free again.
	f.owner.group(t, "Apple")
	for _, verb := range []string{"archive", "restore"} {
		if a := f.owner.do(t, "POST", "/v1/groups/"+f.apple.String()+"/"+verb, `{"reason": "x"}`); a.status != http.StatusConflict {
			t.Errorf("%s of a merged group: %d %s", verb, a.status, a.body)
		}
	}
}

func testADryRunTellsWhoWouldSeeWhatAndChangesNothing(t *testing.T, s *stack) {
	f := newFruit(t, s)
	f.owner.deliver(t, "X-1", "2026-03-01", f.apple)
	before := f.owner.ok(t, "/v1/groups").body
	try := func(path, body string) commandapi.Widened {
		t.Helper()
		a := f.owner.do(t, "POST", "/v1/groups/"+path+"?dry_run=true", body)
		if a.status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, a.status, a.body)
		}
		return exactly[commandapi.Widened](t, a)
	}
	same := func(what string, got []commandapi.Sight, want ...commandapi.Sight) {
		t.Helper()
		if len(got) != len(want) {
			t.Fatalf("%s: %+v, want %+v", what, got, want)
		}
		for _, w := range want {
			found := false
			for _, g := range got {
				found = found || g.User == w.User && g.Deliveries == w.Deliveries && len(g.Groups) == len(w.Groups)
			}
			if !found {
				t.Errorf("%s: %+v, want %+v", what, got, w)
			}
		}
	}
	apple := []uuid.UUID{f.apple}
	merge := try(f.apple.String()+"/merge", `{"into": "`+f.banana.String()+`"}`)
	same("gains by a merge", merge.Gains, commandapi.Sight{User: f.betty.user, Deliveries: 2})
	same("losses by a merge", merge.Loses, commandapi.Sight{User: f.adam.user, Groups: apple, Deliveries: 2}, commandapi.Sight{User: f.wayne.user, Groups: apple})
	archive := try(f.apple.String()+"/archive", `{"reason": "x"}`)
	same("gains by archiving", archive.Gains)
	same("losses by archiving", archive.Loses, commandapi.Sight{User: f.adam.user, Groups: apple, Deliveries: 2}, commandapi.Sight{User: f.wayne.user, Groups: apple, Deliveries: 2})
	if !merge.DryRun || !archive.DryRun || merge.Changed {
		t.Errorf("dry runs do not say so: %+v, %+v", merge, archive)
	}
	if after := f.owner.ok(t, "/v1/groups").body; after != before {
		t.Errorf("dry runs changed the groups from %s to %s", before, after)
	}
	if a := f.owner.do(t, "POST", "/v1/groups/"+f.apple.String()+"/archive?dry_run=true", ""); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a dry run decides like the command, which needs a reason: %d %s", a.status, a.body)
	}
	for _, refused := range []string{"/v1/groups/" + f.apple.String() + "/archive?dry_run=1", "/v1/users/" + f.adam.user.String() + "/block?dry_run=true"} {
		if a := f.owner.do(t, "POST", refused, `{"reason": "x"}`); a.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", refused, a.status, a.body)
		}
	}
	f.adam.ok(t, "/v1/groups/"+f.apple.String())
	f.owner.done(t, "POST", "/v1/groups/"+f.apple.String()+"/archive", `{"reason": "x"}`)
	restore := try(f.apple.String()+"/restore", "")
	same("gains by restoring", restore.Gains)
	f.owner.done(t, "POST", "/v1/groups/"+f.apple.String()+"/restore", "")
	if a := f.adam.get(t, "/v1/groups/"+f.apple.String()); a.status != http.StatusNotFound {
		t.Errorf("restoring revived a grant, although no policy runs here: %d", a.status)
	}
	f.owner.deliver(t, "DO-1", "2026-03-02", f.banana)
	conflict := f.owner.do(t, "POST", "/v1/groups/"+f.apple.String()+"/merge", `{"into": "`+f.banana.String()+`", "acknowledge_widening": true}`)
	if conflict.status != http.StatusConflict || !strings.Contains(conflict.body, "merge-conflicts") || !strings.Contains(conflict.body, "DO-1") {
		t.Errorf("conflicting numbers: %d %s", conflict.status, conflict.body)
	}
}

func testAGroupIsRenamedAndItsOldNameIsFree(t *testing.T, s *stack) {
	f := newFruit(t, s)
	path := "/v1/groups/" + f.apple.String() + "/rename"
	if a := f.owner.do(t, "POST", path, `{"name": " BANANA "}`); a.status != http.StatusConflict || !strings.Contains(a.body, "group-name-taken") {
		t.Errorf("a taken name: %d %s", a.status, a.body)
	}
	d := f.owner.done(t, "POST", path, `{"name": "Apple Wholesale"}`)
	f.owner.caughtUp(t, d.Position)
	if g := exactly[readapi.Group](t, f.adam.ok(t, "/v1/groups/"+f.apple.String())); g.Name != "Apple Wholesale" {
		t.Errorf("the group is called %q", g.Name)
	}
	f.owner.group(t, "Apple")
	if a := f.owner.do(t, "POST", path, `{"name": "apple"}`); a.status != http.StatusConflict {
		t.Errorf("the name that somebody else has now: %d %s", a.status, a.body)
	}
	d = f.owner.done(t, "PUT", "/v1/settings/timezone", `{"timezone": "Asia/Tokyo"}`)
	f.owner.caughtUp(t, d.Position)
	if o := exactly[readapi.Organisation](t, f.adam.ok(t, "/v1/organisation")); o.Timezone != "Asia/Tokyo" {
		t.Errorf("the timezone is %q", o.Timezone)
	}
}

func testAVehicleIsSeenThroughItsGroupsUntilItLeavesTheRegister(t *testing.T, s *stack) {
	f := newFruit(t, s)
	in := func(groups ...uuid.UUID) string {
		return `, "groups": ["` + groups[0].String() + `"]`
	}
	mia := f.owner.add(t, "Mia", "manager", in(f.apple))
	van := f.owner.done(t, "POST", "/v1/vehicles", `{"name": "Van 1", "plate": "B-WB 1"}`)
	f.owner.caughtUp(t, van.Position)
	path := "/v1/vehicles/" + van.ID.String()
	sees := func(want int) {
		t.Helper()
		if a := mia.get(t, path); a.status != want {
			t.Errorf("the manager of Apple gets %d, want %d", a.status, want)
		}
	}
	grouped := "/v1/groups/" + f.apple.String() + "/vehicles/" + van.ID.String()
	sees(http.StatusNotFound)
	f.owner.done(t, "PUT", grouped, "")
	sees(http.StatusOK)
	for p, want := range map[person]int{f.adam: http.StatusOK, f.betty: http.StatusNotFound} {
		if a := p.get(t, path); a.status != want {
			t.Errorf("a customer gets %d, want it through its group alone: %d", a.status, want)
		}
	}
	mia.done(t, "DELETE", grouped, "")
	sees(http.StatusNotFound)
	f.owner.done(t, "PUT", grouped, "")
	f.owner.done(t, "DELETE", path, "")
	sees(http.StatusNotFound)
	if a := f.owner.get(t, path); a.status != http.StatusNotFound {
		t.Errorf("a vehicle that left the register: %d", a.status)
	}
	assign := "/v1/deliveries/" + f.d[0].String() + "/assign"
	for who, p := range map[string]person{"the owner": f.owner, "the manager": mia} {
		if a := p.do(t, "POST", assign, `{"vehicle": "`+van.ID.String()+`"}`); a.status != http.StatusNotFound {
			t.Errorf("%s assigns a vehicle that left the register: %d %s", who, a.status, a.body)
		}
	}
	f.owner.done(t, "POST", "/v1/vehicles", `{"name": "Van 1", "plate": "B-WB 1"}`)
}

func testAFileIsReadAsTheTemplateSays(t *testing.T, s *stack) {
	f := newFruit(t, s)
	const file = "Kunde,Auftrag,Tag\nAPL,T-1,02/03/2026\n"
	f.owner.done(t, "PUT", "/v1/customer-codes/APL", `{"group": "`+f.apple.String()+`"}`)
	send := func(query string) answer {
		return f.owner.do(t, "POST", "/v1/imports?filename=orders.csv"+query, file, "Content-Type", "text/csv")
	}
	if a := send(""); a.status != http.StatusUnprocessableEntity {
		t.Errorf("without a template: %d %s", a.status, a.body)
	}
	for body, want := range map[string]int{
		`{"columns": {"colour": "Farbe"}}`: http.StatusUnprocessableEntity,
		`{"date_format": "banana"}`:        http.StatusUnprocessableEntity,
	} {
		if a := f.owner.do(t, "PUT", "/v1/settings/import-template", body); a.status != want {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
	const columns = `{"columns": {"group": "Kunde", "number": "Auftrag", "date": "Tag"}, "date_format": %q}`
	d := f.owner.done(t, "PUT", "/v1/settings/import-template", fmt.Sprintf(columns, "DD/MM/YYYY"))
	f.owner.caughtUp(t, d.Position)
	if got := exactly[commandapi.Imported](t, send("")); got.Created != 1 {
		t.Errorf("with the organisation's template: %+v", got)
	}
	own := exactly[readapi.ImportTemplate](t, f.adam.ok(t, "/v1/groups/"+f.apple.String()+"/import-template"))
	if own.Own || own.Columns["group"] != "Kunde" || own.DateFormat != "DD/MM/YYYY" {
		t.Errorf("a group goes by %+v, want the organisation's", own)
	}
	d = f.owner.done(t, "PUT", "/v1/groups/"+f.apple.String()+"/import-template", fmt.Sprintf(columns, "MM/DD/YYYY"))
	f.owner.caughtUp(t, d.Position)
	if got := exactly[commandapi.Imported](t, send("&template="+f.apple.String())); got.Created != 1 {
		t.Errorf("with the group's template the date is another one: %+v", got)
	}
	if own = exactly[readapi.ImportTemplate](t, f.adam.ok(t, "/v1/groups/"+f.apple.String()+"/import-template")); !own.Own || own.DateFormat != "MM/DD/YYYY" {
		t.Errorf("the group goes by %+v, want its own", own)
	}
	if all := exactly[readapi.ImportTemplate](t, f.betty.ok(t, "/v1/settings/import-template")); all.DateFormat != "DD/MM/YYYY" {
		t.Errorf("the organisation goes by %+v", all)
	}
	if a := send("&template=" + uuid.NewString()); a.status != http.StatusNotFound {
		t.Errorf("the template of no group: %d %s", a.status, a.body)
	}
}

func testChangesOfGroupsAreForThoseWhoMayAndSee(t *testing.T, s *stack) {
	f := newFruit(t, s)
	mia := f.owner.add(t, "Mia", "manager", `, "groups": ["`+f.apple.String()+`"]`)
	tries := []struct{ method, path, body string }{
		{"POST", "/rename", `{"name": "Mine"}`}, {"POST", "/merge", `{"into": "%"}`}, {"POST", "/merge?dry_run=true", `{"into": "%"}`},
		{"POST", "/archive?dry_run=true", `{"reason": "x"}`}, {"POST", "/restore?dry_run=true", ""},
		{"PUT", "/import-template", `{}`}, {"PUT", "/vehicles/" + uuid.NewString(), ""}, {"DELETE", "/vehicles/" + uuid.NewString(), ""},
	}
	for _, try := range tries {
		body := strings.ReplaceAll(try.body, "%", f.banana.String())
		send := func(p person, group uuid.UUID) answer {
			return p.do(t, try.method, "/v1/groups/"+group.String()+try.path, body)
		}
		for what, group := range map[string]uuid.UUID{"another group": f.banana, "no group": uuid.New(), "the ALL group": uuid.NewSHA1(mia.org(t), []byte("ALL"))} {
			if a := send(mia, group); a.status != http.StatusNotFound && (what != "the ALL group" || a.status != http.StatusForbidden) {
				t.Errorf("%s %s on %s: %d %s, want 404", try.method, try.path, what, a.status, a.body)
			}
		}
		if strings.HasPrefix(try.path, "/merge") {
			if a := send(mia, f.apple); a.status != http.StatusNotFound {
				t.Errorf("merging into a group that one does not see: %d %s", a.status, a.body)
			}
			continue
		}
		if a := send(f.adam, f.apple); a.status != http.StatusForbidden && !(strings.HasPrefix(try.path, "/vehicles") && a.status == http.StatusNotFound) {
			t.Errorf("%s %s by a customer of the group: %d %s, want 403", try.method, try.path, a.status, a.body)
		}
	}
	for _, try := range []struct{ method, path, body string }{
		{"PUT", "/v1/settings/timezone", `{"timezone": "UTC"}`}, {"PUT", "/v1/settings/import-template", `{}`},
	} {
		if a := mia.do(t, try.method, try.path, try.body); a.status != http.StatusForbidden {
			t.Errorf("%s by a manager of one group: %d %s", try.path, a.status, a.body)
		}
	}
	if a := mia.do(t, "DELETE", "/v1/vehicles/"+uuid.NewString(), ""); a.status != http.StatusNotFound {
		t.Errorf("a vehicle that is not seen: %d %s", a.status, a.body)
	}
}
