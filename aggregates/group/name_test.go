package group

import (
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestNamesAreTheSameWhateverTheirSpelling(t *testing.T) {
	t.Parallel()
	for _, same := range [][]string{
		{"Apple Inc", " apple   INC ", "ＡＰＰＬＥ\u00a0inc", "Apple\tInc"},
		{"Straße", "STRASSE", "strasse"},
		{"é", "e\u0301", "É"},
		{"ﬁve", "FIVE"},
	} {
		for _, other := range same[1:] {
			if NormalName(other) != NormalName(same[0]) {
				t.Errorf("%q (%q) is another name than %q (%q)", other, NormalName(other), same[0], NormalName(same[0]))
			}
		}
	}
	if NormalName("Apple") == NormalName("Appel") {
		t.Error("two names are one")
	}
}

func TestEveryLetterHasOneNormalFormInAllItsCases(t *testing.T) {
	t.Parallel()
	for r := rune(0); r <= unicode.MaxRune; r++ {
		other := unicode.SimpleFold(r)
		if other == r {
			continue
		}
		once := NormalName(string(r))
		if NormalName(once) != once || NormalName(string(other)) != once {
			t.Errorf("%q has the normal form %q, that has %q, and %q has %q", r, once, NormalName(once), other, NormalName(string(other)))
		}
	}
}

func FuzzTheNormalFormOfANameIsItsOwnNormalForm(f *testing.F) {
	for _, s := range []string{"Apple Inc", "Straße", "\u0345", "ᾳ", "ẞ", "ⅷ", "ꭰ", "Ꭰ", "\u1e9b\u0323", "İ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return
		}
		if once := NormalName(s); NormalName(once) != once {
			t.Errorf("%q has the normal form %q, which has the normal form %q", s, once, NormalName(once))
		}
	})
}

func TestTheNormalFormOfANameIsItsOwnNormalForm(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "name")
		if once := NormalName(s); NormalName(once) != once {
			t.Fatalf("%q has the normal form %q, which has the normal form %q", s, once, NormalName(once))
		}
	})
}
