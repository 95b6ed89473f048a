package projections_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"waybill/events/fault"
	"waybill/projections"
	"waybill/projections/pgtest"
)

func TestMigrateIsDoneOnceAndConcurrentMigrationsTakeTurns(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	var wg sync.WaitGroup
	steps := make([]int, 4)
	for i := range steps {
		wg.Go(func() {
			done, err := projections.Migrate(t.Context(), url)
			if err != nil {
				t.Errorf("migrate: %v", err)
			}
			steps[i] = len(done)
		})
	}
	wg.Wait()
	total := 0
	for _, n := range steps {
		if n > 0 && total > 0 {
			t.Errorf("two migrations did steps: %v", steps)
		}
		total += n
	}
	if total == 0 {
		t.Fatal("no migration did anything")
	}
	done, err := projections.Migrate(t.Context(), url)
	if err != nil || len(done) != 0 {
		t.Fatalf("migrating again: %v, %v; want nothing to do", done, err)
	}
}

func TestMigrateLeavesANewerSchemaAlone(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	if _, err := projections.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	exec(t, url, `INSERT INTO ops.schema_version (version_id, is_applied) VALUES (99999, true)`)
	_, err := projections.Migrate(t.Context(), url)
	if !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "99999") || !strings.Contains(err.Error(), "newer waybill") {
		t.Fatalf("got %v; want a conflict that names the version and the remedy", err)
	}
}

func TestOpenNamesTheHostAndNeverThePassword(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"postgres://someone:hunter2@127.0.0.1:1/nowhere",
		"postgres://someone:hunter2@127.0.0.1:notaport/nowhere",
	} {
		for name, call := range map[string]func() error{
			"open":    func() error { _, err := projections.Open(t.Context(), projections.Config{URL: url}); return err },
			"migrate": func() error { _, err := projections.Migrate(t.Context(), url); return err },
		} {
			err := call()
			if err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s: got %v; want an error without the password", name, err)
			}
		}
	}
	_, err := projections.Open(t.Context(), projections.Config{URL: "postgres://someone@127.0.0.1:1/nowhere"})
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("got %v; want unavailable, naming the address", err)
	}
}

func TestEveryPoolIsItsRole(t *testing.T) {
	t.Parallel()
	pools := open(t)
	for role, row := range map[string]pgx.Row{
		projections.RoleProjector: pools.Projector.QueryRow(t.Context(), `SELECT current_user::text`),
		projections.RoleReader:    pools.Reader.QueryRow(t.Context(), `SELECT current_user::text`),
		projections.RoleIdentity:  pools.Identity.QueryRow(t.Context(), `SELECT current_user::text`),
	} {
		var got string
		if err := row.Scan(&got); err != nil || got != role {
			t.Errorf("current_user = %q, %v; want %s", got, err, role)
		}
	}
	for _, sql := range []string{
		`INSERT INTO read.progress VALUES (gen_random_uuid(), gen_random_uuid(), 'x', false, now(), 1)`,
		`SELECT 1 FROM identity.identities`, `SELECT 1 FROM ops.parked`,
	} {
		if _, err := pools.Reader.Exec(t.Context(), sql); err == nil {
			t.Errorf("the reader may: %s", sql)
		}
	}
}

// open returns pools on a migrated database of the test's own.
func open(t testing.TB) *projections.Pools {
	t.Helper()
	return openURL(t, migrated(t))
}

func openURL(t testing.TB, url string) *projections.Pools {
	t.Helper()
	pools, err := projections.Open(context.Background(), projections.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pools.Close)
	return pools
}

// migrated returns the URL of a migrated database of the test's own.
func migrated(t testing.TB) string {
	t.Helper()
	return pgtest.Template(t, "migrated", func(url string) error {
		_, err := projections.Migrate(context.Background(), url)
		return err
	})
}

func exec(t testing.TB, url, sql string, args ...any) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(context.Background(), sql, args...); err != nil {
		t.Fatal(err)
	}
}
