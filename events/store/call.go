package store

import (
	"context"
	"errors"

	"waybill/events/backoff"
)

// call runs try until it succeeds, fails for good, or time is up: the caller's
// context, or Config.Timeout from now. A link that gave no answer for a whole
// attempt is replaced.
func (s *Store) call(ctx context.Context, op string, try func(ctx context.Context, l *link) error) error {
	limit, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	stop := context.AfterFunc(s.ctx, cancel)
	defer stop()

	var last error
	for tries := 1; ; tries++ {
		err := s.attempt(limit, try)
		if err == nil {
			return nil
		}
		// A try cut short by the end of the call says less than the one before.
		if last == nil || limit.Err() == nil {
			last = err
		}
		if limit.Err() != nil || !retryable(err, tries) || !s.pause(limit, tries) {
			return s.explain(ctx, op, last)
		}
	}
}

// attempt makes one try on the current link, and judges the link by it.
func (s *Store) attempt(ctx context.Context, try func(ctx context.Context, l *link) error) error {
	l, err := s.acquire(ctx)
	if err != nil {
		return err
	}
	defer s.release(l)
	attempt, cancel := context.WithTimeout(s.outgoing(ctx), s.cfg.AttemptTimeout)
	defer cancel()
	err = try(attempt, l)
	if err != nil {
		s.judge(l, err, ctx.Err() == nil && attempt.Err() != nil)
	}
	return err
}

// judge decides after a failure whether a link is worth keeping. A lost
// connection to a single node re-establishes itself; one that is silent does
// not, and in a cluster the node to talk to may be another one now.
func (s *Store) judge(l *link, err error, silent bool) {
	var e *rpcError
	if errors.As(err, &e) && e.exception() == "not-leader" {
		s.mu.Lock()
		s.leader = e.leader()
		s.mu.Unlock()
		s.retire(l)
		return
	}
	if silent || (retryable(err, 3) && (s.clustered() || l.address != s.server.Address)) {
		s.retire(l)
	}
}

// pause waits before another try; false when time is up.
func (s *Store) pause(ctx context.Context, tries int) bool {
	return backoff.Backoff{Min: s.cfg.MinBackoff, Max: s.cfg.MaxBackoff, Rand: s.cfg.Rand}.Wait(ctx, tries)
}
