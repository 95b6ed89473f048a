package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"waybill/events"
	"waybill/events/fault"
)

// BulkConfig says how much a bulk writer keeps under way.
type BulkConfig struct {
	// InFlight is how many appends may be unanswered at a time; a further one
	// waits. It bounds the memory. Defaults to 512.
	InFlight int
}

// Bulk writes many small appends to different streams over one call, without
// waiting for one answer before sending the next. It is safe for concurrent
// use. Appends to one and the same stream must wait for each other: the order
// in which the server works is not promised.
//
// A broken call is made anew and what was not answered is sent again with the
// same event ids, so every append happens once.
type Bulk struct {
	store *Store
	slots chan struct{} // one per append under way
	more  chan struct{} // says that there may be something to send

	ctx    context.Context
	cancel context.CancelCauseFunc
	ended  chan struct{} // the worker is done

	mu     sync.Mutex
	next   uint64              // the newest append's id; they count up from 1
	open   map[uint64]*Pending // unanswered, sent or not
	closed bool
}

// Pending is an append under way.
type Pending struct {
	id      uint64
	stream  string
	request *streams.BatchAppendReq
	want    events.Expected
	since   time.Time

	done chan struct{}
	at   events.Position
	err  error
}

// Bulk opens a bulk writer, which lives until Close or the end of ctx.
func (s *Store) Bulk(ctx context.Context, cfg BulkConfig) (*Bulk, error) {
	if cfg.InFlight <= 0 {
		cfg.InFlight = 512
	}
	b := &Bulk{
		store: s,
		slots: make(chan struct{}, cfg.InFlight),
		more:  make(chan struct{}, 1),
		ended: make(chan struct{}),
		open:  make(map[uint64]*Pending, cfg.InFlight),
	}
	b.ctx, b.cancel = context.WithCancelCause(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return nil, fmt.Errorf("bulk append: %w", ErrClosed)
	}
	s.work.Go(func() {
		stop := context.AfterFunc(s.ctx, func() { b.cancel(ErrClosed) })
		defer stop()
		defer close(b.ended)
		b.run()
	})
	return b, nil
}

// Append hands over one append, waiting for room until ctx ends. What became of
// it comes from [Pending.Wait], with the errors of [Store.Append].
func (b *Bulk) Append(ctx context.Context, stream string, expected events.Expected, evs []events.Proposed) *Pending {
	p := &Pending{stream: stream, want: expected, done: make(chan struct{})}
	if len(evs) == 0 {
		p.end(events.Position{}, fault.New(fault.Invalid, "no-events", "There is nothing to append."))
		return p
	}
	select {
	case b.slots <- struct{}{}:
	case <-ctx.Done():
		p.end(events.Position{}, fmt.Errorf("bulk append to stream %s: %w", stream, ctx.Err()))
		return p
	case <-b.ctx.Done():
		p.end(events.Position{}, fmt.Errorf("bulk append to stream %s: %w", stream, context.Cause(b.ctx)))
		return p
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		<-b.slots
		p.end(events.Position{}, fmt.Errorf("bulk append to stream %s: %w", stream, errBulkClosed))
		return p
	}
	b.next++
	p.id, p.since = b.next, time.Now()
	p.request = batchRequest(p.id, stream, expected, evs, b.store.cfg.AttemptTimeout)
	b.open[p.id] = p
	b.wake()
	return p
}

// wake tells the sender to look again.
func (b *Bulk) wake() {
	select {
	case b.more <- struct{}{}:
	default:
	}
}

var errBulkClosed = errors.New("the bulk writer is closed")

// Wait returns the position of the append's last event, once it is durable.
// When ctx ends first, the append goes on; Wait may be called again.
func (p *Pending) Wait(ctx context.Context) (events.Position, error) {
	select {
	case <-p.done:
		return p.at, p.err
	default:
	}
	select {
	case <-p.done:
		return p.at, p.err
	case <-ctx.Done():
		return events.Position{}, fmt.Errorf("wait for the append to stream %s: %w", p.stream, ctx.Err())
	}
}

func (p *Pending) end(at events.Position, err error) {
	p.at, p.err, p.request = at, err, nil
	close(p.done)
}

// Close takes no more appends and waits until everything under way is answered;
// when ctx ends first, what is left ends with [*UnknownOutcomeError]. It is
// idempotent.
func (b *Bulk) Close(ctx context.Context) error {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.wake()
	select {
	case <-b.ended:
		return nil
	case <-ctx.Done():
		b.cancel(ctx.Err())
		<-b.ended
		return fmt.Errorf("close the bulk writer: %w", ctx.Err())
	}
}
