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
}

func newSession(ctx context.Context, f *feeder, from Checkpoint) *session {
	s := &session{
		feeder: f, seen: from.Position, folded: from.Position, committed: time.Now(),
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
		if err != nil {
			return err
		}
	}
}

// collect takes what the subscription has, waiting only for the first message.
// due says that progress without events is worth a commit.
func (s *session) collect() (records []events.Record, due bool, err error) {
	m, err := s.first()
	if errors.Is(err, errDue) {
		return nil, true, nil
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

var errDue = errors.New("time to commit progress")

// first waits for a message or, when there is progress to commit, for its time.
func (s *session) first() (store.Message, error) {
	if m, ok := s.sub.Poll(); ok {
		return m, nil
	}
	if !s.seen.After(s.folded) {
		return s.sub.Next(s.ctx)
	}
	ctx, cancel := context.WithDeadlineCause(s.ctx, s.committed.Add(s.cfg.Progress), errDue)
	defer cancel()
	m, err := s.sub.Next(ctx)
	if err != nil && errors.Is(context.Cause(ctx), errDue) {
		err = errDue
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
