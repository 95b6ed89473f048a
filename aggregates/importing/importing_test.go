package importing_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"waybill/aggregates/importing"
	"waybill/events/fault"
)

// outcome is all that a file gave.
type outcome struct {
	drafts   []importing.Draft
	rejected []importing.Rejection
	notes    []importing.Note
	rows     int
}

// check compares what was taken, told briefly, and what was rejected; the reasons
// that are wanted are parts of those given.
func (out outcome) check(t *testing.T, taken string, rejected []importing.Rejection) {
	t.Helper()
	if got := briefly(out.drafts); got != taken {
		t.Errorf("taken: %s, want %s", got, taken)
	}
	if len(out.rejected) != len(rejected) {
		t.Fatalf("rejected %+v, want %+v", out.rejected, rejected)
	}
	for i, want := range rejected {
		got := out.rejected[i]
		if !strings.Contains(got.Reason, want.Reason) {
			t.Errorf("reason %q does not say %q", got.Reason, want.Reason)
		}
		if want.Reason = got.Reason; got != want {
			t.Errorf("rejected %+v, want %+v", got, want)
		}
	}
}

// read stages and reads a file of the given contents.
func read(t testing.TB, name string, contents []byte, cfg importing.Config) (outcome, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, contents, 0o600); err != nil {
		t.Fatal(err)
	}
	return readPath(t, path, cfg)
}

func readPath(t testing.TB, path string, cfg importing.Config) (outcome, error) {
	t.Helper()
	var out outcome
	cfg.TempDir = t.TempDir()
	cfg.Rejected = func(r importing.Rejection) { out.rejected = append(out.rejected, r) }
	cfg.Noted = func(n importing.Note) { out.notes = append(out.notes, n) }
	f, err := importing.Stage(context.Background(), path, cfg)
	if err != nil {
		noneLeft(t, cfg.TempDir)
		return out, err
	}
	out.rows = f.Rows()
	for d, err := range f.Deliveries() {
		if err != nil {
			t.Fatal(err)
		}
		out.drafts = append(out.drafts, d)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	noneLeft(t, cfg.TempDir)
	return out, nil
}

func noneLeft(t testing.TB, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Fatalf("staging left %v behind (%v)", left, err)
	}
}

// briefly writes drafts one per line: code/number/date[item ids].
func briefly(drafts []importing.Draft) string {
	var b strings.Builder
	for _, d := range drafts {
		ids := []string{}
		for _, it := range d.Items {
			ids = append(ids, fmt.Sprintf("%s*%d", it.ID, it.Quantity))
		}
		fmt.Fprintf(&b, "%s/%s/%s%v ", d.Code, d.DONumber, d.Date, ids)
	}
	return strings.TrimSpace(b.String())
}

func TestRowsOfOneDeliveryMeetHoweverFarApart(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("customer code,do number,date,description,quantity,row id\n")
	const deliveries, rounds = 210, 4
	for round := range rounds {
		for i := range deliveries {
			fmt.Fprintf(&b, "C%d,N%d,2026-03-%02d,thing,%d,%d-%d\n", i%7, i, 1+i%28, round+1, i, round)
		}
	}
	for _, memory := range []int{1, 900, 64 << 10, 0} { // one row per run (merged in rounds), several, none
		out, err := read(t, "a.csv", []byte(b.String()), importing.Config{SortMemory: memory})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.drafts) != deliveries || out.rows != deliveries*rounds || len(out.rejected) != 0 {
			t.Fatalf("memory %d: %d deliveries of %d rows, %d rejected", memory, len(out.drafts), out.rows, len(out.rejected))
		}
		for _, d := range out.drafts {
			if len(d.Items) != rounds || !slices.IsSorted(d.Rows) {
				t.Fatalf("memory %d: delivery %s has rows %v", memory, d.DONumber, d.Rows)
			}
			for i, it := range d.Items {
				if it.Quantity != int64(i+1) || it.ID != fmt.Sprintf("%s-%d", d.DONumber[1:], i) {
					t.Fatalf("memory %d: delivery %s has item %+v in place %d", memory, d.DONumber, it, i)
				}
			}
		}
	}
}

