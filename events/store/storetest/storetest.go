// Package storetest gives tests a real event store and ways to break the
// connection to it. Only tests may import it.
package storetest

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/events"
	"waybill/events/node"
	"waybill/events/store"
)

// Variable names the environment variable that points the tests at a running
// EventStoreDB, as a connection string, instead of an embedded node.
const Variable = "WAYBILL_TEST_EVENTSTORE"

// URL returns the connection string of a store for this test: an embedded node
// of its own, or the one that [Variable] names.
func URL(t testing.TB) string {
	t.Helper()
	if url := os.Getenv(Variable); url != "" {
		return url
	}
	return Start(t, t.TempDir(), "").ConnectionString()
}

// ProxyableURL is [URL] for a test that puts a [Proxy] before the store: a
// cluster, or a node that must be who its certificate says, stays unused.
func ProxyableURL(t testing.TB) string {
	t.Helper()
	if url := os.Getenv(Variable); strings.Contains(url, "tls=false") && !strings.Contains(url, ",") && !strings.Contains(url, "+discover") {
		return url
	}
	return Start(t, t.TempDir(), "").ConnectionString()
}

// Node is an embedded node that a test can stop and start again.
type Node struct {
	*node.Node
	stop func()
}

// Stop ends the node and waits until its directory and port are free.
func (n *Node) Stop() { n.stop() }

// Start runs an embedded node on a directory and an address; "" is a port that
// stays the test's own. It ends with the test at the latest.
func Start(t testing.TB, dir, listen string) *Node {
	t.Helper()
	if listen == "" {
		listen = address(t)
	}
	n, err := node.Open(node.Config{Dir: dir, Listen: listen, StopTimeout: 200 * time.Millisecond})
	if err != nil {
		t.Fatalf("open the embedded node: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- n.Run(ctx) }()
	var stopped bool
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ran; err != nil {
			t.Errorf("run the embedded node: %v", err)
		}
		if err := n.Close(); err != nil {
			t.Errorf("close the embedded node: %v", err)
		}
	}
	t.Cleanup(stop)
	return &Node{n, stop}
}

// Open opens a store that is closed with the test. Zero fields of cfg get values
// that suit tests: short pauses, and patience for the slowest machine.
func Open(t testing.TB, cfg store.Config) *store.Store {
	t.Helper()
	if cfg.MinBackoff == 0 {
		cfg.MinBackoff, cfg.MaxBackoff = 5*time.Millisecond, 50*time.Millisecond
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = Patience
	}
	s, err := store.Open(cfg)
	if err != nil {
		t.Fatalf("open the store: %v", err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// Category returns a stream prefix that no other test uses.
func Category() string { return "T" + strings.ReplaceAll(uuid.NewString(), "-", "") + "-" }

// Events returns n events with fresh ids.
func Events(n int) []events.Proposed {
	evs := make([]events.Proposed, n)
	for i := range evs {
		evs[i] = events.Proposed{
			ID: uuid.New(), Type: "Tested", Metadata: []byte(`{"correlation_id":"c"}`), Data: []byte(`{"padding":"` + strings.Repeat("x", 64) + `"}`),
		}
	}
	return evs
}

// Patience is how long a test waits for what must happen. It is no measure of
// how long that takes.
const Patience = 2 * time.Minute

// Eventually waits until a condition holds.
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(Patience)
	defer deadline.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}
