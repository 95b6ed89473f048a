package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"waybill/projections/postgres"
)

// fresh makes a database for t, as a copy of template when that is not empty,
// and drops it at the end of t.
func fresh(t testing.TB, server *postgres.Server, template string) string {
	t.Helper()
	name := "test_" + strings.ToLower(rand.Text())
	create := "CREATE DATABASE " + pgx.Identifier{name}.Sanitize()
	if template != "" {
		create += " TEMPLATE " + pgx.Identifier{template}.Sanitize()
	}
	if err := execute(server, create); err != nil {
		t.Fatalf("pgtest: %s: %v", create, err)
	}
	t.Cleanup(func() {
		drop := "DROP DATABASE " + pgx.Identifier{name}.Sanitize() + " WITH (FORCE)"
		if err := execute(server, drop); err != nil {
			t.Errorf("pgtest: %s: %v", drop, err)
		}
	})
	return server.URL(name) + "&connect_timeout=" + strconv.Itoa(int(queryTimeout/time.Second))
}

// objectInUse is the code of the error that somebody is connected to a database.
const objectInUse = "55006"

// execute runs one statement on a connection of its own: a kept one would be
// one more thing that tests find open. The server gives connections that are
// closed or ended 5 s to go, which is not enough for all of them on a machine that
// is busy enough: the statement waits for them.
func execute(server *postgres.Server, statement string) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), queryTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, server.URL(""))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	for {
		var refused *pgconn.PgError
		_, err = conn.Exec(ctx, statement)
		if !errors.As(err, &refused) || refused.Code != objectInUse {
			return err
		}
	}
}
