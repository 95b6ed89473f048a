package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"waybill/events"
)

// considered is how many events a filtered subscription may look at before the
// server tells how far it is.
const considered = 1000

// follower is the working half of a subscription: it keeps one call running.
type follower struct {
	store *Store
	cfg   SubscribeConfig
	out   chan<- Message
	last  events.Position // of what was handed out last

	stream string // when following one stream, not the log
	next   uint64 // and the revision wanted next

	heard     atomic.Int64  // messages received
	receiving atomic.Bool   // waiting for the server, not for the consumer
	reached   atomic.Uint64 // last.Commit, or next, for the watch
}

// run follows until ctx ends or the server refuses for good.
func (f *follower) run(ctx context.Context) error {
	f.mark()
	for tries := 1; ; tries++ {
		heard := f.heard.Load()
		err := f.session(ctx)
		if ctx.Err() != nil {
			if f.store.ctx.Err() != nil {
				return ErrClosed
			}
			return ctx.Err()
		}
		if f.heard.Load() != heard {
			tries = 1
		}
		if errors.Is(err, errBehind) {
			continue
		}
		if !errors.Is(err, errSilent) && !retryable(err, tries) {
			return f.store.explain(ctx, "follow the log", err)
		}
		f.store.cfg.Logger.Warn("subscription interrupted, reconnecting",
			"address", f.store.addr, "position", f.last.String(), "try", tries, "err", err)
		if !f.store.pause(ctx, tries) {
			return ctx.Err()
		}
	}
}

// session subscribes once and hands out what arrives until the call breaks.
func (f *follower) session(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silent := time.AfterFunc(f.store.cfg.AttemptTimeout, func() { cancel(errSilent) })
	defer silent.Stop()

	l, err := f.store.acquire(ctx)
	if err != nil {
		return orCause(ctx, err)
	}
	defer f.store.release(l)
	err = f.follow(ctx, cancel, l, silent)
	err = orCause(ctx, err)
	if !errors.Is(err, errBehind) {
		f.store.judge(l, err, errors.Is(err, errSilent))
	}
	return err
}

// follow runs the call on a link. `silent` cancels it unless stopped.
func (f *follower) follow(ctx context.Context, cancel context.CancelCauseFunc, l *link, silent *time.Timer) error {
	rpc := f.store.outgoing(ctx)
	trusted, err := l.trustsCheckpoints(rpc)
	if err != nil {
		return err
	}
	// The end of the log before subscribing: once the subscription has caught
	// up, everything up to here has been looked at, even if nothing was wanted.
	var head events.Position
	if f.stream == "" {
		if head, err = l.head(rpc); err != nil {
			return err
		}
	}
	r, err := l.read(rpc, f.request())
	if err == nil {
		err = r.next()
	}
	if err != nil {
		return endOfCall(err)
	}
	if r.frame.kind != frameConfirmation {
		return malformed("a subscription that is not confirmed first")
	}
	if !silent.Stop() {
		return errSilent
	}
	f.heard.Add(1)
	f.store.work.Go(func() { f.watch(ctx, cancel, l) })

	for {
		f.receiving.Store(true)
		err := r.next()
		f.receiving.Store(false)
		if err != nil {
			return endOfCall(err)
		}
		f.heard.Add(1)
		if err := f.handOut(ctx, &r.frame, head, trusted); err != nil {
			return err
		}
	}
}

// handOut passes on what a frame says. Only then is it known: a session that
// ends in between starts again before it.
func (f *follower) handOut(ctx context.Context, fr *frame, head events.Position, trusted bool) error {
	var m Message
	last, next := f.last, f.next
	switch fr.kind {
	case frameEvent:
		record := fr.record
		if f.knows(&record) {
			return nil
		}
		m.Record, last, next = &record, record.Position, record.Revision+1
	case frameCheckpoint:
		if !trusted || !fr.at.After(last) {
			return nil
		}
		m.Checkpoint, last = fr.at, fr.at
	case frameCaughtUp:
		if head.After(last) {
			last = head
		}
		m.Checkpoint, m.CaughtUp = last, true
	default:
		return nil
	}
	select {
	case f.out <- m:
		f.last, f.next = last, next
		f.mark()
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// knows reports whether a record was handed out before.
func (f *follower) knows(r *events.Record) bool {
	if f.stream != "" {
		return r.Revision < f.next
	}
	return !r.Position.After(f.last)
}

// mark tells the watch how far this has come.
func (f *follower) mark() {
	if f.stream != "" {
		f.reached.Store(f.next)
	} else {
		f.reached.Store(f.last.Commit)
	}
}

func (f *follower) request() *streams.ReadReq_Options {
	if f.stream != "" {
		return f.streamRequest()
	}
	o := allOptions(f.last, Forwards, 0)
	o.CountOption = &streams.ReadReq_Options_Subscription{Subscription: &streams.ReadReq_Options_SubscriptionOptions{}}
	if len(f.cfg.Prefixes) == 0 {
		o.FilterOption = &streams.ReadReq_Options_NoFilter{NoFilter: &shared.Empty{}}
		return o
	}
	o.FilterOption = &streams.ReadReq_Options_Filter{Filter: &streams.ReadReq_Options_FilterOptions{
		Filter: &streams.ReadReq_Options_FilterOptions_StreamIdentifier{
			StreamIdentifier: &streams.ReadReq_Options_FilterOptions_Expression{Prefix: f.cfg.Prefixes},
		},
		Window:                       &streams.ReadReq_Options_FilterOptions_Max{Max: considered},
		CheckpointIntervalMultiplier: 1,
	}}
	return o
}

func (f *follower) streamRequest() *streams.ReadReq_Options {
	o := &streams.ReadReq_Options_StreamOptions{
		StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(f.stream)},
		RevisionOption:   &streams.ReadReq_Options_StreamOptions_Start{Start: &shared.Empty{}},
	}
	if f.next > 0 { // the protocol wants the last known one
		o.RevisionOption = &streams.ReadReq_Options_StreamOptions_Revision{Revision: f.next - 1}
	}
	return &streams.ReadReq_Options{
		StreamOption: &streams.ReadReq_Options_Stream{Stream: o},
		CountOption:  &streams.ReadReq_Options_Subscription{Subscription: &streams.ReadReq_Options_SubscriptionOptions{}},
	}
}

// endOfCall makes the server's ending of a subscription the outage that it is.
func endOfCall(err error) error {
	if errors.Is(err, io.EOF) {
		return &unreachable{fmt.Errorf("the server ended the subscription: %w", err)}
	}
	return err
}

// orCause prefers the reason why ctx was cancelled to what came of it.
func orCause(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return fmt.Errorf("%w: %v", cause, err)
	}
	return err
}
