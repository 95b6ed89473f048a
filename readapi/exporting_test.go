package readapi_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"github.com/xuri/excelize/v2"

	"waybill/aggregates/commandapi"
)

// exported returns the rows of an export by the titles of their columns.
func (p person) exported(t *testing.T, query string) []map[string]string {
	t.Helper()
	a := p.ok(t, "/v1/deliveries/export?"+query)
	var table [][]string
	var err error
	if strings.Contains(query, "xlsx") {
		var book *excelize.File
		book, err = excelize.OpenReader(strings.NewReader(a.body))
		must(t, err)
		table, err = book.GetRows("Deliveries")
	} else {
		text, marked := strings.CutPrefix(a.body, "\xEF\xBB\xBF")
		if !marked || strings.Count(text, "\n") != strings.Count(text, "\r\n") {
			t.Errorf("want a byte order mark and lines that end in CRLF: %q", a.body)
		}
		table, err = csv.NewReader(strings.NewReader(text)).ReadAll()
	}
	must(t, err)
	var rows []map[string]string
	for _, cells := range table[1:] {
		row := map[string]string{}
		for i, title := range table[0] {
			if i < len(cells) {
				row[title] = cells[i]
			}
		}
		rows = append(rows, row)
	}
	return rows
}

func numbersOf(rows []map[string]string) string {
	var numbers []string
	for _, r := range rows {
		numbers = append(numbers, r["D.O. Number"])
	}
	slices.Sort(numbers)
	return strings.Join(slices.Compact(numbers), " ")
}

// switchOff takes a permission from somebody.
func (p person) switchOff(t *testing.T, from person, permission string) {
	t.Helper()
	path := "/v1/users/" + from.user.String()
	done := p.done(t, "PUT", path+"/permissions", `{"permissions": {"`+permission+`": false}}`, "If-Match", p.ok(t, path).header.Get("ETag"))
	p.ok(t, path, "Waybill-Position", done.Position)
}

func testAnExportHoldsWhatTheListShowsToItsCaller(t *testing.T, s *stack) {
	f := newFruit(t, s)
	newFruit(t, s) // another organisation
	for name, tc := range map[string]struct {
		who         person
		query, want string
	}{
		"adam":                      {f.adam, "", "D1"},
		"betty":                     {f.betty, "", "D2"},
		"ortega":                    {f.ortega, "", "D3"},
		"vincent":                   {f.vincent, "", "D1 D2 D3 D4"},
		"wayne":                     {f.wayne, "", "D1 D2 D3"},
		"wayne, as a workbook":      {f.wayne, "format=xlsx", "D1 D2 D3"},
		"vincent, in no group":      {f.vincent, "group=none", "D4"},
		"wayne, in no group":        {f.wayne, "group=none", ""},
		"adam, in betty's group":    {f.adam, "group=" + f.banana.String(), ""},
		"adam, workbook of nothing": {f.adam, "format=xlsx&group=" + f.banana.String(), ""},
		"by number":                 {f.wayne, "do_number=DO-2", "D2"},
		"by text":                   {f.wayne, "q=do-3", "D3"},
		"by status":                 {f.wayne, "status=Completed", ""},
		"by days":                   {f.wayne, "date_from=2026-03-03", ""},
	} {
		if got := numbersOf(tc.who.exported(t, tc.query)); got != strings.ReplaceAll(tc.want, "D", "DO-") {
			t.Errorf("%s exports %q, want %q", name, got, tc.want)
		}
	}
	a := f.adam.ok(t, "/v1/deliveries/export?format=xlsx")
	if got := a.header.Get("Content-Disposition"); !strings.HasPrefix(got, `attachment; filename="deliveries-2`) || !strings.HasSuffix(got, `.xlsx"`) {
		t.Errorf("Content-Disposition %s", got)
	}
	wantStatus(t, "another format", f.adam.get(t, "/v1/deliveries/export?format=pdf"), http.StatusBadRequest)
	wantStatus(t, "a page of an export", f.adam.get(t, "/v1/deliveries/export?limit=5"), http.StatusBadRequest)
	wantStatus(t, "a stranger", person{s: s}.get(t, "/v1/deliveries/export"), http.StatusUnauthorized)
	key, _ := f.owner.key(t, `, "groups": ["`+f.apple.String()+`"], "permissions": ["export_deliveries"]`)
	if got := key.exported(t, ""); len(got) != 1 || got[0]["D.O. Number"] != numbers[0] {
		t.Errorf("an owner's key for one group exports %v", got)
	}
	f.owner.switchOff(t, f.adam, "export_deliveries")
	wantStatus(t, "without the permission", f.adam.get(t, "/v1/deliveries/export"), http.StatusForbidden)
}

