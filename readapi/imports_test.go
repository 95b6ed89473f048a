package readapi_test

import (
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"waybill/aggregates/commandapi"
	"waybill/events"
	"waybill/events/store"
)

const sampleFile = "Customer Code,D.O. Number,Date,Address,Item,Quantity\n" +
	"APL,I-1,2026-03-02,1 Main Street,Apples,3\n" +
	"APL,I-1,2026-03-02,1 Main Street,Pears,4\n" +
	"BAN,I-2,2026-03-02,2 Main Street,Bananas,5\n" +
	"BAN,I-3,32.03.2026,2 Main Street,Bananas,6\n"

func testAFileIsReadInTheEncodingThatItHasOrIsSaidToHave(t *testing.T, s *stack) {
	owner := s.organisation(t, "Encodings")
	wide := func(text string, bigEndian bool) string {
		var b strings.Builder
		for _, u := range utf16.Encode([]rune(text)) {
			pair := []byte{byte(u), byte(u >> 8)}
			if bigEndian {
				slices.Reverse(pair)
			}
			b.Write(pair)
		}
		return b.String()
	}
	ansi := func(text string) string { return strings.ReplaceAll(text, "ß", "\xdf") }
	const none = "&mapping=%7B%22group%22:%22-%22%7D"
	for number, form := range map[string]struct {
		encode func(string) string
		query  string
	}{
		"E-1": {func(s string) string { return s }, ""},
		"E-2": {func(s string) string { return "\uFEFF" + strings.ReplaceAll(s, "\n", "\r\n") }, ""},
		"E-3": {func(s string) string { return wide("\uFEFF"+s, false) }, ""},
		"E-4": {func(s string) string { return wide("\uFEFF"+s, true) }, ""},
		"E-5": {func(s string) string { return wide(s, false) }, "&encoding=utf-16le"},
		"E-6": {ansi, "&encoding=windows-1252"},
		"E-7": {ansi, "&encoding=iso-8859-1"},
		"E-8": {func(s string) string { return strings.NewReplacer(",", "|", "\n", "\r").Replace(s) }, "&delimiter=%7C"},
	} {
		got := exactly[commandapi.Imported](t, owner.do(t, "POST", "/v1/imports?filename=e.csv"+none+form.query, form.encode("D.O. Number,Date,Address\n"+number+",2026-03-02,Straße 1\n")))
		if got.Created != 1 || got.RowsRejected != 0 {
			t.Errorf("%s: %+v", number, got)
			continue
		}
		owner.caughtUp(t, got.Position)
		list := owner.deliveries(t, "/v1/deliveries?do_number="+number).Deliveries
		if len(list) != 1 {
			t.Errorf("%s: %d deliveries", number, len(list))
			continue
		}
		if a := owner.ok(t, "/v1/deliveries/"+list[0].ID.String()); !strings.Contains(a.body, `"Straße 1"`) {
			t.Errorf("%s reads as %s", number, a.body)
		}
	}
	got := exactly[commandapi.Imported](t, owner.do(t, "POST", "/v1/imports?filename=e.csv"+none, ansi("D.O. Number,Date,Address\nE-9,2026-03-02,Straße 1\nE-10,2026-03-02,Weg 1\n")))
	if got.Created != 1 || got.RowsRejected != 1 || got.Rejections[0].Row != 2 || got.Rejections[0].Column != "Address" || !strings.Contains(got.Rejections[0].Reason, "name its encoding") {
		t.Errorf("an encoding that is not named: %+v", got)
	}
}

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
