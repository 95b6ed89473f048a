package access

import (
	"context"
	"crypto/sha256"
	"maps"
	"slices"
	"sync"
	"time"
)

// tokenKey is the hash of a session token.
type tokenKey [sha256.Size]byte

// found is what a look-up found about one token.
type found struct {
	caller Caller
	err    error
}

// together looks callers up, many at a time when many ask at once: requests that
// come while a look-up is under way share the next one, as writers share an
// fsync. Nothing is kept: a look-up begins after the request that it is for.
//
// One look-up at a time costs the least; a second one goes on beside it when it is
// full or slow.
type together struct {
	query func(ctx context.Context, tokens [][]byte) (map[tokenKey]found, error)
	slow  time.Duration // how long somebody waits for a look-up before a second one begins

	mu      sync.Mutex
	waiting []*asked
	lanes   int // look-ups under way
}

const (
	maxLanes      = 2 // look-ups under way at a time
	slowLookUp    = 5 * time.Millisecond
	maxTogether   = 100              // tokens in one
	lookUpTimeout = 15 * time.Second // of one; it is nobody's request in particular
)

// asked is one request that waits.
type asked struct {
	token tokenKey
	done  chan found // buffered: who waits may have gone away
}

func (t *together) find(ctx context.Context, token tokenKey) (Caller, error) {
	a := &asked{token: token, done: make(chan found, 1)}
	t.mu.Lock()
	t.waiting = append(t.waiting, a)
	start := t.lanes == 0 || len(t.waiting) > maxTogether && t.lanes < maxLanes
	if start {
		t.lanes++
	}
	t.mu.Unlock()
	if start {
		go t.serve()
	}
	late := time.NewTimer(t.slow)
	defer late.Stop()
	for {
		select {
		case f := <-a.done:
			return f.caller, f.err
		case <-late.C:
			t.hurry()
		case <-ctx.Done():
			return Caller{}, ctx.Err()
		}
	}
}

// hurry begins a look-up beside one that takes long, if somebody waits.
func (t *together) hurry() {
	t.mu.Lock()
	start := t.lanes < maxLanes && len(t.waiting) > 0
	if start {
		t.lanes++
	}
	t.mu.Unlock()
	if start {
		go t.serve()
	}
}

// serve runs look-ups until nobody waits.
func (t *together) serve() {
	for {
		t.mu.Lock()
		n := min(len(t.waiting), maxTogether)
		if n == 0 {
			t.lanes--
			t.mu.Unlock()
			return
		}
		now := slices.Clone(t.waiting[:n])
		t.waiting = slices.Delete(t.waiting, 0, n)
		t.mu.Unlock()
		t.answer(now)
	}
}

func (t *together) answer(now []*asked) {
	tokens := make([][]byte, len(now))
	for i, a := range now {
		tokens[i] = a.token[:]
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookUpTimeout)
	defer cancel()
	all, err := t.query(ctx, tokens)
	for _, a := range now {
		f, ok := all[a.token]
		switch {
		case err != nil:
			f = found{err: err}
		case !ok:
			f = found{err: errNoSession()}
		default:
			f.caller.Groups = slices.Clone(f.caller.Groups) // nobody shares what is somebody's
			f.caller.Ends = maps.Clone(f.caller.Ends)
		}
		a.done <- f
	}
}