func testVehiclesAreInExportsOnlyForThoseWhoSeeThem(t *testing.T, s *stack) {
	f := newFruit(t, s)
	van := f.owner.done(t, "POST", "/v1/vehicles", `{"name": "Van 7", "plate": "SGX 1"}`).ID
	f.owner.done(t, "PUT", "/v1/groups/"+f.apple.String()+"/vehicles/"+van.String(), "")
	for _, d := range f.d[:2] {
		f.owner.done(t, "POST", "/v1/deliveries/"+d.String()+"/assign", `{"vehicle": "`+van.String()+`"}`)
	}
	last := f.owner.done(t, "POST", "/v1/deliveries/"+f.d[2].String()+"/dispatch", "").Position
	vehicles := func(p person) (names []string) {
		p.ok(t, "/v1/me", "Waybill-Position", last)
		for _, r := range p.exported(t, "format=csv") {
			names = append(names, r["Vehicle"])
		}
		slices.Sort(names)
		return names
	}
	if got := fmt.Sprint(vehicles(f.owner)); got != "[  Van 7 Van 7]" {
		t.Errorf("the owner's export has the vehicles %s", got)
	}
	if got := fmt.Sprint(vehicles(f.betty)); got != "[]" { // the van is in no group of hers
		t.Errorf("an export has the vehicles %s of another group", got)
	}
	f.owner.switchOff(t, f.vincent, "view_vehicles")
	if got := fmt.Sprint(vehicles(f.vincent)); got != "[   ]" {
		t.Errorf("with view_vehicles off an export has the vehicles %s", got)
	}
}

func testImportingAnExportCreatesNothing(t *testing.T, s *stack) {
	f := newFruit(t, s)
	for code, g := range map[string]uuid.UUID{"APL": f.apple, "=BAN": f.banana} {
		f.owner.done(t, "PUT", "/v1/customer-codes/"+strings.ReplaceAll(code, "=", "%3D"), `{"group": "`+g.String()+`"}`)
	}
	create := func(fields map[string]any) {
		body, err := json.Marshal(fields)
		must(t, err)
		f.owner.done(t, "POST", "/v1/deliveries", string(body))
	}
	nasty := []string{"=1+1", "-5", "+65 1", "@x", "'=1", "''-1", "'", `"`, "a,b;c", "00042", "1e5", "=HYPERLINK(\"http://x\")", "D O", "日本", "_x000D_"}
	for i, number := range nasty {
		create(map[string]any{"do_number": number, "date": "2026-03-" + fmt.Sprintf("%02d", i+1), "group": []uuid.UUID{f.apple, f.banana, f.orange}[i%3],
			"type": []string{"delivery", "collection"}[i%2], "recipient": number, "phone": "+65 6123", "address": "Line 1\nLine 2, \"x\"",
			"items": []map[string]any{{"id": "1", "description": number, "quantity": "9007199254740993"}, {"id": "=2", "sku": "\ttab", "quantity": "3", "unit": "box"}}})
	}
	create(map[string]any{"do_number": "without items", "date": "2026-04-01"})
	f.owner.ok(t, "/v1/me", "Waybill-Position", f.owner.done(t, "POST", "/v1/deliveries/"+f.d[0].String()+"/dispatch", "").Position)
	send := func(p person, file, more string) commandapi.Imported {
		t.Helper()
		a := p.do(t, "POST", "/v1/imports?filename=again"+more, file)
		if a.status != http.StatusOK {
			t.Fatalf("import of an export: %d %s", a.status, a.body)
		}
		return exactly[commandapi.Imported](t, a)
	}
	for _, format := range []string{"csv", "xlsx"} {
		all := f.owner.ok(t, "/v1/deliveries/export?format="+format).body
		got := send(f.owner, all, "")
		// The group Orange has no code: its rows are not taken unless groups may be made.
		if got.Created != 0 || got.AlreadyKnown == 0 || got.AlreadyKnown+got.Rejected != got.Deliveries || got.Deliveries != len(nasty)+1+len(f.d) {
			t.Errorf("%s: importing the export again: %+v, want nothing created of %d deliveries", format, got, len(nasty)+1+len(f.d))
		}
		if got := send(f.wayne, f.wayne.ok(t, "/v1/deliveries/export?format="+format).body, ""); got.Created != 0 || got.AlreadyKnown == 0 {
			t.Errorf("%s: importing wayne's export as wayne: %+v, want nothing created", format, got)
		}
		rows := f.owner.exported(t, "format="+format)
		for _, number := range nasty {
			want := map[string]string{"csv": guarded(number), "xlsx": number}[format]
			i := slices.IndexFunc(rows, func(r map[string]string) bool { return r["D.O. Number"] == want })
			if i < 0 {
				t.Errorf("%s: the export has no row of %q as %q", format, number, want)
			} else if rows[i]["Description"] != want || rows[i]["Quantity"] != "9007199254740993" || rows[i+1]["Quantity"] != "3" {
				t.Errorf("%s: the row of %q is %v", format, number, rows[i])
			}
		}
	}
	if got := send(f.owner, f.owner.ok(t, "/v1/deliveries/export").body, "&create_groups=true"); got.Created != 0 || got.Rejected+got.RowsRejected+got.GroupsCreated != 0 {
		t.Errorf("where groups may be made: %+v, want everything known", got)
	}
}

