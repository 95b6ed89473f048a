package store

import (
	"context"
	"errors"
	"sync"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

// ErrClosed is what every call returns after [Store.Close].
var ErrClosed = errors.New("event store: closed by this process")

// Store is a connection to one EventStoreDB, single node or cluster. It is safe
// for concurrent use. Make one with [Open].
type Store struct {
	cfg    Config
	server *esdb.Configuration
	addr   string // where the store is said to be, without credentials

	ctx   context.Context // ends with Close
	close context.CancelCauseFunc
	work  sync.WaitGroup // every goroutine this store has started

	mu      sync.Mutex
	current *link    // what new calls use; nil = dial
	dialing *dialing // a dial under way; nil = none
	leader  string   // where a node said the leader is; tried once, "" = unknown
}

// Open reads the connection string. It connects at the first call, so the store
// need not be up yet.
func Open(cfg Config) (*Store, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	server, err := parseURL(cfg.URL)
	if err != nil {
		return nil, err
	}
	if _, err := transportOf(server); err != nil {
		return nil, err
	}
	if server.Username != "" && server.DisableTLS {
		cfg.Logger.Warn("the event store's credentials are not sent, because its connection string says tls=false")
	}
	s := &Store{cfg: cfg, server: server, addr: addressOf(server)}
	s.ctx, s.close = context.WithCancelCause(context.Background())
	return s, nil
}

// Address returns where the store is said to be, fit for messages: hosts and
// ports, no credentials.
func (s *Store) Address() string { return s.addr }

// start runs f on a goroutine that Close waits for; false once closed.
func (s *Store) start(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return false
	}
	s.work.Go(f)
	return true
}

// Close ends every call and subscription and closes the connections. It waits
// until all of that is done. It is idempotent.
func (s *Store) Close() error {
	s.close(ErrClosed)
	s.mu.Lock()
	current := s.current
	s.mu.Unlock()
	if current != nil {
		s.retire(current)
	}
	s.work.Wait()
	return nil
}
