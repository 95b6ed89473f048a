package projections_test

import (
	"context"
	"crypto/rand"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"waybill/projections"
	"waybill/projections/pgtest"
)

// plainOwner makes an ordinary user who owns the database at the URL, and returns
// the URL as that user.
func plainOwner(t *testing.T, database string) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	role, password := "owner_"+strings.ToLower(rand.Text()), rand.Text()
	conn, err := pgx.Connect(context.Background(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, sql := range []string{
		`CREATE ROLE ` + role + ` LOGIN CREATEROLE PASSWORD '` + password + `'`,
		`ALTER DATABASE ` + pgx.Identifier{conn.Config().Database}.Sanitize() + ` OWNER TO ` + role,
	} {
		if _, err := conn.Exec(context.Background(), sql); err != nil {
			t.Fatal(err)
		}
	}
	u.User = url.UserPassword(role, password)
	return u.String()
}

func TestAnOrdinaryOwnerCanMigrateAndStillSeesNoRow(t *testing.T) {
	t.Parallel()
	database := pgtest.Database(t)
	owned := plainOwner(t, database)
	if _, err := projections.Migrate(t.Context(), owned); err != nil {
		t.Fatal(err)
	}
	pools := openURL(t, owned)
	if _, err := pools.Projector.Exec(t.Context(), `
		INSERT INTO read.progress VALUES (gen_random_uuid(), gen_random_uuid(), 'dispatched', true, now(), 1)`); err != nil {
		t.Fatal(err)
	}
	count := func(db interface {
		QueryRow(context.Context, string, ...any) pgx.Row
	}) (n int) {
		if err := db.QueryRow(t.Context(), `SELECT count(*) FROM read.progress`).Scan(&n); err != nil {
			t.Error(err)
		}
		return n
	}
	if n := count(pools.Projector); n != 1 {
		t.Fatalf("the projector sees %d rows, want 1", n)
	}
	owner, err := pgx.Connect(t.Context(), owned)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close(context.Background())
	if n := count(owner); n != 0 {
		t.Errorf("the owner sees %d rows of a forced table, want none", n)
	}
	if n := count(pools.Reader); n != 0 {
		t.Errorf("the reader sees %d rows without settings, want none", n)
	}
}

func TestEveryReadTableIsForcedUnderPolicies(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), migrated(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	rows, err := conn.Query(t.Context(), `
		SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = 'read' AND c.relkind = 'r'
		  AND NOT (c.relrowsecurity AND c.relforcerowsecurity
		           AND (SELECT count(*) FROM pg_policies p WHERE p.schemaname = 'read' AND p.tablename = c.relname
		                AND p.policyname IN ('reader', 'projector')) = 2)`)
	if err != nil {
		t.Fatal(err)
	}
	open, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(open) > 0 {
		t.Fatalf("tables without full row-level security: %v (%v)", open, err)
	}
}
