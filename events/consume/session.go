package consume

import (
	"context"
	"errors"
	"fmt"
	"time"

	"waybill/events"
	"waybill/events/store"
)

// session is one uninterrupted stretch of consuming: a subscription from the
// committed checkpoint, at most one run being folded, at most one being
// committed.
type session struct {
	*feeder
	ctx  context.Context
	fail context.CancelCauseFunc
	sub  *store.Subscription

	parked map[string]struct{} // streams whose events are set aside
	seen   events.Position     // how far the subscription has come
	folded events.Position     // how far units cover it, committed or being committed
	room   int                 // how many events the last run had

	committing chan error // gets the result of the commit under way; nil = none
	committed  time.Time  // when a commit began last
	moved      bool       // something was committed
	looked     time.Time  // when the progress was looked at last
	ended      bool       // the end of the log was reached once
}

func newSession(ctx context.Context, f *feeder, from Checkpoint) *session {
	s := &session{
		feeder: f, seen: from.Position, folded: from.Position, committed: time.Now(), looked: time.Now(),
		parked: make(map[string]struct{}, len(from.Parked)),
	}
	for _, stream := range from.Parked {
		s.parked[stream] = struct{}{}
	}
	s.ctx, s.fail = context.WithCancelCause(ctx)
	s.sub = f.cfg.Store.Subscribe(s.ctx, store.SubscribeConfig{
		Prefixes: f.cfg.Prefixes, From: from.Position, Buffer: 2 * f.cfg.MaxRun,
	})
	return s
}

func (s *session) close() {
	s.fail(nil)
	s.sub.Close()
}

// consume works until something fails or the context ends.
func (s *session) consume() error {
	for {
		records, due, err := s.collect()
		switch {
		case err != nil:
			return err
		case len(records) > 0:
			err = s.deliver(&Run{Records: records, After: s.folded, Last: s.seen})
		case due && s.seen.After(s.folded):
			err = s.commit(&Run{After: s.folded, Last: s.seen, Unit: s.cfg.Log.Begin()})
		}
		if err == nil {
			err = s.recover()
		}
		if err != nil {
			return err
		}
	}
}

// recover says that a failure is over once something was committed, or there is
// nothing to commit, and a rebuild at the end of the log.
func (s *session) recover() error {
	if over := s.state == Failed && (s.moved || s.ended) || s.state == Rebuilding && s.ended; !over {
		return nil
	}
	if err := s.settle(); err != nil {
		return err
	}
	s.at = s.folded
	s.works(s.ctx, len(s.parked))
	return nil
}

// look finds out what an operator wants of a consumer that has nothing to do. What
// cannot be read is for the next commit to find out.
func (s *session) look() error {
	if err := s.settle(); err != nil {
		return err
	}
	s.looked = time.Now()
	progress, err := s.cfg.Log.Load(s.ctx)
	switch {
	case err != nil:
		return nil
	case progress.State == Paused:
		return ErrPaused
	case progress.Position != s.folded:
		return ErrFenced
	}
	return nil
}

// collect takes what the subscription has, waiting only for the first message.
// due says that progress without events is worth a commit.
func (s *session) collect() (records []events.Record, due bool, err error) {
	m, err := s.first()
	switch {
	case errors.Is(err, errDue):
		return nil, true, nil
	case errors.Is(err, errLook):
		return nil, false, s.look()
	}
	if err != nil {
		return nil, false, s.because(err)
	}
	for n := 1; ; n++ {
		if m.Record != nil {
			if records == nil {
				records = make([]events.Record, 0, min(s.cfg.MaxRun, s.room+8))
			}
			records = append(records, *m.Record)
			s.seen = m.Record.Position
		} else {
			s.seen = m.Checkpoint
			due = due || m.CaughtUp
			s.ended = s.ended || m.CaughtUp
		}
		if n >= s.cfg.MaxRun {
			break
		}
		var more bool
		if m, more = s.sub.Poll(); !more {
			break
		}
	}
	if len(records) > 0 {
		s.room = len(records)
	}
	return records, due || time.Since(s.committed) >= s.cfg.Progress, nil
}

var (
	errDue  = errors.New("time to commit progress")
	errLook = errors.New("time to look for an operator's word")
)

// first waits for a message, for the time to look for an operator's word or, when
// there is progress to commit, for that.
func (s *session) first() (store.Message, error) {
	if m, ok := s.sub.Poll(); ok {
		return m, nil
	}
	until, cause := s.looked.Add(s.cfg.Look), errLook
	if due := s.committed.Add(s.cfg.Progress); s.seen.After(s.folded) && due.Before(until) {
		until, cause = due, errDue
	}
	ctx, cancel := context.WithDeadlineCause(s.ctx, until, cause)
	defer cancel()
	m, err := s.sub.Next(ctx)
	if err != nil && errors.Is(context.Cause(ctx), cause) {
		err = cause
	}
	return m, err
}

// because prefers the reason why the session was ended to what came of it.
func (s *session) because(err error) error {
	if cause := context.Cause(s.ctx); cause != nil {
		return cause
	}
	return err
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