func TestEqualRowsAreSeparateItemsByTheirRow(t *testing.T) {
	t.Parallel()
	out, err := read(t, "a.csv", []byte("customer code,do number,date,sku,quantity\nA,1,2026-03-01,X,5\nA,1,2026-03-01,X,5\n"), importing.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := briefly(out.drafts), "A/1/2026-03-01[2*5 3*5]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestCodesAreComparedWithoutCaseAndNumbersWithIt(t *testing.T) {
	t.Parallel()
	out, err := read(t, "a.csv", []byte("customer code,do number,date,quantity\nApple Co,a 1,2026-03-01,1\nAPPLE  co,a  1,2026-03-01,2\nApple Co,A 1,2026-03-01,3\n"), importing.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := briefly(out.drafts), "Apple Co/A 1/2026-03-01[4*3] Apple Co/a 1/2026-03-01[2*1 3*2]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSameNumberWithAnotherDateIsAnotherDeliveryAndIsSaid(t *testing.T) {
	t.Parallel()
	out, err := read(t, "a.csv", []byte("customer code,do number,date\nA,1,2026-03-02\nB,1,2026-03-02\nA,1,2026-03-01\n"), importing.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := briefly(out.drafts), "A/1/2026-03-01[] A/1/2026-03-02[] B/1/2026-03-02[]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if len(out.notes) != 1 || !strings.Contains(out.notes[0].Text, "2026-03-01 and 2026-03-02 (rows 2 and 4)") {
		t.Errorf("notes %+v", out.notes)
	}
}

func TestARowThatCannotBeTakenIsNamedAndTakesItsDeliveryWithIt(t *testing.T) {
	t.Parallel()
	const header = "customer code,do number,date,type,quantity,row id\n"
	cases := map[string]struct {
		rows     string
		taken    string
		rejected []importing.Rejection // Reason: a part of it
	}{
		"wrong date": {"A,1,2026-02-30,,1,a\nA,2,2026-03-01,,1,b\n", "A/2/2026-03-01[b*1]",
			[]importing.Rejection{{Row: 2, Column: "date", Value: "2026-02-30", Number: "1", Reason: "want 2026-12-31 or 31-Dec-2026"}}},
		"missing date, and rows of the same number": {"A,1,,,1,a\nA,1,2026-03-01,,1,b\nB,1,2026-03-01,,1,c\n", "B/1/2026-03-01[c*1]",
			[]importing.Rejection{{Row: 2, Column: "date", Number: "1", Reason: "the date is missing"}, {Row: 3, Number: "1", Reason: "row 2 of the same D.O. number has no valid date"}}},
		"placeholder": {"A,1,Date Not Captured,,1,a\n", "",
			[]importing.Rejection{{Row: 2, Column: "date", Value: "Date Not Captured", Number: "1", Reason: "no date"}}},
		"wrong quantity": {"A,1,2026-03-01,,1,a\nA,1,2026-03-01,,\"1,5\",b\n", "",
			[]importing.Rejection{{Row: 3, Column: "quantity", Value: "1,5", Number: "1", Reason: "want a whole number"}, {Row: 2, Number: "1", Reason: "row 3 of the same delivery was not taken"}}},
		"wrong type":       {"A,1,2026-03-01,pickup,1,a\n", "", []importing.Rejection{{Row: 2, Column: "type", Value: "pickup", Number: "1", Reason: "want delivery or collection"}}},
		"no number":        {"A,,2026-03-01,,1,a\nA,2,2026-03-01,,1,b\n", "A/2/2026-03-01[b*1]", []importing.Rejection{{Row: 2, Column: "do number", Reason: "D.O. number is missing"}}},
		"too many cells":   {"A,1,2026-03-01,,1,a,oops\nA,2,2026-03-01,,1,b,\n", "A/2/2026-03-01[b*1]", []importing.Rejection{{Row: 2, Value: "oops", Reason: "the row has 7 columns, the header 6"}}},
		"stray quote":      {"A,1\",2026-03-01,,1,a\nA,2,2026-03-01,,1,b\n", "A/2/2026-03-01[b*1]", []importing.Rejection{{Row: 2, Reason: "a quote"}}},
		"item id twice":    {"A,1,2026-03-01,,1,a\nA,1,2026-03-01,,1,a\n", "", []importing.Rejection{{Row: 2, Number: "1", Reason: "rows 2 and 3"}, {Row: 3, Number: "1", Reason: "rows 2 and 3"}}},
		"zero byte":        {"A,1,2026-03-01,,1,a\x00\n", "", []importing.Rejection{{Row: 2, Column: "row id", Value: "a\x00", Number: "1", Reason: "zero byte"}}},
		"too long a value": {"A,1,2026-03-01,,1," + strings.Repeat("x", 9000) + "\n", "", []importing.Rejection{{Row: 2, Column: "row id", Value: strings.Repeat("x", 60) + "… (9000 characters)", Number: "1", Reason: "longer than 8192"}}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			contents := header + c.rows
			if name == "zero byte" {
				contents = header + strings.Repeat("Z,9,2026-03-01,,1,z\n", 0) + c.rows
			}
			cfg := importing.Config{}
			if strings.Contains(contents, "\x00") {
				cfg.Encoding = "utf-8" // named, so that the file is not taken for a binary one
			}
			out, err := read(t, "a.csv", []byte(contents), cfg)
			if err != nil {
				t.Fatal(err)
			}
			out.check(t, c.taken, c.rejected)
		})
	}
}

func TestADeliveryTooLargeForOneAppendIsRejectedRowByRow(t *testing.T) {
	t.Parallel()
	b := []byte("customer code,do number,date,quantity\n")
	for range 2500 {
		b = append(b, "A,1,2026-03-01,1\n"...)
	}
	out, err := read(t, "a.csv", append(b, "B,1,2026-03-01,1\n"...), importing.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.drafts) != 1 || len(out.rejected) != 2500 {
		t.Errorf("%d deliveries taken, %d rows rejected", len(out.drafts), len(out.rejected))
	}
}

func TestAFileThatCannotBeTakenIsAnErrorThatNamesWhatAndTheRemedy(t *testing.T) {
	t.Parallel()
	const good = "customer code,do number,date\nA,1,2026-03-01\n"
	cases := map[string]struct {
		contents string
		cfg      importing.Config
		want     string
	}{
		"empty":                  {"", importing.Config{}, "empty (0 bytes)"},
		"header only":            {"customer code,do number,date\n,,\n", importing.Config{}, "no row with anything in it"},
		"missing mapped column":  {good, importing.Config{Columns: map[importing.Field]string{importing.Group: "projct code"}}, `no column "projct code" (given for group); its columns are: customer code, do number, date`},
		"missing group":          {"do number,date\n1,2026-03-01\n", importing.Config{}, "name it with group="},
		"missing number":         {"customer code,date\nA,2026-03-01\n", importing.Config{}, "name it with number="},
		"number said to be none": {good, importing.Config{Columns: map[importing.Field]string{importing.Number: "-"}}, "A delivery has a number"},
		"unknown field":          {good, importing.Config{Columns: map[importing.Field]string{"colour": "x"}}, `no field "colour"`},
		"column twice":           {"customer code,do number,date,Date\nA,1,2026-03-01,2026-03-02\n", importing.Config{}, "2 columns named"},
		"unknown encoding":       {good, importing.Config{Encoding: "ebcdic"}, `encoding "ebcdic" is not known`},
		"header not UTF-8":       {"customer code,do number,date,stra\xdfe\nA,1,2026-03-01,x\n", importing.Config{}, "The header of export.csv (row 1) holds bytes that are no text"},
		"unknown order":          {good, importing.Config{DateOrder: "DD/YYYY"}, "date order"},
		"ambiguous dates":        {"customer code,do number,date\nA,1,01/02/2026\n", importing.Config{}, `such as "01/02/2026" in row 2`},
		"contradicting dates":    {"customer code,do number,date\nA,1,13/02/2026\nA,2,02/13/2026\n", importing.Config{}, "row 2 has the day first, row 3 the month"},
		"old workbook":           {"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", importing.Config{}, "save it as .xlsx"},
		"web page":               {"<html><table>", importing.Config{}, "HTML"},
		"pdf":                    {"%PDF-1.7 ...", importing.Config{}, "PDF"},
		"gzip":                   {"\x1f\x8b\x08\x00", importing.Config{}, "unpack"},
		"binary":                 {"abc\x00\x01\x02", importing.Config{}, "zero bytes"},
		"zip but no workbook":    {"PK\x03\x04rubbish", importing.Config{}, "cannot be read as an .xlsx workbook"},
		"open quote":             {good + "B,\"2,2026-03-01\nB,3,2026-03-01\n", importing.Config{}, "opened in row 3"},
		"endless record":         {good + "B,\"" + strings.Repeat("x\n", 1<<20), importing.Config{}, "never closed"},
		"wrong delimiter":        {good, importing.Config{Delimiter: '"'}, "cannot divide columns"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := read(t, "export.csv", []byte(c.contents), c.cfg)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want one that says %q", err, c.want)
			}
			if fault.KindOf(err) != fault.Invalid {
				t.Errorf("kind %v, want invalid", fault.KindOf(err))
			}
		})
	}
}

