package pgtest_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"waybill/projections/pgtest"
)

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func exec(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(context.Background(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func TestEveryTestHasADatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a", "b", "c"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			exec(t, connect(t, pgtest.Database(t)), `CREATE TABLE thing (id int)`)
		})
	}
}

func TestADatabaseIsDroppedWithItsTestAlsoWhenAConnectionIsOpen(t *testing.T) {
	t.Parallel()
	var url string
	t.Run("inner", func(t *testing.T) {
		url = pgtest.Database(t)
		conn, err := pgx.Connect(context.Background(), url)
		if err != nil {
			t.Fatal(err)
		}
		exec(t, conn, `SELECT 1`)
	})
	conn, err := pgx.Connect(context.Background(), url)
	if err == nil {
		_ = conn.Close(context.Background())
		t.Fatal("the database of a finished test is still there")
	}
}

func TestATemplateIsPreparedOnceAndEveryCopyIsItsOwn(t *testing.T) {
	t.Parallel()
	var prepared atomic.Int32
	prepare := func(url string) error {
		prepared.Add(1)
		ctx := context.Background()
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, `CREATE TABLE thing (id int PRIMARY KEY); INSERT INTO thing VALUES (1)`)
		return err
	}
	t.Run("copies", func(t *testing.T) {
		for _, name := range []string{"a", "b", "c", "d"} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				conn := connect(t, pgtest.Template(t, "things", prepare))
				exec(t, conn, `INSERT INTO thing VALUES (2)`)
				var n int
				if err := conn.QueryRow(context.Background(), `SELECT count(*) FROM thing`).Scan(&n); err != nil || n != 2 {
					t.Fatalf("rows: %d, %v; want 2", n, err)
				}
			})
		}
	})
	if n := prepared.Load(); n != 1 {
		t.Fatalf("prepared %d times, want once", n)
	}
}
