package projections

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"waybill/events/fault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// versionTable is where the migrations done are listed.
const versionTable = "ops.schema_version"

// migrationLock is the advisory lock that makes concurrent migrations take turns.
const migrationLock = 0x7761796269_6c6c // "waybill"

// Migration is one step that [Migrate] has done.
type Migration struct {
	Version int64
	Name    string // file name
}

// Migrate brings the database at url to this program's schema and returns the
// steps it had to do, none when it was there already. The user of url must own
// the database or be allowed to create schemas in it, and must be able to create
// roles unless waybill's three exist. Processes that migrate at the same time
// take turns. A schema that is newer than the program is left alone and is an
// error of kind fault.Conflict.
func Migrate(ctx context.Context, url string) ([]Migration, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, invalidURL()
	}
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, unreachable(cfg, err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, int64(migrationLock)); err != nil {
		return nil, fmt.Errorf("wait for another migration of database %s: %w", cfg.Database, err)
	}
	if _, err := conn.Exec(ctx, `CREATE SCHEMA IF NOT EXISTS ops`); err != nil {
		return nil, fmt.Errorf("migrate database %s: %w", cfg.Database, err)
	}
	done, err := migrate(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("migrate database %s: %w", cfg.Database, err)
	}
	return done, nil
}

func migrate(ctx context.Context, cfg *pgx.ConnConfig) ([]Migration, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	db := stdlib.OpenDB(*cfg)
	defer db.Close()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithTableName(versionTable), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, err
	}
	have, want, err := provider.GetVersions(ctx)
	if err != nil {
		return nil, err
	}
	if have > want {
		return nil, fault.New(fault.Conflict, "schema-newer",
			"the schema is at version %d, this program knows versions up to %d: use a newer waybill", have, want)
	}
	results, err := provider.Up(ctx)
	var partial *goose.PartialError
	if errors.As(err, &partial) {
		return nil, fmt.Errorf("step %s: %w", partial.Failed.Source.Path, partial.Err)
	}
	if err != nil {
		return nil, err
	}
	done := make([]Migration, len(results))
	for i, r := range results {
		done[i] = Migration{Version: r.Source.Version, Name: r.Source.Path}
	}
	return done, nil
}
