package postgres

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestAStoppedServerIsGoneAndStartsAgainWithItsData(t *testing.T) {
	t.Parallel()
	dir := homeDir(t)
	first := running(t, Config{Dir: dir})
	execute(t, first, `CREATE TABLE kept AS SELECT 42 AS n`)
	stop(t, first)
	select {
	case <-first.Exited():
	default:
		t.Fatal("Exited is open after Stop")
	}
	if err := first.Err(); err != nil {
		t.Fatalf("Err after Stop: %v", err)
	}
	if pids, err := serversIn(first.home.data); err != nil || len(pids) > 0 {
		t.Fatalf("processes after Stop: %v, %v", pids, err)
	}
	stop(t, first) // again: nothing happens

	second := running(t, Config{Dir: dir})
	if n := query[int](t, second, `SELECT n FROM kept`); n != 42 {
		t.Fatalf("kept %d, want 42", n)
	}
}

func TestAServerIsDurableUnlessToldOtherwise(t *testing.T) {
	t.Parallel()
	server := running(t, Config{Dir: openDir(t)})
	for setting, want := range map[string]string{
		"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "data_checksums": "on",
		"listen_addresses": loopback, "jit": "off", "server_encoding": "UTF8", "TimeZone": "UTC",
	} {
		if got := query[string](t, server, `SHOW `+setting); got != want {
			t.Errorf("%s is %s, want %s", setting, got, want)
		}
	}
	unsafe := running(t, Config{Dir: openDir(t), NoSync: true})
	if got := query[string](t, unsafe, `SHOW fsync`); got != "off" {
		t.Errorf("fsync with NoSync is %s", got)
	}
}

func TestNobodyGetsInWithoutThePassword(t *testing.T) {
	t.Parallel()
	server := running(t, Config{Dir: openDir(t), NoSync: true})
	for _, host := range []string{loopback, server.home.socketDir()} {
		config, err := pgx.ParseConfig(server.URL(""))
		if err != nil {
			t.Fatal(err)
		}
		config.Host = host
		conn, err := pgx.ConnectConfig(bounded(t), config)
		if err != nil {
			t.Fatalf("by %s: %v", host, err)
		}
		if err := conn.Close(bounded(t)); err != nil {
			t.Fatal(err)
		}
		for _, wrong := range []string{"", "wrong"} {
			config.Password = wrong
			if conn, err := pgx.ConnectConfig(bounded(t), config); err == nil {
				_ = conn.Close(bounded(t))
				t.Errorf("password %q lets in by %s", wrong, host)
			}
		}
	}
}

func TestThePasswordIsInNoLogNorCommandLineAndOnlyItsOwnerReadsIt(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	dir := openDir(t)
	server := running(t, Config{Dir: dir, NoSync: true, Logger: slog.New(slog.NewTextHandler(&out, nil))})
	printed, err := os.ReadFile(server.home.log)
	if err != nil {
		t.Fatal(err)
	}
	command, err := os.ReadFile(filepath.Join(server.home.data, "postmaster.opts"))
	if err != nil {
		t.Fatal(err)
	}
	for where, text := range map[string]string{"log": out.String(), "server log": string(printed), "command line": string(command)} {
		if text == "" {
			t.Errorf("the %s is empty, so this test proves nothing", where)
		}
		if strings.Contains(text, server.password) {
			t.Errorf("the password is in the %s", where)
		}
	}
	for path, want := range map[string]os.FileMode{server.home.password: 0o600, server.home.data: 0o700, server.home.socket: 0o700, server.home.log: 0o600} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", path, got, want)
		}
	}
}

func TestTheServersLogHoldsNoContentsOfRows(t *testing.T) {
	t.Parallel()
	server := running(t, Config{Dir: openDir(t), NoSync: true})
	execute(t, server, `CREATE TABLE person (mail text PRIMARY KEY)`)
	const insert = `INSERT INTO person VALUES ('someone@example.org')`
	execute(t, server, insert)
	if _, err := connect(t, server.URL("")).Exec(bounded(t), insert); err == nil {
		t.Fatal("the second row was taken")
	}
	printed, err := os.ReadFile(server.home.log)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(printed), "duplicate key") {
		t.Fatalf("the error is not in the log, so this test proves nothing:\n%s", printed)
	}
	if strings.Contains(string(printed), "example.org") {
		t.Fatalf("the row is in the log:\n%s", printed)
	}
}

func TestADirectoryTooDeepForASocketIsReachedByTheLoopbackPort(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(openDir(t), strings.Repeat("d", socketPathLimit))
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	server := running(t, Config{Dir: dir, NoSync: true})
	if url := server.URL("x"); !strings.Contains(url, net.JoinHostPort(loopback, strconv.Itoa(server.Port()))+"/x") {
		t.Fatal("the address does not name the loopback port")
	}
	if n := query[int](t, server, `SELECT 1`); n != 1 {
		t.Fatal(n)
	}
}

func TestEnsureDatabaseMakesADatabaseOnce(t *testing.T) {
	t.Parallel()
	server := running(t, Config{Dir: openDir(t), NoSync: true})
	const name = `way"bill`
	for range 2 {
		if err := server.EnsureDatabase(bounded(t), name); err != nil {
			t.Fatal(err)
		}
	}
	if n := query[int](t, server, `SELECT count(*) FROM pg_database WHERE datname = 'way"bill'`); n != 1 {
		t.Fatalf("%d databases, want 1", n)
	}
}

func TestStopWithNoTimeLeftEndsTheServerAtOnceAndSaysSo(t *testing.T) {
	t.Parallel()
	dir := homeDir(t)
	server := running(t, Config{Dir: dir})
	execute(t, server, `CREATE TABLE kept AS SELECT 42 AS n`)
	done, cancel := context.WithCancel(context.Background())
	cancel()
	if err := server.Stop(done); err == nil || !strings.Contains(err.Error(), "recovers") {
		t.Fatalf("Stop: %v", err)
	}
	if pids, err := serversIn(server.home.data); err != nil || len(pids) > 0 {
		t.Fatalf("processes after Stop: %v, %v", pids, err)
	}
	if n := query[int](t, running(t, Config{Dir: dir}), `SELECT n FROM kept`); n != 42 {
		t.Fatalf("kept %d, want 42", n)
	}
}

func TestAStartThatMayNotTakeTimeLeavesNothingRunning(t *testing.T) {
	t.Parallel()
	dir := homeDir(t)
	done, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Start(done, Config{Dir: dir, NoSync: true}); err == nil {
		t.Fatal("the server started")
	}
	if pids, err := serversIn(filepath.Join(dir, "data")); err != nil || len(pids) > 0 {
		t.Fatalf("processes: %v, %v", pids, err)
	}
	running(t, Config{Dir: dir, NoSync: true}) // the directory is free again
}
