package aggregates

import (
	"context"
	"errors"
	"sync"
	"time"

	"waybill/events"
	"waybill/events/store"
)

// appends sends the appends of a process's commands over one call, on which an
// append costs a fraction of a call of its own. Each stays a transaction of its
// own, at the revision that it expects.
//
// The call is opened when it is needed and ended when nobody needed it for a
// while, so that a process that has nothing to append holds nothing up, such as
// an event store that wants to stop.
type appends struct {
	store *store.Store
	idle  time.Duration

	mu      sync.Mutex
	bulk    *store.Bulk // nil: none is open
	using   int         // appends under way on it
	used    time.Time   // when the last one ended
	watched bool        // a timer looks whether it is idle
}

const (
	// idleCall is how long a call without appends stays open.
	idleCall = time.Second
	// maxShared is the size, in bytes, from which an append gets a call of its
	// own, so that others do not wait for it to get through.
	maxShared = 64 << 10
)

// append is [store.Store.Append].
func (a *appends) append(ctx context.Context, stream string, expected events.Expected, evs []events.Proposed) (events.Position, error) {
	size := 0
	for _, e := range evs {
		size += len(e.Data) + len(e.Metadata)
	}
	if size > maxShared {
		return a.store.Append(ctx, stream, expected, evs)
	}
	bulk, err := a.take()
	if err != nil {
		return events.Position{}, err
	}
	defer a.give()
	at, err := bulk.Append(ctx, stream, expected, evs).Wait(ctx)
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = &store.UnknownOutcomeError{Stream: stream, Err: err} // it goes on without whoever waited
	}
	return at, err
}

func (a *appends) take() (*store.Bulk, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.bulk == nil {
		bulk, err := a.store.Bulk(context.Background(), store.BulkConfig{}) // ends with the store
		if err != nil {
			return nil, err
		}
		a.bulk = bulk
	}
	a.using++
	return a.bulk, nil
}

func (a *appends) give() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.using--
	a.used = time.Now()
	if !a.watched {
		a.watched = true
		time.AfterFunc(a.idle, a.rest)
	}
}

// rest ends the call if nobody needs it, or looks again later.
func (a *appends) rest() {
	a.mu.Lock()
	left := a.idle - time.Since(a.used)
	if a.using > 0 {
		left = a.idle
	}
	if left > 0 {
		a.mu.Unlock()
		time.AfterFunc(left, a.rest)
		return
	}
	bulk := a.bulk
	a.bulk, a.watched = nil, false
	a.mu.Unlock()
	_ = bulk.Close(context.Background()) // everything on it is answered
}
