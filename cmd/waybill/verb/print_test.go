package verb_test

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"waybill/aggregates/access/route"
	"waybill/cmd/waybill/verb"
)

func printed(t *testing.T, v verb.Verb, answer string) string {
	t.Helper()
	var b strings.Builder
	if err := v.Print(&b, jsontext.Value(answer), true); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAnswersAreTextForPeople(t *testing.T) {
	t.Parallel()
	got := printed(t, verb.Verb{}, `{"id": "x", "none": null, "of": {"name": "A \"B\""}, "groups": ["a", "b"], "empty": [], "items": [{"sku": "1"}, {"sku": "2", "note": "n"}], "n": 7}`)
	const want = `id       x
none     -
of.name  A "B"
groups   a, b
empty    -
n        7
items
  SKU  NOTE
  1    -
  2    n
`
	if got != want {
		t.Errorf("it prints\n%s\nwant\n%s", got, want)
	}
	list := verb.Verb{Route: route.Route{Columns: []string{"name", "id"}}}
	if got := printed(t, list, `{"users": [{"id": "1", "name": "Adam", "more": true}], "next": "c"}`); got != "NAME  ID\nAdam  1\n" {
		t.Errorf("a list prints\n%s", got)
	}
}

func TestWhatOthersWroteDoesNothingToATerminal(t *testing.T) {
	t.Parallel()
	got := printed(t, verb.Verb{}, `{"name": "\u001b[2Jgone\u0007\r\n\u009b31m\u202edrawkcab", "nest": [{"a": "\u001b]0;x"}]}`)
	for _, r := range got {
		if r != '\n' && (r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u202e') {
			t.Errorf("%q lets %U through", got, r)
		}
	}
	if !strings.Contains(got, `\u001b[2Jgone`) {
		t.Errorf("it hides what is there: %q", got)
	}
}

func TestAMemberIsFoundByItsName(t *testing.T) {
	t.Parallel()
	const answer = `{"id": "x", "of": {"id": "y", "n": 9007199254740993}, "null": null}`
	for name, want := range map[string]string{"id": "x", "of.id": "y", "of.n": "9007199254740993", "null": "", "lost": "", "id.id": ""} {
		if got := verb.Member(jsontext.Value(answer), name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestAShellReadsALineAsItWasMeant(t *testing.T) {
	t.Parallel()
	if got := verb.Shell([]string{"a", "it's", "", "x y", "$HOME", "k=v,w", "{}"}); got != `a 'it'\''s' '' 'x y' '$HOME' k=v,w '{}'` {
		t.Error(got)
	}
}
