package store

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// link is one connection to one node, with a count of the calls on it. A
// retired link takes no new calls and is closed when its last one has ended.
type link struct {
	cc      *grpc.ClientConn
	api     streams.StreamsClient
	address string

	calls   int  // guarded by Store.mu
	retired bool // guarded by Store.mu

	checkpoints atomic.Int32 // 0 = not asked yet, see trustsCheckpoints
}

// dialing is a search for a node that several calls wait for.
type dialing struct {
	done chan struct{}
	err  error // set before done is closed
}

// acquire returns the current link, connecting first where there is none. Every
// acquired link must be released.
func (s *Store) acquire(ctx context.Context) (*link, error) {
	for {
		s.mu.Lock()
		if s.ctx.Err() != nil {
			s.mu.Unlock()
			return nil, ErrClosed
		}
		if l := s.current; l != nil {
			l.calls++
			s.mu.Unlock()
			return l, nil
		}
		d := s.dialing
		if d == nil {
			d = &dialing{done: make(chan struct{})}
			s.dialing = d
			s.work.Go(func() { s.connect(d) })
		}
		s.mu.Unlock()

		select {
		case <-d.done:
			if d.err != nil {
				return nil, d.err
			}
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// connect finds a node and makes the link to it the current one.
func (s *Store) connect(d *dialing) {
	ctx, cancel := context.WithTimeout(s.ctx, s.cfg.AttemptTimeout)
	defer cancel()

	s.mu.Lock()
	address := s.leader
	s.leader = ""
	s.mu.Unlock()

	var err error
	if address == "" {
		address, err = s.find(ctx)
	}
	var l *link
	if err == nil {
		var cc *grpc.ClientConn
		if cc, err = s.dial(address); err == nil {
			l = &link{cc: cc, api: streams.NewStreamsClient(cc), address: address}
		}
	}
	if err != nil {
		err = &unreachable{fmt.Errorf("find a node: %w", err)}
	}

	s.mu.Lock()
	if l != nil && s.ctx.Err() != nil {
		l.cc.Close()
		l, err = nil, ErrClosed
	}
	s.current, s.dialing, d.err = l, nil, err
	s.mu.Unlock()
	close(d.done)
}

// release ends a call on a link.
func (s *Store) release(l *link) {
	s.mu.Lock()
	l.calls--
	last := l.retired && l.calls == 0
	s.mu.Unlock()
	if last {
		l.cc.Close()
	}
}

// retire takes a link out of use: the next call connects anew.
func (s *Store) retire(l *link) {
	s.mu.Lock()
	idle := !l.retired && l.calls == 0
	l.retired = true
	if s.current == l {
		s.current = nil
	}
	s.mu.Unlock()
	if idle {
		l.cc.Close()
	}
}

// outgoing adds what every call carries.
func (s *Store) outgoing(ctx context.Context) context.Context {
	if s.server.NodePreference == "Leader" {
		return metadata.AppendToOutgoingContext(ctx, "requires-leader", "true")
	}
	return ctx
}
