package main

import (
	"strings"
	"testing"
)

func TestLinksLeadToTheServerThatRunsOnTheData(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	first := func(out string) string { line, _, _ := strings.Cut(out, "\n"); return line }
	create := func(name string, flags ...string) ended {
		t.Helper()
		e := run(t, append([]string{"organisation", "create", name, "--owner-name", "Otto", "--owner-email", name + "@otto.example", "--data", dir}, flags...)...)
		if e.code != exitOK {
			t.Fatalf("exit code %d\n%s", e.code, e.stderr)
		}
		return e
	}
	leads := func(out, to string) {
		t.Helper()
		if !strings.Contains(out, to+"/set-password#") {
			t.Errorf("want a link to %s:\n%s", to, out)
		}
	}

	alone := create("alone")
	leads(alone.stdout, "http://127.0.0.1:8080")
	if !strings.Contains(alone.stderr, "no server runs") || !strings.Contains(alone.stderr, "--public-url") {
		t.Errorf("a guess is not called one: %q", alone.stderr)
	}
	s := startServer(t, "serve", "--listen", "127.0.0.1:0", "--data", dir)
	beside := create("beside")
	if leads(beside.stdout, s.url); beside.stderr != "" {
		t.Errorf("beside a server: %s", beside.stderr)
	}
	leads(create("elsewhere", "--public-url", "https://deliveries.example").stdout, "https://deliveries.example")
	leads(first(mustRun(t, "sign-in-link", "alone@otto.example", "--data", dir)), s.url)
	if e := run(t, "organisation", "create", "bad", "--owner-name", "O", "--owner-email", "o@bad.example", "--data", dir, "--public-url", "nowhere"); e.code != exitInput || !strings.Contains(e.stderr, "--public-url") {
		t.Errorf("a URL that is none: exit code %d, %s", e.code, e.stderr)
	}
	if code := s.stop(); code != exitOK {
		t.Fatalf("exit code %d", code)
	}
	leads(first(mustRun(t, "sign-in-link", "alone@otto.example", "--data", dir)), "http://127.0.0.1:8080")

	startServer(t, "serve", "--listen", "127.0.0.1:0", "--data", dir, "--public-url", "https://said.example")
	leads(create("said").stdout, "https://said.example")
}
