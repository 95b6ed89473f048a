package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"waybill/events"
	"waybill/events/fault"
)

// errDone ends a bulk call when there is nothing left to do.
var errDone = errors.New("all answered")

// run keeps one call going until everything is answered or ctx ends.
func (b *Bulk) run() {
	for tries := 1; ; tries++ {
		before := b.oldest()
		err := b.session()
		if errors.Is(err, errDone) {
			return
		}
		if b.ctx.Err() != nil {
			b.refuseMore()
			b.fail(context.Cause(b.ctx), true, 0)
			return
		}
		if b.oldest() != before {
			tries = 1
		}
		if errors.Is(err, errSilent) || retryable(err, tries) {
			b.fail(b.store.explain(b.ctx, "bulk append", &unreachable{err}), true, b.store.cfg.Timeout)
		} else {
			b.fail(b.store.explain(b.ctx, "bulk append", err), false, 0)
		}
		b.store.cfg.Logger.Warn("bulk append interrupted, sending again what is unanswered",
			"address", b.store.addr, "unanswered", len(b.slots), "try", tries, "err", err)
		b.store.pause(b.ctx, tries)
	}
}

// session makes one call: what is unanswered first, then what comes.
func (b *Bulk) session() error {
	if b.finished() {
		return errDone
	}
	ctx, cancel := context.WithCancelCause(b.store.outgoing(b.ctx))
	defer cancel(nil)
	watch := time.AfterFunc(b.store.cfg.AttemptTimeout, func() { cancel(errSilent) })
	defer watch.Stop()

	l, err := b.store.acquire(ctx)
	if err != nil {
		return orCause(ctx, err)
	}
	defer b.store.release(l)
	call, err := l.api.BatchAppend(ctx)
	if err == nil && !watch.Stop() {
		err = errSilent
	}
	if err != nil {
		err = orCause(ctx, &rpcError{err: err})
		b.store.judge(l, err, errors.Is(err, errSilent))
		return err
	}

	received := make(chan struct{})
	b.store.work.Go(func() {
		defer close(received)
		cancel(b.receive(call))
	})
	b.store.work.Go(func() { b.watch(ctx, cancel) })
	if b.send(ctx, call) {
		cancel(errDone)
	}
	<-received
	err = context.Cause(ctx)
	if !errors.Is(err, errDone) {
		b.store.judge(l, err, errors.Is(err, errSilent))
	}
	return err
}

// send writes what is unanswered, oldest first, then what comes. It reports
// whether there is nothing left to do and nothing to come.
func (b *Bulk) send(ctx context.Context, call streams.Streams_BatchAppendClient) bool {
	cursor := b.oldest()
	if cursor > 0 {
		cursor--
	}
	for {
		request, wait := b.after(&cursor)
		switch {
		case request != nil:
			if call.Send(request) != nil {
				return false // receive knows why
			}
		case b.finished():
			return true
		case wait:
			select {
			case <-b.more:
			case <-ctx.Done():
				return false
			}
		}
	}
}

// receive settles appends as they are answered, until the call ends.
func (b *Bulk) receive(call streams.Streams_BatchAppendClient) error {
	for {
		resp, err := call.Recv()
		if errors.Is(err, io.EOF) {
			return &unreachable{errors.New("the server ended the call")}
		}
		if err != nil {
			return &rpcError{err, call.Trailer()}
		}
		p := b.find(correlation(resp.GetCorrelationId()))
		if p == nil {
			continue // answered before, on the call that broke
		}
		at, err := batchOutcome(resp, p.stream, p.want)
		if fault.Is(err, fault.Unavailable) && time.Since(p.since) < b.store.cfg.Timeout {
			return &unreachable{err} // not done for now: all again, after a pause
		}
		b.settle(p, at, err)
	}
}

// watch breaks a call on which appends wait and nothing is answered.
func (b *Bulk) watch(ctx context.Context, cancel context.CancelCauseFunc) {
	tick := time.NewTicker(b.store.cfg.AttemptTimeout)
	defer tick.Stop()
	for oldest := b.oldest(); ; {
		select {
		case <-tick.C:
			now := b.oldest()
			if now != 0 && now == oldest {
				cancel(errSilent)
				return
			}
			oldest = now
		case <-ctx.Done():
			return
		}
	}
}

// fail ends the unanswered appends that are at least so old. unknown says that
// they may have been written.
func (b *Bulk) fail(err error, unknown bool, age time.Duration) {
	b.mu.Lock()
	var late []*Pending
	for _, p := range b.open {
		if time.Since(p.since) >= age {
			late = append(late, p)
		}
	}
	b.mu.Unlock()
	for _, p := range late {
		outcome := fmt.Errorf("append to stream %s: %w", p.stream, err)
		if unknown {
			outcome = &UnknownOutcomeError{Stream: p.stream, Err: err}
		}
		b.settle(p, events.Position{}, outcome)
	}
}

func (b *Bulk) refuseMore() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
}

// finished reports whether everything is answered and no more can come.
func (b *Bulk) finished() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closed && len(b.open) == 0
}

// after returns the request of the first unanswered append past the cursor and
// moves the cursor to it; none means that the sender is up to date and may wait.
func (b *Bulk) after(cursor *uint64) (request *streams.BatchAppendReq, wait bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for *cursor < b.next {
		*cursor++
		if p := b.open[*cursor]; p != nil {
			return p.request, false
		}
	}
	return nil, true
}

// oldest returns the id of the oldest unanswered append; 0 when there is none.
func (b *Bulk) oldest() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	var oldest uint64
	for id := range b.open {
		if oldest == 0 || id < oldest {
			oldest = id
		}
	}
	return oldest
}

func (b *Bulk) find(id uint64) *Pending {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.open[id]
}

// settle ends an append and makes room for another.
func (b *Bulk) settle(p *Pending, at events.Position, err error) {
	b.mu.Lock()
	delete(b.open, p.id)
	p.at, p.err, p.request = at, err, nil
	last := b.closed && len(b.open) == 0
	b.mu.Unlock()
	close(p.done)
	<-b.slots
	if last {
		b.wake()
	}
}
