package search_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"waybill/events/search"
)

func TestWhatHasAWordHasItsGrams(t *testing.T) {
	t.Parallel()
	org := uuid.New()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ab c日é\n]{0,40}`))
		whole := search.Normal(text.Draw(t, "line")) + "\n" + search.Normal(text.Draw(t, "another line"))
		grams := search.Grams(org, whole)
		if !slices.IsSorted(grams) || len(slices.Compact(slices.Clone(grams))) != len(grams) {
			t.Fatalf("grams %v are not in order, or not each once", grams)
		}
		for word := range strings.FieldsSeq(whole) {
			letters := []rune(word)
			from := rapid.IntRange(0, len(letters)-1).Draw(t, "from")
			part := string(letters[from:rapid.IntRange(from+1, len(letters)).Draw(t, "to")])
			for _, g := range search.Grams(org, part) {
				if _, found := slices.BinarySearch(grams, g); !found {
					t.Fatalf("%q has a part %q with a gram that it has not itself", whole, part)
				}
			}
			if n := len([]rune(part)); (len(search.Grams(org, part)) > 0) != (n >= 3) {
				t.Fatalf("%q of %d characters has %d grams", part, n, len(search.Grams(org, part)))
			}
		}
	})
}

func TestGramsTellTextsAndOrganisationsApart(t *testing.T) {
	t.Parallel()
	org := uuid.New()
	if got := len(search.Grams(org, "main street\nmain")); got != 6 {
		t.Errorf("%d grams, want mai, ain, str, tre, ree and eet", got)
	}
	if slices.Equal(search.Grams(org, "street"), search.Grams(uuid.New(), "street")) {
		t.Error("two organisations have the same grams")
	}
}
