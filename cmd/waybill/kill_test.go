package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"waybill/events"
	"waybill/events/store"
)

// kills is how many times the program is killed; WAYBILL_KILLS asks for more.
func kills(t *testing.T) int {
	t.Helper()
	text := os.Getenv("WAYBILL_KILLS")
	if text == "" {
		return 10
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("WAYBILL_KILLS=%q: want a whole number from 1", text)
	}
	return n
}

// perKill is how many deliveries the file has per kill: about as many as are
// imported between two of them.
const perKill = 1000

func TestAnImportKilledAtAnyInstantIsThereOnceInTheEnd(t *testing.T) {
	t.Parallel()
	rounds := kills(t)
	dir := dataDir(t)
	path, total := bigFile(t, perKill*rounds)
	mustRun(t, "organisation", "create", "Test", "--owner-name", "Olivia", "--owner-email", "olivia@example.com", "--data", dir)
	acknowledged := filepath.Join(t.TempDir(), "acknowledged")
	temporary := t.TempDir()
	env := []string{acknowledgedTo + "=" + acknowledged, "TMPDIR=" + temporary}
	args := []string{"import", path, "--create-groups", "--data", dir}
	seed := time.Now().UnixNano()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	size := func() int64 {
		info, err := os.Stat(acknowledged)
		if err != nil {
			return 0
		}
		return info.Size()
	}
	killed := 0
	for round := range rounds {
		before := size()
		cmd, out := start(t, env, args...)
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		if round%2 == 1 { // while it writes; otherwise at any instant, starting up included
			eventually(t, "the import is under way", func() bool { return size() > before || len(ended) > 0 })
		}
		delay := time.NewTimer(time.Duration(random.Int64N(int64(300 * time.Millisecond))))
		select {
		case <-delay.C:
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			<-ended
			killed++
		case err := <-ended: // everything was imported already
			if err != nil {
				t.Fatalf("round %d: %v\n%s", round, err, out.String())
			}
		}
		eventually(t, "no Postgres runs any more", func() bool { return postgresOf(dir) == 0 })
	}
	if killed < rounds/2 {
		t.Errorf("only %d of %d imports were under way when they were to be killed: make the file larger", killed, rounds)
	}
	acks := size()
	cmd, out := start(t, env, args...)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("to the end: %v\n%s", err, out.String())
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) != 0 {
		t.Errorf("staged rows were left behind: %v (%v)", left, err)
	}
	text := readFile(t, acknowledged)
	t.Logf("%d deliveries, %d bytes of %d acknowledged before the last run", total, acks, len(text))
	if acks == 0 {
		t.Error("no kill met an import under way")
	}
	checkOnce(t, dir, total, text)
}

// bigFile writes an export of n deliveries, whose rows are no neighbours.
func bigFile(t *testing.T, n int) (path string, deliveries int) {
	t.Helper()
	var b strings.Builder
	b.WriteString("customer code,do number,date,description,quantity\n")
	for range 2 {
		for i := range n {
			fmt.Fprintf(&b, "C%d,N-%d,2026-03-%02d,\"thing, boxed\",%d\n", i%40, i, 1+i%28, i)
		}
	}
	path = filepath.Join(t.TempDir(), "big.csv")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, n
}

// checkOnce compares the log with what was acknowledged, and the read models with
// a rebuild from the log.
func checkOnce(t *testing.T, dir string, total int, acknowledged string) {
	t.Helper()
	cfg := systemConfig{storageFlags: storageFlags{Data: dir}, Log: discard()}
	var before map[string]string
	err := withSystem(t.Context(), cfg, func(ctx context.Context, s *system) error {
		created := map[string]int{}
		ids := map[string]bool{}
		for r, err := range s.store.ReadAll(ctx, events.Position{}, store.Forwards) {
			if err != nil {
				return err
			}
			if r.Type != (&events.DeliveryCreated{}).EventType() {
				continue
			}
			e, err := s.codec.Decode(r)
			if err != nil {
				return err
			}
			created[e.Payload.(*events.DeliveryCreated).DONumber]++
			ids[e.Stream.ID] = true
		}
		if len(created) != total {
			t.Errorf("%d deliveries are in the log, want %d", len(created), total)
		}
		for number, times := range created {
			if times != 1 {
				t.Errorf("delivery %s was created %d times", number, times)
			}
		}
		lines := strings.Split(strings.TrimSpace(acknowledged), "\n")
		for _, line := range lines {
			id, number, ok := strings.Cut(line, " ")
			if ok && !ids[id] { // the last line before a kill may be cut off
				t.Errorf("delivery %s was acknowledged as %s and is not in the log", number, id)
			}
		}
		if err := s.caughtUp(ctx); err != nil {
			return err
		}
		var err error
		before, err = fingerprints(ctx, s)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	mustRun(t, "rebuild", "--data", dir)
	err = withSystem(t.Context(), cfg, func(ctx context.Context, s *system) error {
		after, err := fingerprints(ctx, s)
		for table, is := range after {
			if before[table] != is {
				t.Errorf("read.%s: %s before the rebuild, %s after it", table, before[table], is)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// fingerprints returns the number of rows and a hash of every table of the read
// models.
func fingerprints(ctx context.Context, s *system) (map[string]string, error) {
	rows, err := s.pools.Projector.Query(ctx, `SELECT tablename::text FROM pg_tables WHERE schemaname = 'read' ORDER BY 1`)
	if err != nil {
		return nil, err
	}
	var tables []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		tables = append(tables, name)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	prints := map[string]string{}
	for _, table := range tables {
		var print string
		err := s.pools.Projector.QueryRow(ctx, `
			SELECT count(*) || ' rows, ' || coalesce(md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))), '')
			FROM read.`+table+` t`).Scan(&print)
		if err != nil {
			return nil, err
		}
		prints[table] = print
	}
	return prints, nil
}

func TestAnImportToldToStopGoesOnNextTime(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	path, total := bigFile(t, 2*perKill)
	mustRun(t, "organisation", "create", "Test", "--owner-name", "Olivia", "--owner-email", "olivia@example.com", "--data", dir)
	acknowledged := filepath.Join(t.TempDir(), "acknowledged")
	cmd, out := start(t, []string{acknowledgedTo + "=" + acknowledged}, "import", path, "--create-groups", "--data", dir)
	eventually(t, "the import is under way", func() bool { return !absent(acknowledged) && len(readFile(t, acknowledged)) > 0 })
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // the exit code tells
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted || !strings.Contains(out.String(), "goes on where it stopped") {
		t.Errorf("exit code %d\n%s", code, out.String())
	}
	if postgresOf(dir) != 0 {
		t.Error("a Postgres still runs")
	}
	mustRun(t, "import", path, "--create-groups", "--data", dir)
	checkOnce(t, dir, total, readFile(t, acknowledged))
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
