package main

import (
	"context"
	"errors"
	"fmt"

	"waybill/projections"
)

// migrateCmd brings the schema to this version, for set-ups in which serve must
// not do it.
type migrateCmd struct {
	storageFlags
	logFlags
}

// Run implements the verb.
func (c *migrateCmd) Run(ctx context.Context, m *Main) (err error) {
	s := &storage{Postgres: c.Postgres, log: c.logger(m.Stderr)}
	if c.Postgres == "" {
		defer func() { err = errors.Join(err, s.close()) }()
		if err := s.startPostgres(ctx, c.storageFlags); err != nil {
			return err
		}
	}
	done, err := projections.Migrate(ctx, s.Postgres)
	if err != nil {
		return err
	}
	for _, step := range done {
		fmt.Fprintf(m.Stdout, "done: %s\n", step.Name)
	}
	if len(done) == 0 {
		fmt.Fprintln(m.Stdout, "nothing to do: the schema is at this version")
	}
	return nil
}