// guarded is how a value stands in a text file.
func guarded(value string) string {
	if strings.ContainsAny(strings.TrimLeft(value, "'")[:min(1, len(strings.TrimLeft(value, "'")))], "=+-@") {
		return "'" + value
	}
	return value
}

// many puts many deliveries of one group into the tables, as the projections
// would.
func many(t *testing.T, s *stack, f *fruit, n int) {
	t.Helper()
	_, err := s.pools.Projector.Exec(t.Context(), `
		INSERT INTO read.deliveries (delivery_id, org_id, group_id, do_number, type, date, status, attempt, item_count, details, created_at, updated_at, revision, position)
		SELECT gen_random_uuid(), $1, $2, 'M-' || i, 'delivery', date '2026-01-01' + i % 50, 'info_received', 1, 1,
		       '"type":"delivery","attempt":1,"do_number":"M-' || i || '","date":"2026-01-01","item_count":1,"address":"' || repeat('x', 1500) || '"',
		       now(), now(), 0, 1
		FROM generate_series(1, $3::int) i`, f.owner.org(t), f.apple, n)
	must(t, err)
	_, err = s.pools.Projector.Exec(t.Context(), `
		INSERT INTO read.delivery_items (delivery_id, line, org_id, item_id, sku, description, quantity, unit)
		SELECT delivery_id, 1, org_id, '1', '', 'A thing', 1, '' FROM read.deliveries WHERE org_id = $1 AND do_number LIKE 'M-%'`, f.owner.org(t))
	must(t, err)
}

// begin begins an export and leaves it unread.
func (p person) begin(t *testing.T) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.s.URL+"/v1/deliveries/export", nil)
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+p.token)
	res, err := p.s.Client().Do(req)
	must(t, err)
	t.Cleanup(func() { _ = res.Body.Close() })
	if res.StatusCode != http.StatusOK {
		t.Fatalf("an export begins with %s", res.Status)
	}
	return res
}

func testALongExportIsOfOneMomentAndEndsWithTheAccessOfItsCaller(t *testing.T, s *stack) {
	f := newFruit(t, s)
	const n = 15_000 // more than what fits on the way to a client that does not read
	many(t, s, f, n)
	o := s.beside(t) // where nobody else exports at the same time
	whole, revoked := f.vincent.at(o).begin(t), f.wayne.at(o).begin(t)
	third := f.adam.at(o).get(t, "/v1/deliveries/export")
	if third.status != http.StatusTooManyRequests || third.header.Get("Retry-After") == "" {
		t.Errorf("a third export at once: %d %v, want 429 and when to try again", third.status, third.header)
	}
	other := newFruit(t, s)
	if rows := other.adam.at(o).exported(t, ""); len(rows) != 1 {
		t.Error("another organisation's exports are held up")
	}

	// Meanwhile everything moves, and wayne loses the group.
	_, err := s.pools.Projector.Exec(t.Context(), `UPDATE read.deliveries SET date = date - 400 WHERE group_id = $1 AND do_number LIKE 'M-%'`, f.apple)
	must(t, err)
	f.owner.ok(t, "/v1/me", "Waybill-Position", f.owner.done(t, "DELETE", "/v1/users/"+f.wayne.user.String()+"/groups/"+f.apple.String(), "").Position)

	body, err := io.ReadAll(revoked.Body)
	if !errors.Is(err, io.ErrUnexpectedEOF) || bytes.Count(body, []byte("\r\n")) >= n {
		t.Errorf("after the access is gone %d bytes come and then %v, want a broken connection", len(body), err)
	}
	body, err = io.ReadAll(whole.Body)
	must(t, err)
	if rows := bytes.Count(body, []byte("\r\n")); rows != 1+len(f.d)+n {
		t.Errorf("the export has %d lines, want a header and %d of the moment it began", rows, len(f.d)+n)
	}
	if rows := f.ortega.at(o).exported(t, ""); len(rows) != 1 {
		t.Errorf("after that, an export has %d rows, want 1", len(rows))
	}
}

func testAWorkbookThatCannotHoldItIsRefusedBeforeItsFirstByte(t *testing.T, s *stack) {
	f := newFruit(t, s)
	_, err := s.pools.Projector.Exec(t.Context(), `UPDATE read.deliveries SET item_count = 1048576 WHERE delivery_id = $1`, f.d[0])
	must(t, err)
	a := f.owner.get(t, "/v1/deliveries/export?format=xlsx")
	if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "export-too-large") || a.header.Get("Content-Disposition") != "" {
		t.Errorf("%d %s %v, want it refused", a.status, a.body, a.header)
	}
	wantStatus(t, "as text", f.owner.get(t, "/v1/deliveries/export"), http.StatusOK)
}
