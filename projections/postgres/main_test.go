package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// ownerOfDir, when set, makes the test program the owner of a server in that
// directory instead of running tests: it is there to be killed.
const ownerOfDir = "WAYBILL_TEST_OWN_POSTGRES_IN"

// testTimeout bounds whatever a test waits for. It is far above what a healthy
// machine needs, however busy it is: making a cluster syncs a thousand files.
const testTimeout = 5 * time.Minute

func TestMain(m *testing.M) {
	if dir := os.Getenv(ownerOfDir); dir != "" {
		os.Exit(own(dir))
	}
	os.Exit(m.Run())
}

// own starts a durable server, says so, and waits to be killed.
func own(dir string) int {
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	defer cancel()
	server, err := Start(ctx, Config{Dir: dir})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("ready")
	<-server.Exited()
	return 2
}

// bounded is a context for one test.
func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	t.Cleanup(cancel)
	return ctx
}

// openDir is a directory that every user can pass, which t.TempDir is not.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "waybill-postgres-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// homeDir is an openDir with a cluster, made without waiting for the disk, to be
// started durably.
func homeDir(t *testing.T) string {
	t.Helper()
	dir := openDir(t)
	stop(t, running(t, Config{Dir: dir, NoSync: true}))
	return dir
}

// running starts a server that ends with the test.
func running(t *testing.T, cfg Config) *Server {
	t.Helper()
	server, err := Start(bounded(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, server) })
	return server
}

func stop(t *testing.T, server *Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	defer cancel()
	if err := server.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// refused starts a server that must not start.
func refused(t *testing.T, cfg Config) error {
	t.Helper()
	server, err := Start(bounded(t), cfg)
	if err == nil {
		stop(t, server)
		t.Fatal("the server started")
	}
	return err
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(bounded(t), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
		defer cancel()
		_ = conn.Close(ctx) // the server may be gone by now, as some tests want
	})
	return conn
}

func execute(t *testing.T, server *Server, statement string) {
	t.Helper()
	if _, err := connect(t, server.URL("")).Exec(bounded(t), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func query[T any](t *testing.T, server *Server, statement string) T {
	t.Helper()
	var value T
	if err := connect(t, server.URL("")).QueryRow(bounded(t), statement).Scan(&value); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return value
}

// eventually waits for a condition that nothing announces.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.NewTimer(testTimeout)
	defer deadline.Stop()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("not within %v: %s", testTimeout, what)
		}
	}
}

// as is errors.As with the target as the result.
func as[T error](t *testing.T, err error) T {
	t.Helper()
	var target T
	if !errors.As(err, &target) {
		t.Fatalf("got %v (%T), want a %T", err, err, target)
	}
	return target
}
