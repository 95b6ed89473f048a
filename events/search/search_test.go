package search_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"waybill/events/search"
)

func TestNormalFormsOfWhatPeopleMeanTheSame(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"  Main   Street\t1\n": "main street 1",
		"Zoë MÜLLER":           "zoe muller",
		"Straße":               "strasse",
		"ＤＯ７":                  "do7",
		"Ｚoe\u0308":            "zoe",
		"日本":                   "日本",
		"":                     "",
		"ÅNGSTRÖM":             "angstrom",
	} {
		if got := search.Normal(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
	if got := search.Words(" Tan  zoë TAN "); !slices.Equal(got, []string{"tan", "zoe"}) {
		t.Errorf("words %q", got)
	}
}

func TestTheNormalFormIsOneAlready(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		once := search.Normal(rapid.String().Draw(t, "text"))
		if twice := search.Normal(once); twice != once {
			t.Fatalf("%q becomes %q", once, twice)
		}
	})
}
