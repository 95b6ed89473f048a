package main

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"waybill/events"
)

// refused is what the program must say and leave with.
type refused struct {
	args []string
	code int
	says []string // in its one line, or in its report
}

func (r refused) check(t *testing.T) {
	t.Helper()
	e := run(t, r.args...)
	if e.code != r.code {
		t.Errorf("exit code %d, want %d", e.code, r.code)
	}
	for _, want := range r.says {
		if !strings.Contains(e.stdout+e.stderr, want) {
			t.Errorf("it does not say %q, but\n%s%s", want, e.stdout, e.stderr)
		}
	}
	lines := strings.Count(e.stderr, "\n")
	if e.code != exitOK && e.code != exitRejected && (lines != 1 || !strings.HasPrefix(e.stderr, "waybill: ")) {
		t.Errorf("the error is %d lines, want one:\n%s", lines, e.stderr)
	}
}

// headOf returns the position of the last event in a data directory.
func headOf(t *testing.T, dir string) events.Position {
	t.Helper()
	var head events.Position
	err := withSystem(t.Context(), systemConfig{storageFlags: storageFlags{Data: dir}, Log: discard()}, func(ctx context.Context, s *system) (err error) {
		head, err = s.store.Head(ctx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return head
}

func TestABadFileIsNamedWithTheRemedyAndNothingIsHalfDone(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	file := func(name, contents string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(contents), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const header = "customer code,do number,date\n"
	known := file("known.csv", header+"Apple,1,2026-03-01\n")
	mustRun(t, "organisation", "create", "Test", "--owner-name", "Olivia", "--owner-email", "olivia@example.com", "--data", dir)
	mustRun(t, "import", known, "--create-groups", "--data", dir)
	head := headOf(t, dir)
	cases := map[string]refused{
		"unreadable":         {[]string{"import", "/nowhere/at/all.csv"}, exitInput, []string{"all.csv cannot be read", "check the name"}},
		"a directory":        {[]string{"import", t.TempDir()}, exitInput, []string{"it is a directory"}},
		"missing column":     {[]string{"import", known, "--column", "group=project"}, exitInput, []string{`no column "project"`, "its columns are: customer code, do number, date", "--column"}},
		"unknown field":      {[]string{"import", known, "--column", "colour=x"}, exitInput, []string{`no field "colour"`, "group, number, date"}},
		"zero rows":          {[]string{"import", file("zero.csv", header)}, exitInput, []string{"zero.csv holds no delivery"}},
		"empty":              {[]string{"import", file("empty.csv", "")}, exitInput, []string{"empty.csv is empty"}},
		"old workbook":       {[]string{"import", file("old.xlsx", "\xD0\xCF\x11\xE0")}, exitInput, []string{"old .xls", "save it as .xlsx"}},
		"wrong date":         {[]string{"import", file("date.csv", header+"Apple,2,2026-02-30\n")}, exitRejected, []string{`row 2, column "date", delivery 2: "2026-02-30" is no date of the calendar`, "want 2026-12-31"}},
		"unknown code":       {[]string{"import", file("code.csv", header+"Pear,2,2026-03-01\n")}, exitRejected, []string{`row 2, delivery 2: The customer code "Pear" is unknown`, "map it"}},
		"already known":      {[]string{"import", known}, exitOK, []string{"0 new, 1 already known"}},
		"no such flag":       {[]string{"import", known, "--colour"}, exitUsage, []string{"--colour", "waybill --help"}},
		"unknown encoding":   {[]string{"import", known, "--encoding", "ebcdic"}, exitInput, []string{`"ebcdic"`, "utf-8"}},
		"wrong delimiter":    {[]string{"import", known, "--delimiter", "ab"}, exitUsage, []string{"one character"}},
		"no organisation":    {[]string{"import", known, "--organisation", "Nobody"}, exitInput, []string{`no organisation "Nobody"`}},
		"nobody's e-mail":    {[]string{"sign-in-link", "nobody@example.com"}, exitInput, []string{"nobody@example.com"}},
		"unwritable report":  {[]string{"import", known, "--report", "/nowhere/r.csv"}, exitUsage, []string{"/nowhere/r.csv"}},
		"bad e-mail":         {[]string{"organisation", "create", "X", "--owner-name", "N", "--owner-email", "nonsense"}, exitInput, []string{"mail"}},
		"ambiguous dates":    {[]string{"import", file("dates.csv", header+"Apple,3,01/02/2026\n")}, exitInput, []string{"01/02/2026", "DD/MM/YYYY", "--date-order"}},
		"bad Postgres URL":   {[]string{"migrate", "--postgres", "nonsense://x"}, exitInput, []string{"postgres://"}},
		"no such Postgres":   {[]string{"migrate", "--postgres", "postgres://x@127.0.0.1:1/x"}, exitUnavailable, []string{"127.0.0.1:1"}},
		"bad event store":    {[]string{"rebuild", "--eventstore", "nonsense"}, exitInput, []string{"esdb://"}},
		"bad listen address": {[]string{"serve", "--listen", "nonsense"}, exitInput, []string{"host:port"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if c.args[0] != "migrate" && c.args[len(c.args)-1] != "--colour" {
				c.args = append(c.args, "--data", dir)
			}
			c.check(t)
		})
	}
	// What an import may leave of a row it does not take is nothing.
	if now := headOf(t, dir); now != head {
		t.Errorf("the log went from %s to %s", head, now)
	}
}

func TestAPlaceThatCannotBeHadIsNamedWithTheRemedy(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().String()

	closed := filepath.Join(t.TempDir(), "closed")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	blocked := []string{"permission denied"}
	if os.Getuid() == 0 { // then it is another user, the database's, who cannot get in
		blocked = []string{filepath.Dir(filepath.Dir(closed)), "chmod"}
	} else if err := os.Chmod(closed, 0o500); err != nil {
		t.Fatal(err)
	}

	old := dataDir(t)
	mustRun(t, "migrate", "--data", old)
	version := filepath.Join(old, "postgres", "data", "PG_VERSION")
	if err := os.WriteFile(version, []byte("9\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	for name, c := range map[string]struct {
		refused
		untouched string // a directory that must not have been made
	}{
		"port in use":             {refused{[]string{"serve", "--listen", port, "--data", filepath.Join(dataDir(t), "port")}, exitUnavailable, []string{port, "--listen"}}, "--data"},
		"port of the demo in use": {refused{[]string{"demo", "--listen", port, "--data", filepath.Join(dataDir(t), "demo")}, exitUnavailable, []string{port, "--listen"}}, "--data"},
		"port of the node in use": {refused{[]string{"eventstore", "--listen", port, "--data", filepath.Join(dataDir(t), "node")}, exitUnavailable, []string{port, "--listen"}}, "--data"},
		"no Postgres binaries":    {refused{[]string{"serve", "--listen", "127.0.0.1:0", "--postgres-binaries", t.TempDir(), "--data", filepath.Join(dataDir(t), "binaries")}, exitUnavailable, []string{"initdb"}}, "--data"},
		"cannot be reached":       {refused{[]string{"serve", "--listen", "127.0.0.1:0", "--data", filepath.Join(closed, "data")}, exitOf(os.Getuid() == 0), blocked}, "--data"},
		"another version":         {refused{[]string{"serve", "--listen", "127.0.0.1:0", "--data", old}, exitUnavailable, []string{"9", "15", filepath.Join(old, "postgres", "data")}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c.check(t)
			if dir := c.args[len(c.args)-1]; c.untouched != "" && !absent(dir) {
				t.Errorf("%s was made all the same", dir)
			}
		})
	}
}

// exitOf is the exit code for a directory that cannot be had: root's case is told
// apart, another user's is whatever the system says.
func exitOf(root bool) int {
	if root {
		return exitUnavailable
	}
	return exitFailed
}
