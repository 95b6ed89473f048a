package store

import (
	"context"
	"errors"
	"time"

	"waybill/events/fault"
)

// member is one who consumes for a group.
type member struct {
	store  *Store
	cfg    GroupConfig
	handle func(context.Context, Delivery) error

	ensured bool   // the group is there, and is one that keeps the order
	next    uint64 // revision of the first event not handled here, as far as this member got
	end     uint64 // where the stream ended when this member last wondered about the silence
	heard   int    // messages received
}

// Consume makes the caller a member of a group and returns when ctx ends, when
// the store is closed, or when the server refuses for good. The group is created
// if it is missing, beginning with the stream's first event. The member waits
// while the group has another one. After an outage it joins again by itself.
//
// It calls handle for one event at a time, in the stream's order; the next one
// comes when handle has returned. Nil means that the event is dealt with. An
// error that wraps [ErrPark] has it parked, any other one has it handed out
// again at once, before every later event; the server gets the error's text as
// the reason. The context given to handle ends with ctx and when the connection
// is lost: then the server may give the same event to another member already,
// and what handle returns may not reach it.
//
// So an event is handed out at least once. What this member has dealt with it is
// not given again, outage or not, unless the group was changed or deleted, or
// parked events are replayed. A group that is deleted begins anew.
func (s *Store) Consume(ctx context.Context, cfg GroupConfig, handle func(ctx context.Context, d Delivery) error) error {
	if err := cfg.validate(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	m := &member{store: s, cfg: cfg, handle: handle}
	return m.run(ctx)
}

func (m *member) run(ctx context.Context) error {
	log := m.store.cfg.Logger.With("address", m.store.addr, "stream", m.cfg.Stream, "group", m.cfg.Name)
	waiting := false
	for tries := 1; ; tries++ {
		heard := m.heard
		err := m.session(ctx)
		if ctx.Err() != nil {
			if m.store.ctx.Err() != nil {
				return ErrClosed
			}
			return ctx.Err()
		}
		if m.heard != heard {
			tries, waiting = 1, false
		}
		switch exception := exceptionOf(err); {
		case errors.Is(err, errBehind):
			continue
		case exception == exceptionGroupFull:
			if !waiting {
				log.Info("the group has a member, waiting to take its place")
			}
			waiting = true
		case exception == exceptionNoGroup, exception == exceptionDropped:
			m.ensured, m.next = false, 0
			log.Warn("the group was changed or deleted, joining again", "try", tries)
		case errors.Is(err, errSilent), retryable(err, tries):
			log.Warn("group interrupted, joining again", "try", tries, "err", err)
		default:
			return m.store.explain(ctx, "consume for "+m.cfg.String(), err)
		}
		if !m.store.pause(ctx, tries) {
			return ctx.Err()
		}
	}
}

// session joins once and handles events until the call breaks or ctx ends.
func (m *member) session(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silent := time.AfterFunc(m.store.cfg.AttemptTimeout, func() { cancel(errSilent) })
	defer silent.Stop()

	l, err := m.store.acquire(ctx)
	if err != nil {
		return orCause(ctx, err)
	}
	defer m.store.release(l)
	err = m.consume(ctx, l, silent)
	if !errors.Is(err, errBehind) {
		m.store.judge(l, err, errors.Is(err, errSilent))
	}
	return err
}

// consume joins on a link and handles what comes. `silent` cancels ctx unless
// stopped.
func (m *member) consume(ctx context.Context, l *link, silent *time.Timer) error {
	if !m.ensured {
		if err := l.ensureGroup(m.store.outgoing(ctx), m.cfg); err != nil {
			return orCause(ctx, err)
		}
		m.ensured = true
	}
	c, err := m.join(ctx, l)
	if err != nil {
		return orCause(ctx, err)
	}
	defer c.close()
	if !silent.Stop() {
		return errSilent
	}
	m.heard++
	quiet := time.NewTimer(m.store.cfg.Silence)
	defer quiet.Stop()
	for c.held.Err() == nil {
		select {
		case in := <-c.incoming:
			m.heard++
			m.settle(ctx, c, in)
			quiet.Reset(m.store.cfg.Silence)
		case <-quiet.C:
			if err := m.wonder(ctx, l); err != nil {
				if !errors.Is(err, errSilent) { // there is somebody to hear it
					c.leave(m.store.cfg.AttemptTimeout)
				}
				return err
			}
			quiet.Reset(m.store.cfg.Silence)
		case <-c.held.Done():
		}
	}
	if ctx.Err() != nil {
		c.leave(m.store.cfg.AttemptTimeout)
	}
	return context.Cause(c.held)
}

// settle has an event handled and tells the server what came of it.
func (m *member) settle(ctx context.Context, c *membership, in incoming) {
	known := !in.Replayed && in.Record.Revision < m.next
	if !known && !in.gone {
		if err := m.handle(c.held, in.Delivery); err != nil {
			// One who leaves holds nothing back: saying so would count twice.
			if ctx.Err() == nil {
				c.refuse(in, err)
			}
			return
		}
	}
	if !in.Replayed {
		m.next = max(m.next, in.Record.Revision+1)
	}
	c.accept(in)
}

// wonder asks why nothing comes: no answer means that the connection is dead; a
// stream that has grown since the last time may mean that the server forgot
// this member. Joining again is right in both cases.
func (m *member) wonder(ctx context.Context, l *link) error {
	probe, stop := context.WithTimeout(m.store.outgoing(ctx), m.store.cfg.AttemptTimeout)
	defer stop()
	end, err := l.end(probe, m.cfg.Stream)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case fault.Is(err, fault.NotFound):
		return nil
	case err != nil:
		return errSilent
	case end > max(m.end, m.next):
		m.end = end
		return errBehind
	}
	return nil
}

func exceptionOf(err error) string {
	var e *rpcError
	if errors.As(err, &e) {
		return e.exception()
	}
	return ""
}
