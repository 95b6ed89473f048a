package aggregates

import (
	"context"
	"fmt"
)

// sharedRead is one reading of a stream's tail for all who asked before it began.
type sharedRead struct {
	done chan struct{}
	err  error
}

// refreshShared is refresh for aggregates that many commands look at, such as
// the group that deliveries are put into: whoever asks while a reading is under
// way shares the one after it, which begins later and so is fresh for all.
func (e *entry[S]) refreshShared(ctx context.Context, x *Executor, kind Kind[S], stream string) error {
	e.mu.Lock()
	if !e.reading {
		e.reading = true
		e.mu.Unlock()
		err := e.refresh(ctx, x, kind, stream)
		e.pass(ctx, x, kind, stream)
		return err
	}
	if e.next == nil {
		e.next = &sharedRead{done: make(chan struct{})}
	}
	mine := e.next
	e.mu.Unlock()
	select {
	case <-mine.done:
		return mine.err
	case <-ctx.Done():
		return fmt.Errorf("read stream %s: %w", stream, ctx.Err())
	}
}

// pass begins the reading that others wait for, if any. It goes on when the
// context of whoever began it ends; the store bounds its time.
func (e *entry[S]) pass(ctx context.Context, x *Executor, kind Kind[S], stream string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	next := e.next
	e.next = nil
	if next == nil {
		e.reading = false
		return
	}
	ctx = context.WithoutCancel(ctx)
	go func() {
		next.err = e.refresh(ctx, x, kind, stream)
		close(next.done)
		e.pass(ctx, x, kind, stream)
	}()
}
