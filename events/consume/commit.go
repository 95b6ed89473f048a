package consume

import (
	"context"
	"time"
)

// grace is how long a commit may go on after the consumer was told to stop.
const grace = 5 * time.Second

// commit waits for the commit before it and starts this run's. Only one is
// under way at a time, so they happen in the order of the log.
func (s *session) commit(run *Run) error {
	if err := s.settle(); err != nil {
		return err
	}
	if s.ctx.Err() != nil {
		return s.because(nil)
	}
	if run.culprit {
		s.parked[run.Records[0].Stream] = struct{}{}
	}
	s.folded, s.committed = run.Last, time.Now()
	done := make(chan error, 1)
	s.committing = done
	go func() {
		err := s.write(run)
		if err != nil {
			s.fail(err) // whatever is being folded meanwhile is void
		}
		done <- err
	}()
	if !run.culprit {
		return nil
	}
	if err := s.settle(); err != nil {
		return err
	}
	rec := run.Records[0]
	s.cfg.Logger.Error("event parked", "stream", rec.Stream, "revision", rec.Revision, "type", rec.Type,
		"position", rec.Position.String(), "err", run.cause)
	s.setState(s.ctx, Parked, plural(len(s.parked), "stream has", "streams have")+" parked events", run.Last)
	return nil
}

// settle waits for the commit under way, if any.
func (s *session) settle() error {
	if s.committing == nil {
		return nil
	}
	err := <-s.committing
	s.committing = nil
	if err == nil {
		s.moved = true
	}
	return err
}

// write commits one unit. The end of the session does not interrupt it, only
// limits it: an outcome that is known saves the next start a repetition.
func (s *session) write(run *Run) error {
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.ctx))
	defer cancel()
	stop := context.AfterFunc(s.ctx, func() {
		t := time.AfterFunc(grace, cancel)
		context.AfterFunc(ctx, func() { t.Stop() })
	})
	defer stop()

	began := time.Now()
	if err := run.Unit.Commit(ctx, run.After, run.Last); err != nil {
		return err
	}
	s.metrics.committed(run, time.Since(began))
	s.cfg.Committed(run.Last)
	return nil
}