func TestAFileThatIsNotThereOrADirectoryIsNamed(t *testing.T) {
	t.Parallel()
	for _, path := range []string{filepath.Join(t.TempDir(), "nowhere.csv"), t.TempDir()} {
		_, err := readPath(t, path, importing.Config{})
		if err == nil || !strings.Contains(err.Error(), filepath.Base(path)+" cannot be read") {
			t.Errorf("error %v does not name %s", err, path)
		}
	}
}

func TestTextInAnyUsualFormReadsTheSame(t *testing.T) {
	t.Parallel()
	const plain = "Customer Code,D.O. No.,Date,Address,Qty\nÄpfel,1,2026-03-01,\"Straße 1,\nHof\",3\nB,2,2026-03-02,,\n"
	utf16 := func(s string, high int) []byte {
		b := []byte{}
		for _, r := range "\uFEFF" + s {
			pair := []byte{byte(r), byte(r >> 8)}
			b = append(b, pair[high], pair[1-high])
		}
		return b
	}
	latin := []byte{}
	for _, r := range plain {
		latin = append(latin, byte(r))
	}
	cases := map[string]struct {
		contents []byte
		cfg      importing.Config
	}{
		"plain":          {[]byte(plain), importing.Config{}},
		"mark":           {[]byte("\uFEFF" + plain), importing.Config{}},
		"CRLF":           {[]byte(strings.ReplaceAll(plain, "\n", "\r\n")), importing.Config{}},
		"CR":             {[]byte(strings.ReplaceAll(plain, "\n", "\r")), importing.Config{}},
		"no last end":    {[]byte(strings.TrimRight(plain, "\n")), importing.Config{}},
		"semicolons":     {[]byte(strings.NewReplacer("1,\n", "1,\n", ",", ";").Replace(plain)), importing.Config{}},
		"tabs":           {[]byte(strings.NewReplacer("1,\n", "1,\n", ",", "\t").Replace(plain)), importing.Config{}},
		"bars, named":    {[]byte(strings.NewReplacer("1,\n", "1,\n", ",", "|").Replace(plain)), importing.Config{Delimiter: '|'}},
		"UTF-16LE":       {utf16(plain, 0), importing.Config{}},
		"UTF-16BE":       {utf16(plain, 1), importing.Config{}},
		"windows-1252":   {latin, importing.Config{Encoding: "windows-1252"}},
		"iso-8859-1":     {latin, importing.Config{Encoding: "iso-8859-1"}},
		"mapped columns": {[]byte(strings.Replace(plain, "Customer Code", "project", 1)), importing.Config{Columns: map[importing.Field]string{importing.Group: " PROJECT "}}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := read(t, "a.csv", c.contents, c.cfg)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := briefly(out.drafts), "B/2/2026-03-02[] Äpfel/1/2026-03-01[2*3]"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			if got, want := out.drafts[1].Address, "Straße 1,\nHof"; got != want {
				t.Errorf("address %q, want %q", got, want)
			}
		})
	}
}

