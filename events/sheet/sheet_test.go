package sheet_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"waybill/events/sheet"
)

func TestWhatBeginsLikeAFormulaIsGuarded(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"":                   "",
		"DO-1":               "DO-1",
		"it's":               "it's",
		"'quoted'":           "'quoted'",
		`=HYPERLINK("x")`:    `'=HYPERLINK("x")`,
		"+65 6123 4567":      "'+65 6123 4567",
		"-5":                 "'-5",
		"@SUM(A1)":           "'@SUM(A1)",
		"\t=1":               "'\t=1",
		"\rx":                "'\rx",
		"  =1":               "'  =1",
		"＝1":                 "'＝1",
		"'=1":                "''=1",
		"''-1":               "'''-1",
		"2026-03-02":         "2026-03-02",
		"7-11 Street (=new)": "7-11 Street (=new)",
	} {
		got := sheet.Guard(value)
		if got != want {
			t.Errorf("%q is written as %q, want %q", value, got, want)
		}
		if back := sheet.Plain(got); back != value {
			t.Errorf("%q reads back as %q", value, back)
		}
	}
}

func TestEveryValueReadsBackAsItWas(t *testing.T) {
	t.Parallel()
	alphabet := rapid.StringOf(rapid.SampledFrom([]rune("'=+-@＝ \t\r\nab1")))
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(alphabet, rapid.String()).Draw(t, "value")
		written := sheet.Guard(value)
		if back := sheet.Plain(written); back != value {
			t.Fatalf("%q is written as %q and reads back as %q", value, written, back)
		}
		if first := strings.TrimSpace(written); first != "" && strings.ContainsRune("=+-@", rune(first[0])) {
			t.Fatalf("%q is written as %q, which is a formula", value, written)
		}
	})
}
