package main

import (
	"strings"
	"testing"
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
