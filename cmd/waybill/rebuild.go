package main

import (
	"context"
	"fmt"
	"time"
)

// rebuildCmd builds the read models anew. While it runs, queries of other
// processes see them growing.
type rebuildCmd struct {
	storageFlags
	logFlags
}

// Run implements the verb.
func (c *rebuildCmd) Run(ctx context.Context, m *Main) error {
	started := time.Now()
	cfg := systemConfig{
		storageFlags: c.storageFlags, Pace: m.pace, Log: c.logger(m.Stderr),
		Prepare: func(ctx context.Context, s *system) error { return s.model.Clear(ctx) },
	}
	return withSystem(ctx, cfg, func(ctx context.Context, s *system) error {
		if err := s.caughtUp(ctx); err != nil {
			return err
		}
		at, err := s.progress.Position(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(m.Stdout, "read models built anew up to position %s in %s\n", at, time.Since(started).Round(time.Millisecond))
		return nil
	})
}
