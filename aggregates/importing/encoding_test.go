package importing_test

import (
	"strings"
	"testing"
	"unicode/utf16"

	"waybill/aggregates/importing"
)

// wide writes text as UTF-16 with a byte order mark.
func wide(text string, bigEndian bool) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune("\uFEFF" + text)) {
		low, high := byte(u), byte(u>>8)
		if bigEndian {
			low, high = high, low
		}
		b = append(b, low, high)
	}
	return b
}

func TestBytesThatAreNoTextAreReportedByRowAndNeverReplaced(t *testing.T) {
	t.Parallel()
	const header = "customer code,do number,date,address,row id,remark\n"
	const taken = "A,1,2026-03-01,Main Street,a,\n"
	half := string(wide(header+taken+"A,2,2026-03-01,Half _,b,\n", false))
	half = strings.Replace(half, "_\x00", "\x3D\xD8", 1) // the first of a pair, alone
	cases := map[string]struct {
		contents string
		cfg      importing.Config
		rejected []importing.Rejection // Reason: a part of it
		taken    string
	}{
		"windows-1252 that was not named": {header + taken + "A,2,2026-03-01,Stra\xdfe 1,b,\nA,3,2026-03-01,x,c,\n", importing.Config{},
			[]importing.Rejection{{Row: 3, Column: "address", Value: "Stra\uFFFDe 1", Number: "2", Reason: "name its encoding (such as windows-1252)"}}, "A/1/2026-03-01[a*1] A/3/2026-03-01[c*1]"},
		"it takes its delivery with it": {header + taken + "A,1,2026-03-01,Main Street,b\xff,\n", importing.Config{},
			[]importing.Rejection{{Row: 3, Column: "row id", Value: "b\uFFFD", Number: "1", Reason: "no text"}, {Row: 2, Number: "1", Reason: "row 3 of the same delivery"}}, ""},
		"in a column without a meaning": {header + "A,1,2026-03-01,Main Street,a,caf\xe9\n", importing.Config{}, nil, "A/1/2026-03-01[a*1]"},
		"a cut-off character at the end": {header + taken + "A,2,2026-03-01,x,\xe2\x82", importing.Config{},
			[]importing.Rejection{{Row: 3, Column: "row id", Value: "\uFFFD\uFFFD", Number: "2", Reason: "no text"}}, "A/1/2026-03-01[a*1]"},
		"half a pair of UTF-16": {half, importing.Config{},
			[]importing.Rejection{{Row: 3, Column: "address", Value: "Half \uFFFD", Number: "2", Reason: "no text"}}, "A/1/2026-03-01[a*1]"},
		"half a character of UTF-16 at the end": {string(wide(header+taken+"A,2,2026-03-01,x,b", false)) + "c", importing.Config{},
			[]importing.Rejection{{Row: 3, Column: "row id", Value: "b\uFFFD", Number: "2", Reason: "no text"}}, "A/1/2026-03-01[a*1]"},
		"a byte that windows-1252 does not have": {header + taken + "A,2,2026-03-01,\x81,b,\n", importing.Config{Encoding: "windows-1252"},
			[]importing.Rejection{{Row: 3, Column: "address", Value: "\uFFFD", Number: "2", Reason: "no text"}}, "A/1/2026-03-01[a*1]"},
		"what somebody else replaced is text": {header + "A,1,2026-03-01,Stra\uFFFDe,a,\n", importing.Config{}, nil, "A/1/2026-03-01[a*1]"},
		"windows-1252 has what is between":    {header + "A,1,2026-03-01,\x80 \x85,a,\n", importing.Config{Encoding: "windows-1252"}, nil, "A/1/2026-03-01[a*1]"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := read(t, "a.csv", []byte(c.contents), c.cfg)
			if err != nil {
				t.Fatal(err)
			}
			out.check(t, c.taken, c.rejected)
		})
	}
}

func TestLineEndsMayBeMixedAndRowsAreNumberedAsAnEditorDoes(t *testing.T) {
	t.Parallel()
	out, err := read(t, "a.csv", []byte("customer code,do number,date,address\r\nA,1,2026-03-01,\"one\rtwo\"\rA,2,soon,\nA,3,2026-03-01,\"\r\n\"\r\n"), importing.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := briefly(out.drafts), "A/1/2026-03-01[] A/3/2026-03-01[]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if out.drafts[0].Address != "one\ntwo" || len(out.rejected) != 1 || out.rejected[0].Row != 4 {
		t.Errorf("address %q, rejected %+v", out.drafts[0].Address, out.rejected)
	}
}

func TestUTF16IsReadByItsMark(t *testing.T) {
	t.Parallel()
	for _, big := range []bool{false, true} {
		out, err := read(t, "a.csv", wide("customer code;do number;date;address\r\nA;1;2026-03-01;\"Straße €, 🚚\n4\"\r\n", big), importing.Config{})
		if err != nil {
			t.Fatal(err)
		}
		if briefly(out.drafts) != "A/1/2026-03-01[]" || out.drafts[0].Address != "Straße €, 🚚\n4" {
			t.Errorf("big endian %v: %+v", big, out.drafts)
		}
	}
}
