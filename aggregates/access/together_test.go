package access

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
)

// lookUps answers each token with a caller of its own, when it is let.
type lookUps struct {
	mu    sync.Mutex
	sizes []int           // of the look-ups that began
	first <-chan struct{} // the first one waits for it
}

func (l *lookUps) query(_ context.Context, tokens [][]byte) (map[tokenKey]found, error) {
	l.mu.Lock()
	l.sizes = append(l.sizes, len(tokens))
	first := len(l.sizes) == 1
	l.mu.Unlock()
	if first && l.first != nil {
		<-l.first
	}
	all := map[tokenKey]found{}
	for _, token := range tokens {
		all[tokenKey(token)] = found{caller: Caller{User: uuid.UUID(token[:16])}}
	}
	return all, nil
}

func tokenOf(n int) (k tokenKey) {
	k[0], k[1] = byte(n), byte(n>>8)
	return k
}

// asks looks n callers up, each of which must be the token's own.
func asks(t *testing.T, x *together, n int) *sync.WaitGroup {
	var end sync.WaitGroup
	for i := range n {
		end.Go(func() {
			token := tokenOf(i)
			c, err := x.find(t.Context(), token)
			if err != nil || c.User != uuid.UUID(token[:16]) {
				t.Errorf("token %d is that of %v (%v)", i, c.User, err)
			}
		})
	}
	return &end
}

func TestCallersThatAskDuringALookUpShareTheNextOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		l := &lookUps{first: release}
		x := &together{query: l.query, slow: time.Hour}
		one := asks(t, x, 1)
		synctest.Wait() // it is being looked up
		others := asks(t, x, maxTogether)
		synctest.Wait()
		close(release)
		one.Wait()
		others.Wait()
		if len(l.sizes) != 2 || l.sizes[1] != maxTogether {
			t.Errorf("look-ups of %v tokens, want 1 and %d", l.sizes, maxTogether)
		}
	})
}

func TestALookUpThatTakesLongHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		l := &lookUps{first: release}
		x := &together{query: l.query, slow: slowLookUp}
		one := asks(t, x, 1)
		synctest.Wait()
		began := time.Now()
		asks(t, x, 10).Wait()
		if waited := time.Since(began); waited > slowLookUp {
			t.Errorf("others waited for %v, want %v", waited, slowLookUp)
		}
		close(release)
		one.Wait()
	})
}

func TestACallerThatGoesAwayDoesNotWaitForItsLookUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		l := &lookUps{first: release}
		x := &together{query: l.query, slow: time.Hour}
		ctx, leave := context.WithCancel(t.Context())
		gone := make(chan error, 1)
		go func() {
			_, err := x.find(ctx, tokenOf(1))
			gone <- err
		}()
		synctest.Wait()
		leave()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		close(release)
	})
}
