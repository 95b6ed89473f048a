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
// come while look-ups are under way share the next one, as writers share an
// fsync. Nothing is kept: a look-up begins after the request that it is for.
type together struct {
	query func(ctx context.Context, tokens [][]byte) (map[tokenKey]found, error)

	mu      sync.Mutex
	waiting []*asked
	lanes   int // look-ups under way
}

const (
	maxLanes      = 2               // look-ups under way at a time
	maxTogether   = 100             // tokens in one
	lookUpTimeout = 5 * time.Second // of one; it is nobody's request in particular
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
	start := t.lanes < maxLanes
	if start {
		t.lanes++
	}
	t.mu.Unlock()
	if start {
		go t.serve()
	}
	select {
	case f := <-a.done:
		return f.caller, f.err
	case <-ctx.Done():
		return Caller{}, ctx.Err()
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
