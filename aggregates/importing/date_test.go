package importing

import (
	"testing"
	"time"
)

func TestADateReadsInOneWayOrNotAtAll(t *testing.T) {
	t.Parallel()
	cases := []struct {
		value string
		order order
		want  string // empty = refused
	}{
		{"2026-03-01", unsettled, "2026-03-01"},
		{"2026/3/1", dayFirst, "2026-03-01"},
		{"20260301", monthFirst, "2026-03-01"},
		{"2-Jun-06", unsettled, "2006-06-02"},
		{"02 June 2006", unsettled, "2006-06-02"},
		{"Jun 2, 2006", unsettled, "2006-06-02"},
		{"2006-Jun-2", unsettled, "2006-06-02"},
		{"14-Nov-69", unsettled, "1969-11-14"},
		{"14-Sept-68", unsettled, "2068-09-14"},
		{"1/2/2026", dayFirst, "2026-02-01"},
		{"1/2/2026", monthFirst, "2026-01-02"},
		{"1.2.26", dayFirst, "2026-02-01"},
		{"26/2/1", yearFirst, "2026-02-01"},
		{"3/3/2026", unsettled, "2026-03-03"},
		{"13/2/2026", monthFirst, ""},
		{"2/13/2026", dayFirst, ""},
		{"2026-03-01 14:05:00", unsettled, "2026-03-01"},
		{"2026-03-01T14:05", unsettled, "2026-03-01"},
		{"2026-02-29", unsettled, ""},
		{"2024-02-29", unsettled, "2024-02-29"},
		{"Pre-PQ Process", unsettled, ""},
		{"31-Foo-2026", unsettled, ""},
		{"0-0-0", dayFirst, ""},
		{"2026", unsettled, ""},
		{"46000", unsettled, ""}, // a workbook's number is no date in a text file
		{"-", unsettled, ""},
	}
	for _, c := range cases {
		d := dates{order: c.order}
		got, err := d.parse(c.value)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%q as %q: got %q, %v; want %q", c.value, c.order, got, err, c.want)
		}
	}
}

func TestAWorkbooksNumberIsADateOfItsCalendar(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		value    string
		from1904 bool
		want     string
	}{{"61", false, "1900-03-01"}, {"46082", false, "2026-03-01"}, {"46082.75", false, "2026-03-01"}, {"44620", true, "2026-03-01"}} {
		if got, ok := serialDate(c.value, c.from1904); !ok || got != c.want {
			t.Errorf("%s: got %q, want %q", c.value, got, c.want)
		}
	}
	for _, v := range []string{"", "x", "1", "1e9", "NaN"} {
		if got, ok := serialDate(v, false); ok {
			t.Errorf("%q became %q", v, got)
		}
	}
}

// Whatever the text, what is taken for a date is one, and reads as itself again.
func FuzzADateIsOneOfTheCalendar(f *testing.F) {
	for _, seed := range []string{"2026-03-01", "2-Jun-06", "Jun 2, 2006", "31/12/99", "46082.5", "2026-03-01T10:00", "1..2..3", "٣/٤/٢٠٢٦"} {
		f.Add(seed, "DMY", true)
	}
	f.Fuzz(func(t *testing.T, value, o string, serial bool) {
		d := dates{order: order(o), serial: serial}
		d.observe(2, value)
		got, err := d.parse(value)
		if err != nil {
			return
		}
		if _, err := time.Parse(time.DateOnly, got); err != nil {
			t.Fatalf("%q became %q", value, got)
		}
		if again, err := d.parse(got); err != nil || again != got {
			t.Fatalf("%q became %q, and that %q (%v)", value, got, again, err)
		}
	})
}
