package main

import (
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

func TestHelpNamesEveryVerbAndHowFlagsAreGivenByEnvironment(t *testing.T) {
	t.Parallel()
	top := mustRun(t, "--help")
	for _, verb := range []string{"serve", "demo", "import", "organisation", "sign-in-link", "migrate", "rebuild", "eventstore", "version"} {
		if !strings.Contains(top, "  "+verb) {
			t.Errorf("--help does not name %s", verb)
		}
		mustRun(t, verb, "--help")
	}
	serve := mustRun(t, "serve", "--help")
	for _, name := range []string{"WAYBILL_LISTEN", "WAYBILL_DATA", "WAYBILL_EVENTSTORE", "WAYBILL_POSTGRES", "WAYBILL_SETUP_TOKEN", "WAYBILL_LOG_LEVEL"} {
		if !strings.Contains(serve, name) {
			t.Errorf("serve --help does not name %s", name)
		}
	}
	if !strings.HasPrefix(mustRun(t, "version"), "waybill ") {
		t.Error("version does not say what it is the version of")
	}
}

func TestWrongUsageIsExitCode2(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"nonsense"}, {"serve", "extra"}, {"import"}, {"organisation", "create", "X"}, {"serve", "--log-level", "loud"}} {
		refused{args, exitUsage, []string{"see waybill ", "--help"}}.check(t)
	}
}

func TestNumbersAndNamesAreWrittenForPeople(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 10324: "10,324", 1234567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
	for name, want := range map[string]string{"100-CI-T01": "100-ci-t01", "Äpfel & Co.": "pfel-co", "***": "x", "  A  b ": "a-b"} {
		if got := slugOf(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestEveryHelpHasAnExampleAndNoFlagIsThereTwice(t *testing.T) {
	t.Parallel()
	all, err := declared()
	if err != nil {
		t.Fatal(err)
	}
	nouns := []string{"serve", "demo", "import", "sign-in-link", "mail", "status", "consumer", "migrate", "rebuild", "eventstore", "permissions", "version", "login", "logout"}
	for _, v := range all {
		nouns = append(nouns, v.Noun)
	}
	c := cli{Plugins: all.plugins(nouns, "organisation")}
	c.Organisation.Plugins = all.within("organisation")
	parser, err := kong.New(&c, kong.Name("waybill"), kong.ExplicitGroups(groups()), all.explained(nouns))
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	err = kong.Visit(parser.Model, func(node kong.Visitable, next kong.Next) error {
		if n, ok := node.(*kong.Node); ok && n.Type == kong.CommandNode {
			seen++
			if !strings.Contains(n.Detail, "Example:\n\n    waybill "+strings.Fields(typed(n))[0]) {
				t.Errorf("waybill %s --help has no example", typed(n))
			}
			if n.Help == "" || len(n.Children) == 0 && strings.TrimSuffix(n.Help, ".") == n.Help {
				t.Errorf("waybill %s says of itself %q", typed(n), n.Help)
			}
		}
		return next(nil)
	})
	if err != nil || seen < len(all) {
		t.Errorf("%v, %d commands", err, seen)
	}
}
