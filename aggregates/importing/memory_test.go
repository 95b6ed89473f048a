package importing_test

import (
	"archive/zip"
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"waybill/aggregates/importing"
)

// large writes an export whose deliveries have two rows, the whole file apart, as
// text.
func large(t *testing.T, w io.Writer, deliveries int) {
	t.Helper()
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, "customer code,do number,date,address,description,quantity")
	for range 2 {
		for i := range deliveries {
			fmt.Fprintf(b, "C%d,N-%d,2026-03-01,\"%d Mill Lane, a town of some name\",\"Nevirapine 200mg, tablets, 60 Tabs\",%d\n", i%100, i, i, i)
		}
	}
	if err := b.Flush(); err != nil {
		t.Fatal(err)
	}
}

// largeBook writes the same as a workbook, with a text of its own for every
// delivery in the table of texts.
func largeBook(t *testing.T, w io.Writer, deliveries int) {
	t.Helper()
	z := zip.NewWriter(w)
	create := func(name string) *bufio.Writer {
		part, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		return bufio.NewWriter(part)
	}
	end := func(b *bufio.Writer) {
		if err := b.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	b := create("xl/workbook.xml")
	fmt.Fprint(b, `<workbook xmlns:r="r"><sheets><sheet name="One" sheetId="1" r:id="a"/></sheets></workbook>`)
	end(b)
	b = create("xl/_rels/workbook.xml.rels")
	fmt.Fprint(b, `<Relationships><Relationship Id="a" Type="x/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="b" Type="x/sharedStrings" Target="sharedStrings.xml"/></Relationships>`)
	end(b)
	b = create("xl/sharedStrings.xml")
	fmt.Fprint(b, `<sst>`)
	for i := range deliveries {
		fmt.Fprintf(b, `<si><t>%d Mill Lane, a town of some name</t></si>`, i)
	}
	fmt.Fprint(b, `</sst>`)
	end(b)
	b = create("xl/worksheets/sheet1.xml")
	fmt.Fprint(b, `<worksheet><sheetData><row r="1">`)
	for i, title := range []string{"customer code", "do number", "date", "address", "quantity"} {
		fmt.Fprintf(b, `<c r="%c1" t="inlineStr"><is><t>%s</t></is></c>`, 'A'+i, title)
	}
	fmt.Fprint(b, `</row>`)
	for round := range 2 {
		for i := range deliveries {
			r := 2 + round*deliveries + i
			fmt.Fprintf(b, `<row r="%d"><c r="A%d" t="inlineStr"><is><t>C%d</t></is></c><c r="B%d" t="inlineStr"><is><t>N-%d</t></is></c><c r="C%d"><v>46082</v></c><c r="D%d" t="s"><v>%d</v></c><c r="E%d"><v>%d</v></c></row>`, r, r, i%100, r, i, r, r, i, r, i)
		}
	}
	fmt.Fprint(b, `</sheetData></worksheet>`)
	end(b)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
}

// Not parallel: it looks at the whole process' memory.
func TestMemoryDoesNotGrowWithTheFile(t *testing.T) {
	for name, c := range map[string]struct {
		deliveries int
		write      func(*testing.T, io.Writer, int)
	}{"large.csv": {60_000, large}, "large.xlsx": {25_000, largeBook}} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), name)
			f, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			c.write(t, f, c.deliveries)
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			measure(t, path, c.deliveries)
		})
	}
}

// measure reads a file and compares what that takes with what it may.
func measure(t *testing.T, path string, deliveries int) {
	t.Helper()
	live := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := live()
	staged, err := importing.Stage(context.Background(), path, importing.Config{TempDir: t.TempDir(), SortMemory: 512 << 10})
	if err != nil {
		t.Fatal(err)
	}
	defer staged.Close()
	peak, n := live(), 0
	for d, err := range staged.Deliveries() {
		if err != nil || len(d.Items) != 2 {
			t.Fatalf("delivery %s has %d items (%v)", d.DONumber, len(d.Items), err)
		}
		if n++; n%10_000 == 0 {
			peak = max(peak, live())
		}
	}
	const allowed = 8 << 20 // sorting, one buffer per run; what was read is larger
	if n != deliveries || peak-before > allowed {
		t.Errorf("%d deliveries took %d KiB of memory, allowed are %d", n, (peak-before)>>10, allowed>>10)
	}
}
