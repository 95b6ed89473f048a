package readapi_test

import (
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"waybill/aggregates/commandapi"
	"waybill/events"
	"waybill/events/store"
)

const sampleFile = "Customer Code,D.O. Number,Date,Address,Item,Quantity\n" +
	"APL,I-1,2026-03-02,1 Main Street,Apples,3\n" +
	"APL,I-1,2026-03-02,1 Main Street,Pears,4\n" +
	"BAN,I-2,2026-03-02,2 Main Street,Bananas,5\n" +
	"BAN,I-3,32.03.2026,2 Main Street,Bananas,6\n"

func testADryRunOfAnImportAnswersAsTheImport(t *testing.T, s *stack) {
	owner := s.organisation(t, "Dry")
	owner.done(t, "PUT", "/v1/settings/group-field", `{"enabled": true}`)
	send := func(query string) commandapi.Imported {
		return exactly[commandapi.Imported](t, owner.do(t, "POST", "/v1/imports?filename=orders.csv&create_groups=true"+query, sampleFile))
	}
	for _, known := range []int{0, 2} {
		before, err := s.store.Head(t.Context())
		must(t, err)
		planned := send("&dry_run=true")
		for r, err := range s.store.ReadAll(t.Context(), before, store.Forwards) {
			must(t, err)
			if id, err := events.ParseStream(r.Stream); err == nil && id.Org == owner.org(t) && r.Position.After(before) {
				t.Errorf("a dry run appended %s to %s", r.Type, r.Stream)
			}
		}
		if !planned.DryRun || planned.Position != "" || planned.AlreadyKnown != known || known == 0 && !slices.Equal(planned.Groups, []string{"APL", "BAN"}) {
			t.Errorf("a dry run with %d known: %+v", known, planned)
		}
		made := send("")
		planned.DryRun, made.Position = false, ""
		if !reflect.DeepEqual(planned, made) {
			t.Errorf("the dry run answered %+v, the import %+v", planned, made)
		}
	}
	if a := owner.do(t, "POST", "/v1/imports?dry_run=ja", sampleFile); a.status != http.StatusBadRequest || !strings.Contains(a.body, `"field":"dry_run"`) {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func testAFileIsImportedOverHTTPAndTwiceIsOnce(t *testing.T, s *stack) {
	owner := s.organisation(t, "Imports")
	owner.done(t, "PUT", "/v1/settings/group-field", `{"enabled": true}`)
	send := func(query string) answer {
		return owner.do(t, "POST", "/v1/imports?filename=orders.csv"+query, sampleFile, "Content-Type", "text/csv")
	}
	first := send("")
	got := exactly[commandapi.Imported](t, first)
	if first.status != http.StatusOK || got.Created != 0 || got.Rejected != 2 || got.RowsRejected != 4 {
		t.Errorf("unknown codes: %d %+v, want both deliveries and all four rows rejected", first.status, got)
	}
	got = exactly[commandapi.Imported](t, send("&create_groups=true"))
	if got.Created != 2 || got.GroupsCreated != 2 || got.RowsRejected != 1 || got.Rejections[0].Row != 5 || got.Position == "" {
		t.Errorf("with groups: %+v, want two deliveries in two groups, and row 5 refused", got)
	}
	owner.caughtUp(t, got.Position)
	if n := len(owner.deliveries(t, "/v1/deliveries").Deliveries); n != 2 {
		t.Errorf("%d deliveries listed, want 2", n)
	}
	got = exactly[commandapi.Imported](t, send("&create_groups=true"))
	if got.Created != 0 || got.AlreadyKnown != 2 || got.GroupsCreated != 0 {
		t.Errorf("again: %+v, want nothing new", got)
	}
	for query, want := range map[string]string{
		"&mapping=x":        `"field":"mapping"`,
		"&create_groups=ja": `"field":"create_groups"`,
		"&delimiter=ab":     `"field":"delimiter"`,
		"&colour=red":       `"field":"colour"`,
		"&mapping=" + url.QueryEscape(`{"group": "Nothing"}`): "Nothing",
		"&encoding=klingon": "klingon",
	} {
		if a := send(query); a.status != http.StatusBadRequest && a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, want) {
			t.Errorf("%s: %d %s, want a refusal with %s", query, a.status, a.body, want)
		}
	}
	if a := owner.do(t, "POST", "/v1/imports", ""); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "empty") {
		t.Errorf("an empty file: %d %s", a.status, a.body)
	}
}
