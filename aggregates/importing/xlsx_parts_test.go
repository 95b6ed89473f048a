package importing_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"waybill/aggregates/importing"
	"waybill/events/fault"
)

// part is a part of a workbook; text is repeated so many times.
type part struct {
	name, text string
	times      int
}

// parts makes a workbook of parts; those that it must have and that are not given
// name one sheet and a table of texts.
func parts(t testing.TB, given ...part) []byte {
	t.Helper()
	all := []part{
		{"xl/workbook.xml", `<workbook xmlns:r="r"><sheets><sheet name="One" sheetId="1" r:id="rId1"/></sheets></workbook>`, 1},
		{"xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="rId1" Type="x/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="x/sharedStrings" Target="/xl/sharedStrings.xml"/></Relationships>`, 1},
		{"xl/sharedStrings.xml", `<sst/>`, 1},
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	names := map[string]bool{}
	for _, p := range append(given, all...) {
		if names[p.name] {
			continue
		}
		names[p.name] = true
		w, err := z.Create(p.name)
		if err != nil {
			t.Fatal(err)
		}
		for range p.times {
			if _, err := io.WriteString(w, p.text); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const headerRow = `<row r="1"><c r="A1" t="inlineStr"><is><t>Customer Code</t></is></c><c r="B1" t="inlineStr"><is><t>D.O. No.</t></is></c><c r="C1" t="inlineStr"><is><t>Date</t></is></c><c r="D1" t="inlineStr"><is><t>Address</t></is></c></row>`

func sheetOf(rows string) part {
	return part{"xl/worksheets/sheet1.xml", `<?xml version="1.0" encoding="UTF-8"?><worksheet><cols><col min="1"/></cols><sheetData>` + headerRow + rows + `</sheetData><pageMargins/></worksheet>`, 1}
}

func TestAWorkbookIsReadAsTheStandardWritesIt(t *testing.T) {
	t.Parallel()
	const good = `<c r="A2" t="inlineStr"><is><t>A</t></is></c><c r="B2"><v>1</v></c><c r="C2"><v>46082</v></c>`
	cases := map[string]struct {
		parts []part
		want  string // code/number/date, and the address behind it
	}{
		"numbers": {[]part{sheetOf(`<row r="2">` + good + `</row>`)}, "A/1/2026-03-01[] "},
		"shared texts, rich and with how they are pronounced": {[]part{
			sheetOf(`<row r="2">` + good + `<c r="D2" t="s"><v> 1 </v></c></row>`),
			{"xl/sharedStrings.xml", `<sst><si><t>no</t></si><si><r><rPr><b/></rPr><t xml:space="preserve">4 Mill </t></r><r><t>Lane</t></r><rPh><t>nonsense</t></rPh></si></sst>`, 1},
		}, "A/1/2026-03-01[] 4 Mill Lane"},
		"what a formula came to":  {[]part{sheetOf(`<row r="2">` + good + `<c r="D2" t="str"><f>"4 Mill"&amp;"x"</f><v>4_x000A_Mill</v></c></row>`)}, "A/1/2026-03-01[] 4\nMill"},
		"an empty shared cell":    {[]part{sheetOf(`<row r="2">` + good + `<c r="D2" t="s"/></row>`)}, "A/1/2026-03-01[] "},
		"without references":      {[]part{sheetOf(`<row><c t="inlineStr"><is><t>A</t></is></c><c><v>1</v></c><c t="d"><v>2026-03-01T00:00:00</v></c></row>`)}, "A/1/2026-03-01[] "},
		"with gaps":               {[]part{sheetOf(`<row r="900"><c r="B900"><v>1</v></c><c r="C900"><v>46082</v></c><c r="D900" t="inlineStr"><is><t>_x_x0041_</t></is></c></row>`)}, "/1/2026-03-01[] _xA"},
		"prefixes and extensions": {[]part{{"xl/worksheets/sheet1.xml", strings.NewReplacer("<row", "<x:row", "</row", "</x:row", "<c ", "<x:c ", "</c>", "</x:c>").Replace(`<x:worksheet xmlns:x="y"><x:sheetData>` + headerRow + `<row r="2"><extLst><row r="7"/></extLst>` + good + `</row></x:sheetData></x:worksheet>`), 1}}, "A/1/2026-03-01[] "},
		"days counted from 1904": {[]part{sheetOf(`<row r="2"><c r="A2" t="inlineStr"><is><t>A</t></is></c><c r="B2"><v>1</v></c><c r="C2"><v>44620</v></c></row>`),
			{"xl/workbook.xml", `<workbook xmlns:r="r"><workbookPr date1904="true"/><sheets><sheet name="One" sheetId="1" r:id="rId1"/></sheets></workbook>`, 1}}, "A/1/2026-03-01[] "},
		"named otherwise, behind a chart": {[]part{{"x/book.xml", `<workbook xmlns:r="r"><sheets><sheet name="Chart" sheetId="1" r:id="rId1"/><sheet name="Data" sheetId="2" r:id="b"/></sheets></workbook>`, 1},
			{"_rels/.rels", `<Relationships><Relationship Id="a" Type="x/officeDocument" Target="/x/book.xml"/></Relationships>`, 1},
			{"x/_rels/book.xml.rels", `<Relationships><Relationship Id="rId1" Type="x/chartsheet" Target="c.xml"/><Relationship Id="b" Type="x/worksheet" Target="data.xml"/></Relationships>`, 1},
			{`X\Data.XML`, sheetOf(`<row r="2">` + good + `</row>`).text, 1}}, "A/1/2026-03-01[] "},
		"beside a picture of any size": {[]part{sheetOf(`<row r="2">` + good + `</row>`), {"xl/media/image1.png", strings.Repeat("\x00", 1<<20), 17}}, "A/1/2026-03-01[] "},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := read(t, "a.xlsx", parts(t, c.parts...), importing.Config{})
			if err != nil || len(out.drafts) != 1 {
				t.Fatalf("%d deliveries, %+v (%v)", len(out.drafts), out.rejected, err)
			}
			if got := briefly(out.drafts) + " " + out.drafts[0].Address; got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestAWorkbookThatIsDamagedOrUnpacksToAnythingIsRefused(t *testing.T) {
	t.Parallel()
	random := func(n int) string { // so that it does not shrink like a bomb
		r := rand.New(rand.NewPCG(1, 2))
		b := make([]byte, n)
		for i := range b {
			b[i] = byte('a' + r.IntN(26))
		}
		return string(b)
	}
	long := random(2<<20 + 64<<10)
	cell := func(attrs, inside string) part {
		return sheetOf(`<row r="2"><c r="A2" ` + attrs + `>` + inside + `</c></row>`)
	}
	for name, c := range map[string]struct {
		parts []part
		says  string
	}{
		"a sheet of nothing":      {[]part{{"xl/worksheets/sheet1.xml", strings.Repeat(" ", 1<<20), 17}}, "unpacks to far more"},
		"texts of nothing":        {[]part{sheetOf(""), {"xl/sharedStrings.xml", strings.Repeat(" ", 1<<20), 17}}, "unpacks to far more"},
		"a value without end":     {[]part{cell("", "<v>"+long+"</v>")}, "more than 2 MiB"},
		"an attribute":            {[]part{cell(`x="`+long+`"`, "")}, "more than 2 MiB"},
		"a comment":               {[]part{sheetOf("<!--" + long + "-->")}, "more than 2 MiB"},
		"a text without end":      {[]part{sheetOf(""), {"xl/sharedStrings.xml", "<sst><si><t>" + long + "</t></si></sst>", 1}}, "cannot be read as an .xlsx"},
		"elements without end":    {[]part{sheetOf(strings.Repeat("<a>", 200))}, "damaged in or after row 1"},
		"a column too far":        {[]part{cell(`r="XFE2"`, "<v>1</v>")}, ""},
		"a column that is none":   {[]part{sheetOf(`<row r="2"><c r="22"/></row>`)}, "damaged in or after row 2"},
		"cells out of order":      {[]part{sheetOf(`<row r="2"><c r="B2"/><c r="A2"/></row>`)}, "damaged in or after row 2"},
		"rows out of order":       {[]part{sheetOf(`<row r="3"/><row r="2"/>`)}, "damaged in or after row 3"},
		"a row twice":             {[]part{sheetOf(`<row r="2"/><row r="2"/>`)}, "damaged in or after row 2"},
		"a text that is none":     {[]part{cell(`t="s"`, "<v>7</v>")}, "damaged in or after row 2"},
		"a text before all":       {[]part{cell(`t="s"`, "<v>-1</v>")}, "damaged in or after row 2"},
		"elements that cross":     {[]part{sheetOf(`<row r="2"><c r="A2"><v>1</c></v></row>`)}, "damaged in or after row 2"},
		"a sheet that is cut":     {[]part{{"xl/worksheets/sheet1.xml", `<worksheet><sheetData>` + headerRow + `<row r="2"><c r="A2">`, 1}}, "damaged in or after row 2"},
		"a sheet that is nowhere": {nil, "cannot be read as an .xlsx"},
		"no sheets":               {[]part{{"xl/workbook.xml", "<workbook/>", 1}}, "no sheet with cells"},
		"no workbook":             {[]part{{"xl/workbook.xml", "nonsense", 1}}, "cannot be read as an .xlsx"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "a column too far" {
				c.parts, c.says = []part{sheetOf(`<row r="2"><c r="XFE2"><v>1</v></c></row>`)}, "damaged in or after row 2"
			}
			_, err := read(t, "a.xlsx", parts(t, c.parts...), importing.Config{})
			if err == nil || !strings.Contains(err.Error(), c.says) || fault.KindOf(err) != fault.Invalid {
				t.Errorf("error %v, want one of kind invalid that says %q", err, c.says)
			}
		})
	}
}

func TestTextsOfALargeTableAreFoundAgain(t *testing.T) {
	t.Parallel()
	const rows = 18_000 // more than are remembered
	var sheet, texts strings.Builder
	texts.WriteString("<sst>")
	for i := range rows {
		fmt.Fprintf(&texts, "<si><t>Street %d</t></si>", i)
		fmt.Fprintf(&sheet, `<row r="%d"><c r="A%d" t="inlineStr"><is><t>A</t></is></c><c r="B%d"><v>%d</v></c><c r="C%d"><v>46082</v></c><c r="D%d" t="s"><v>%d</v></c></row>`, i+2, i+2, i+2, i, i+2, i+2, rows-1-i)
	}
	texts.WriteString("</sst>")
	out, err := read(t, "a.xlsx", parts(t, sheetOf(sheet.String()), part{"xl/sharedStrings.xml", texts.String(), 1}), importing.Config{})
	if err != nil || len(out.drafts) != rows {
		t.Fatalf("%d deliveries (%v)", len(out.drafts), err)
	}
	for _, d := range out.drafts {
		if want := fmt.Sprintf("Street %d", rows-1-d.Row()+2); d.Address != want {
			t.Fatalf("delivery %s: address %q, want %q", d.DONumber, d.Address, want)
		}
	}
}
