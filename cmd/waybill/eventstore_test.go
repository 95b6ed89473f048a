package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates/aggregatetest"
	"waybill/events"
	"waybill/events/store"
)

// standalone runs "waybill eventstore" until the test ends or stop is called,
// and returns its connection string.
func standalone(t *testing.T, args ...string) (connection string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	serving, done := make(chan string, 1), make(chan int, 1)
	errs := &aggregatetest.Log{}
	m := Main{Args: append([]string{"eventstore", "--listen", "127.0.0.1:0"}, args...), Stdout: &aggregatetest.Log{}, Stderr: errs,
		Serving: func(url string) { serving <- url }}
	go func() { done <- m.Run(ctx) }()
	stop = func() {
		cancel()
		if code, ok := <-done; ok {
			close(done)
			if code != exitOK {
				t.Errorf("waybill eventstore ended with %d: %s", code, errs.String())
			}
		}
	}
	t.Cleanup(stop)
	select {
	case connection = <-serving:
	case code := <-done:
		close(done)
		t.Fatalf("waybill eventstore ended with %d: %s", code, errs.String())
	}
	return connection, stop
}

func appendOne(t *testing.T, connection string) {
	t.Helper()
	s, err := store.Open(store.Config{URL: connection})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, err = s.Append(t.Context(), "Group-a.b", events.NoStream, []events.Proposed{{ID: uuid.New(), Type: "T", Metadata: []byte("{}"), Data: []byte("{}")}})
	if err != nil {
		t.Fatal(err)
	}
}

func TestABackupOfARunningStoreIsWholeAndOpens(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data, backups := filepath.Join(dir, "events"), filepath.Join(dir, "backups")
	connection, stop := standalone(t, "--data", data, "--backups", backups)
	appendOne(t, connection)
	if out := run(t, "eventstore", "backup", "monday", "--connection", connection); out.code != exitOK || !strings.Contains(out.stdout, filepath.Join(backups, "monday")) {
		t.Fatalf("backup of a running store: %+v", out)
	}
	stop()
	if out := run(t, "eventstore", "backup", filepath.Join(backups, "tuesday"), "--data", data); out.code != exitOK {
		t.Fatalf("backup of a closed store: %+v", out)
	}
	for _, d := range []string{data, filepath.Join(backups, "monday"), filepath.Join(backups, "tuesday")} {
		if out := run(t, "eventstore", "verify", "--data", d, "--json"); out.code != exitOK || !strings.Contains(out.stdout, `"events": 1`) {
			t.Errorf("verify %s: %+v", d, out)
		}
	}
	if out := run(t, "eventstore", "scavenge", "--data", data); out.code != exitOK || !strings.HasPrefix(out.stdout, "0 events of 0 streams") {
		t.Errorf("scavenge: %+v", out)
	}
}

func TestUpkeepMakesNoStoreWhereThereIsNone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "nothing")
	for _, args := range [][]string{{"verify"}, {"scavenge"}, {"backup", dir + "-copy"}} {
		out := run(t, append(append([]string{"eventstore"}, args...), "--data", dir)...)
		if out.code == exitOK || !strings.Contains(out.stderr, dir) {
			t.Errorf("%s: %+v; want an error that names the directory", args, out)
		}
	}
	for _, made := range []string{dir, dir + "-copy"} {
		if _, err := os.Stat(made); !os.IsNotExist(err) {
			t.Errorf("%s was made", made)
		}
	}
}

func TestHalfOfTheSecuritySettingsIsRefused(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"--tls-key", "key.pem"}, {"--user", "waybill", "--password", "secret-word"},
		{"--tls-certificate", "none.pem", "--tls-key", "none.pem"},
	} {
		out := run(t, append([]string{"eventstore", "--data", t.TempDir()}, args...)...)
		if out.code != exitUsage || strings.Contains(out.stderr, "secret-word") {
			t.Errorf("%s: %+v", args, out)
		}
	}
}
