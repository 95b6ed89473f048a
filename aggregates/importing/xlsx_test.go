package importing_test

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"waybill/aggregates/importing"
)

// book makes a workbook of one sheet.
func book(t testing.TB, rows ...[]any) []byte {
	t.Helper()
	f := excelize.NewFile()
	for i, r := range rows {
		cell, err := excelize.CoordinatesToCellName(1, i+1)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.SetSheetRow("Sheet1", cell, &r); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestAWorkbookReadsByWhatItIsNotByItsName(t *testing.T) {
	t.Parallel()
	contents := book(t,
		[]any{"Customer Code", "D.O. No.", "Delivery Date", "Qty"},
		[]any{"APPLE", 1001, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), 2},
		[]any{},
		[]any{"APPLE", 1001, "2026-03-01", 3.0},
		[]any{"", "D4", "2-Mar-26"},
		[]any{"APPLE", 1002, "soon", 1},
	)
	out, err := read(t, "export.csv", contents, importing.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := briefly(out.drafts), "/D4/2026-03-02[] APPLE/1001/2026-03-01[2*2 4*3]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if len(out.rejected) != 1 || out.rejected[0].Row != 6 {
		t.Errorf("rejected %+v", out.rejected)
	}
}

func TestASheetIsChosenByName(t *testing.T) {
	t.Parallel()
	contents := book(t, []any{"Customer Code", "D.O. No.", "Delivery Date"}, []any{"A", "1", "2026-03-01"})
	if _, err := read(t, "a.xlsx", contents, importing.Config{Sheet: "sheet1"}); err != nil {
		t.Error(err)
	}
	_, err := read(t, "a.xlsx", contents, importing.Config{Sheet: "March"})
	if err == nil || !strings.Contains(err.Error(), `no sheet "March"; its sheets are: Sheet1`) {
		t.Errorf("error %v", err)
	}
}

func TestACutOffWorkbookIsAnError(t *testing.T) {
	t.Parallel()
	contents := book(t, []any{"Customer Code", "D.O. No.", "Delivery Date"}, []any{"A", "1", "2026-03-01"})
	for _, n := range []int{5, len(contents) / 2, len(contents) - 10} {
		if _, err := read(t, "a.xlsx", contents[:n], importing.Config{}); err == nil {
			t.Errorf("the first %d of %d bytes were taken for a workbook", n, len(contents))
		}
	}
}

func TestASheetThatIsDamagedInTheMiddleIsAnErrorNotAShorterFile(t *testing.T) {
	t.Parallel()
	contents := book(t, []any{"Customer Code", "D.O. No.", "Delivery Date"}, []any{"A", "1", "2026-03-01"}, []any{"A", "2", "2026-03-01"}, []any{"A", "3", "2026-03-01"})
	z, err := zip.NewReader(bytes.NewReader(contents), int64(len(contents)))
	if err != nil {
		t.Fatal(err)
	}
	var damaged bytes.Buffer
	w := zip.NewWriter(&damaged)
	for _, part := range z.File {
		r, err := part.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		text = bytes.Replace(text, []byte(`<row r="3"`), []byte(`<row r="3"></row>`+"\x0b"+`<row r="3"`), 1)
		out, err := w.Create(part.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := out.Write(text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = read(t, "a.xlsx", damaged.Bytes(), importing.Config{})
	if err == nil || !strings.Contains(err.Error(), "damaged in or after row 3") {
		t.Errorf("error %v", err)
	}
}
