package sample_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"waybill/aggregates/importing"
	"waybill/cmd/waybill/sample"
)

var update = flag.Bool("update", false, "write the workbook anew from the rows in this file")

// header is what the imagined warehouse system writes above its rows: more
// columns than a delivery has, in its own order.
var header = []any{"Line", "Warehouse", "Customer Code", "D.O. No.", "Delivery Date", "Type", "Deliver To", "Delivery Address", "Phone", "E-mail", "Item Code", "Description", "Qty", "UOM", "Remarks"}

// rows are the rows of the export. D1 to D4 are the deliveries of the truth
// table that says who sees what; D4 carries no customer code.
func rows() [][]any {
	var out [][]any
	line := 0
	add := func(code, number string, day int, kind string, to place, sku article, quantity int, remark string) {
		line++
		date := time.Date(2026, time.March, day, 0, 0, 0, 0, time.UTC)
		out = append(out, []any{line, "WH-NORTH", code, number, date, kind, to.recipient, to.address, to.phone, to.email, sku.code, sku.description, quantity, sku.unit, remark})
	}
	for i, code := range []string{"Apple", "Banana", "Orange", ""} {
		add(code, fmt.Sprintf("D%d", i+1), 2, "delivery", places[i], articles[i], 10*(i+1), "")
	}
	codes := []string{"Apple", "Banana", "Orange", "Cherry", "Mango"}
	shares := []int{0, 1, 2, 0, 3, 1, 4, 0, 2, 1, 0, 3}
	for n := range sample.Deliveries - 4 {
		code := codes[shares[n%len(shares)]]
		kind := "delivery"
		if n%17 == 16 {
			kind = "collection"
		}
		for i := range 1 + n%3 {
			remark := ""
			if i == 2 {
				remark = "fragile, this side up"
			}
			add(code, fmt.Sprintf("DO-%d", 260301+n), 2+n%24, kind, places[n%len(places)], articles[(n+5*i)%len(articles)], 1+(n*7+i*13)%48, remark)
		}
	}
	// The warehouse picks by article, so rows of one delivery are no neighbours.
	slices.SortStableFunc(out[4:], func(a, b []any) int { return strings.Compare(a[10].(string), b[10].(string)) })
	return out
}

type place struct{ recipient, address, phone, email string }

var places = []place{
	{"Nadia Orchard", "4 Mill Lane, Kettering", "+44 1632 960101", "nadia@example.com"},
	{"Tomás Plata", "18 Harbour Road, Lowestoft", "+44 1632 960102", "tomas@example.com"},
	{"Greta Zimt", "Lindenweg 7, 04109 Leipzig", "+44 1632 960103", "greta@example.com"},
	{"Paul Unbekannt", "Unit 3, Station Yard, Selby", "+44 1632 960104", "paul@example.com"},
	{"Mei Tan", "52 Jurong Close, Singapore 640052", "+44 1632 960105", "mei@example.com"},
	{"Ivo Brandt", "Kaiserstraße 90, 76133 Karlsruhe", "+44 1632 960106", "ivo@example.com"},
	{"Amara Diallo", "Quai 12, Abidjan", "+44 1632 960107", "amara@example.com"},
	{"Joan Fletcher", "The Old Bakery, 2 High Street, Rye", "", "joan@example.com"},
	{"Luca Ferri", "Via Roma 31, 10123 Torino", "+44 1632 960109", ""},
}

type article struct{ code, description, unit string }

var articles = []article{
	{"FR-010", "Apples, crate, 10 kg", "crate"},
	{"FR-020", "Bananas, box, 18 kg", "box"},
	{"FR-030", "Oranges, net, 5 kg", "net"},
	{"FR-099", "Mixed fruit, \"gift\" basket", "piece"},
	{"PK-001", "Pallet wrap, 500 mm, 23 µm", "roll"},
	{"PK-002", "Euro pallet, returned", "piece"},
	{"JU-110", "Juice, 1 l, tray of 12", "tray"},
	{"JU-120", "Juice, 0,2 l, tray of 24", "tray"},
	{"JA-210", "Jam, 340 g, case of 6", "case"},
	{"DR-310", "Dried mango, 100 g, case of 20", "case"},
}

func build(t *testing.T) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	const sheet = "Deliveries"
	check(f.SetSheetName("Sheet1", sheet))
	check(f.SetSheetRow(sheet, "A1", &header))
	for i, r := range rows() {
		cell, err := excelize.CoordinatesToCellName(1, i+2)
		check(err)
		check(f.SetSheetRow(sheet, cell, &r))
	}
	check(f.SetColWidth(sheet, "B", "O", 18))
	var b bytes.Buffer
	check(f.Write(&b))
	return b.Bytes()
}

func TestTheWorkbookHoldsTheRowsAboveAndImportsWhole(t *testing.T) {
	t.Parallel()
	if *update {
		if err := os.WriteFile(sample.Name, build(t), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	shipped, err := excelize.OpenReader(bytes.NewReader(sample.Workbook()))
	if err != nil {
		t.Fatal(err)
	}
	defer shipped.Close()
	made, err := excelize.OpenReader(bytes.NewReader(build(t)))
	if err != nil {
		t.Fatal(err)
	}
	defer made.Close()
	got, err := shipped.GetRows("Deliveries")
	if err != nil {
		t.Fatal(err)
	}
	want, err := made.GetRows("Deliveries")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Error("the workbook is not made of these rows; make it anew with -update")
	}

	var bad []importing.Rejection
	f, err := importing.StageReader(t.Context(), bytes.NewReader(sample.Workbook()), sample.Name, importing.Config{
		TempDir:  t.TempDir(),
		Rejected: func(r importing.Rejection) { bad = append(bad, r) },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	deliveries, items, untagged, codes := 0, 0, 0, map[string]int{}
	for d, err := range f.Deliveries() {
		if err != nil {
			t.Fatal(err)
		}
		deliveries, items = deliveries+1, items+len(d.Items)
		if d.Code == "" {
			untagged++
		} else {
			codes[d.Code]++
		}
	}
	if deliveries != sample.Deliveries || items != sample.Items || len(codes) != sample.Groups || untagged != 1 || len(bad) != 0 {
		t.Errorf("%d deliveries, %d items, codes %v, %d untagged, rejected %v", deliveries, items, codes, untagged, bad)
	}
}
