package aggregatetest

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/events"
	"waybill/events/node"
	"waybill/events/store"
)

// Main runs a package's tests with one embedded node that they share, each in
// organisations of its own. It returns the exit code.
func Main(m *testing.M, url *string) int {
	dir, err := os.MkdirTemp("", "waybill-aggregates-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	n, err := node.Open(node.Config{Dir: dir})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	*url = n.ConnectionString()
	code := m.Run()
	stop()
	if err := <-ended; err != nil {
		fmt.Fprintln(os.Stderr, "event store:", err)
		code = 1
	}
	if err := n.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "event store:", err)
		code = 1
	}
	return code
}

// patience is what a test may wait for: far above what a healthy machine needs,
// however busy it is and however slow its disk.
const patience = 5 * time.Minute

// Open returns a store on the node, closed with the test.
func Open(tb testing.TB, url string) *store.Store {
	tb.Helper()
	s, err := store.Open(store.Config{URL: url, Timeout: patience, AttemptTimeout: patience / 2})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// Codec returns a codec whose keys live as long as the test.
func Codec(tb testing.TB) *events.Codec {
	tb.Helper()
	c, err := events.NewCodec(&ring{keys: map[uuid.UUID]events.Key{}})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// ring is a key ring in memory.
type ring struct {
	mu   sync.Mutex
	keys map[uuid.UUID]events.Key
}

func (r *ring) Ensure(_ context.Context, subjects []uuid.UUID) (map[uuid.UUID]events.Key, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make(map[uuid.UUID]events.Key, len(subjects))
	for _, s := range subjects {
		k, ok := r.keys[s]
		if !ok {
			if _, err := rand.Read(k[:]); err != nil {
				return nil, err
			}
			r.keys[s] = k
		}
		out[s] = k
	}
	return out, nil
}

func (r *ring) Lookup(_ context.Context, subjects []uuid.UUID) (map[uuid.UUID]events.Key, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make(map[uuid.UUID]events.Key, len(subjects))
	for _, s := range subjects {
		if k, ok := r.keys[s]; ok {
			out[s] = k
		}
	}
	return out, nil
}

// Identities keeps the person behind each e-mail in memory. Callers stay what they
// are, unless Now says otherwise.
type Identities struct {
	known sync.Map
	Now   func(access.Caller) (access.Caller, error)
}

// Again returns a caller as it stands now.
func (i *Identities) Again(_ context.Context, c access.Caller) (access.Caller, error) {
	if i.Now == nil {
		return c, nil
	}
	return i.Now(c)
}

// Ensure returns the identity of an e-mail.
func (i *Identities) Ensure(_ context.Context, email string) (uuid.UUID, error) {
	id, _ := i.known.LoadOrStore(email, uuid.New())
	return id.(uuid.UUID), nil
}

// Within returns a context that ends with the test, or after some minutes.
func Within(tb testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	tb.Cleanup(cancel)
	return ctx
}
