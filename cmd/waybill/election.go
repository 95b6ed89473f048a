package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"waybill/events/consume"
)

// election lets one of several processes on the same database run a consumer,
// while the others stand by. It saves them from fencing each other all the time;
// what keeps the rows right is the fence.
type election struct {
	name  string
	pool  *pgxpool.Pool // tells how to connect; the lock is held on a connection of its own
	run   layer
	log   *slog.Logger
	pause time.Duration // before standing again, after an outage or a lost race
	check time.Duration // how often the connection that holds the lock is looked at
}

// errDeposed ends a run whose lock may be gone.
var errDeposed = errors.New("the connection that holds the consumer's lock is gone")

// Run stands for election again and again until ctx ends, or the consumer fails.
func (e *election) Run(ctx context.Context) error {
	for {
		err := e.term(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, consume.ErrFenced), errors.Is(err, errDeposed):
			e.log.WarnContext(ctx, "another process may run the consumer now", "consumer", e.name, "reason", err)
		default:
			return err
		}
		timer := time.NewTimer(e.pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

// term waits until this process is the one, and runs the consumer while it is.
func (e *election) term(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, e.pool.Config().ConnConfig)
	if err != nil {
		return fmt.Errorf("%w: %w", errDeposed, err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, e.key()); err != nil {
		return fmt.Errorf("%w: %w", errDeposed, err)
	}
	work, ctx := errgroup.WithContext(ctx)
	done := make(chan struct{})
	work.Go(func() error {
		defer close(done)
		return e.run(ctx)
	})
	work.Go(func() error { return e.hold(ctx, conn, done) })
	return work.Wait()
}

// hold looks after the connection until the consumer is done.
func (e *election) hold(ctx context.Context, conn *pgx.Conn, done <-chan struct{}) error {
	tick := time.NewTicker(e.check)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return nil
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := conn.Ping(ctx); err != nil && ctx.Err() == nil {
				return fmt.Errorf("%w: %w", errDeposed, err)
			}
		}
	}
}

// key is the number of the lock.
func (e *election) key() int64 {
	h := fnv.New64a()
	h.Write([]byte("waybill consumer " + e.name))
	return int64(h.Sum64())
}