func TestNoGroupColumnMakesUntaggedDeliveriesOnlyWhenSaid(t *testing.T) {
	t.Parallel()
	out, err := read(t, "a.csv", []byte("do number,date\n1,2026-03-01\n"), importing.Config{Columns: map[importing.Field]string{importing.Group: importing.NoColumn}})
	if err != nil || briefly(out.drafts) != "/1/2026-03-01[]" {
		t.Errorf("got %s, %v", briefly(out.drafts), err)
	}
}

func TestAStoppedContextStopsStaging(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.csv")
	if err := os.WriteFile(path, []byte("customer code,do number,date\nA,1,2026-03-01\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := importing.Stage(ctx, path, importing.Config{TempDir: t.TempDir()}); err == nil {
		t.Error("staged in spite of a cancelled context")
	}
}

func TestAnUploadReadsLikeAFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	kept, err := importing.Keep(strings.NewReader("customer code,do number,date\nA,1,2026-03-01\n"), "../../x/up.csv", dir)
	if err != nil {
		t.Fatal(err)
	}
	f, err := kept.Stage(context.Background(), importing.Config{TempDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := kept.Close(); err != nil { // what was staged does not need it any more
		t.Fatal(err)
	}
	if f.Name() != "up.csv" || f.Rows() != 1 {
		t.Errorf("name %q, %d rows", f.Name(), f.Rows())
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	noneLeft(t, dir)
}
