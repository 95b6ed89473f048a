// Package pgtest gives tests a real PostgreSQL: one private server per test
// process, started when the first test asks, and a database of its own for
// every test. It is for tests only; code that ships must never import it.
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
//
//	func TestX(t *testing.T) {
//		t.Parallel()
//		url := pgtest.Database(t)
//		...
//	}
//
// The server runs without syncing to disk. Nothing stays behind, not even when
// the test process panics or is killed: then the server ends with it, and a
// small shell that waits for that removes the files.
package pgtest

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"
)

// Each of these bounds is far above what a healthy machine needs, however busy it
// is and however slow its disk; they turn a hanging server into a failing test.
const (
	startTimeout = 5 * time.Minute
	stopTimeout  = 3 * time.Minute
	queryTimeout = 3 * time.Minute
)

// current is the server of this process. It is the one piece of package state
// here, because TestMain and the tests of a package have nothing else in
// common that could carry it.
var current shared

// Main runs the tests and returns their exit code; afterwards it ends the
// server and removes its files. The server starts at the first call of
// Database or Template, so a run that needs none has none.
//
// It takes a *testing.M, or whatever else wraps one.
func Main(m interface{ Run() int }) int {
	current.open()
	code := m.Run()
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := current.close(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "pgtest:", err)
		return max(code, 1)
	}
	return code
}

// Database returns the URL of an empty database that is this test's alone. It
// is dropped when the test ends, with whatever is still connected to it. The
// URL's user is the superuser, and it lets connections take their time.
//
// Roles belong to the server, not to a database: tests that make roles must
// name them differently from each other.
func Database(t testing.TB) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	server, err := current.start(ctx)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	return fresh(t, server, "")
}

// Template is Database with contents: the first call with a name makes a
// database and has prepare fill it, and each call returns the URL of a copy of
// it. Copying a schema takes a fraction of the time of making it.
//
// Prepare runs once per process and name, also when tests run in parallel; it
// must close its connections. When it fails, every test that asks for the name
// fails with its error.
func Template(t testing.TB, name string, prepare func(url string) error) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	server, err := current.start(ctx)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	template, err := current.template(ctx, name, prepare)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	return fresh(t, server, template)
}
