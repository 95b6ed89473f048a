package filter

import (
	"errors"
	"testing"
)

func TestFilterMatchesTheNameItIsMadeFor(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name         string
		byType       bool
		prefixes     []string
		regex        string
		stream, kind string
		want         bool
	}{
		{"stream prefix", false, []string{"User-", "Group-"}, "", "Group-1", "Added", true},
		{"stream prefix, other stream", false, []string{"User-"}, "", "Group-1", "User-", false},
		{"type prefix", true, []string{"User"}, "", "Group-1", "UserAdded", true},
		{"type prefix, other type", true, []string{"User"}, "", "User-1", "GroupAdded", false},
		{"regex anywhere in the stream", false, nil, "oup", "Group-1", "Added", true},
		{"anchored regex on the type", true, nil, "^[^\\$].*", "x", "$metadata", false},
		{"anchored regex on the type, match", true, nil, "^[^\\$].*", "$x", "Added", true},
		{"prefixes win over a regex", false, []string{"A"}, "B", "B", "t", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f, err := New(c.byType, c.prefixes, c.regex)
			if err != nil {
				t.Fatal(err)
			}
			if got := f.Match([]byte(c.stream), []byte(c.kind)); got != c.want {
				t.Errorf("Match(%q, %q) = %v, want %v", c.stream, c.kind, got, c.want)
			}
		})
	}
}

func TestFilterThatCannotBeAppliedIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := New(false, nil, ""); !errors.Is(err, ErrEmpty) {
		t.Errorf("empty filter: %v, want ErrEmpty", err)
	}
	if _, err := New(false, nil, "(?=ahead)"); err == nil {
		t.Error("a regular expression that RE2 does not know was taken")
	}
}

func TestNoFilterMatchesAll(t *testing.T) {
	t.Parallel()
	var none *Filter
	if !none.Match([]byte("s"), []byte("t")) || !(&Filter{}).Match([]byte("s"), []byte("t")) {
		t.Error("no filter refused an event")
	}
}
