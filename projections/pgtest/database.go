package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

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
	return server.URL(name)
}

// execute runs one statement on a connection of its own: a kept one would be
// one more thing that tests find open.
func execute(server *postgres.Server, statement string) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), queryTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, server.URL(""))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	_, err = conn.Exec(ctx, statement)
	return err
}
