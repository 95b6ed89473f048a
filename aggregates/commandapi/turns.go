package commandapi

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/semaphore"

	"waybill/aggregates/problem"
)

// turns let imports run: one of an organisation at a time, and so many of all.
// Organisations that wait come in the order in which they asked.
type turns struct {
	slots *semaphore.Weighted
	wait  time.Duration // for a slot, at most

	mu   sync.Mutex
	orgs map[uuid.UUID]bool // that have an import running or waiting
}

func newTurns(slots int, wait time.Duration) *turns {
	return &turns{slots: semaphore.NewWeighted(int64(slots)), wait: wait, orgs: map[uuid.UUID]bool{}}
}

// Waits that are told to who has to try again.
const (
	untilNext  = 10 * time.Second // an import of one's own is running
	untilOther = time.Minute      // so many of others are running
)

// begin waits for a turn; end gives it back. The errors are fit to be answered:
// 409 when the organisation has one already, 503 when its turn did not come.
func (t *turns) begin(ctx context.Context, org uuid.UUID) (end func(), err error) {
	t.mu.Lock()
	if t.orgs[org] {
		t.mu.Unlock()
		return nil, &problem.HTTPError{Status: http.StatusConflict, Code: "import-running", RetryAfter: untilNext,
			Detail: "Another file of your organisation is being imported. Send this one again when that is done."}
	}
	t.orgs[org] = true
	t.mu.Unlock()
	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.orgs, org)
	}
	if err := t.slot(ctx); err != nil {
		leave()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &problem.HTTPError{Status: http.StatusServiceUnavailable, Code: "imports-busy", RetryAfter: untilOther,
			Detail: "Files of other organisations are being imported at the moment. Try again later."}
	}
	return sync.OnceFunc(func() {
		t.slots.Release(1)
		leave()
	}), nil
}

// slot takes one that is free, or waits for one for as long as may be waited.
func (t *turns) slot(ctx context.Context) error {
	if t.slots.TryAcquire(1) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, t.wait)
	defer cancel()
	return t.slots.Acquire(ctx, 1)
}
