package store

import (
	"context"
	"fmt"

	"waybill/events"
)

// SubscribeConfig says what to follow.
type SubscribeConfig struct {
	// Prefixes select events by how their stream's name begins. None means
	// every event of the log, system events included.
	Prefixes []string

	// From is the last position that is already known; what follows it arrives.
	// Zero means everything.
	From events.Position

	// Buffer is how many messages are fetched ahead. Defaults to 1024.
	Buffer int
}

// Message is one thing a subscription has to say: an event, or how far the log
// was looked through.
type Message struct {
	// Record is the next event; nil when this is only about progress.
	Record *events.Record

	// Checkpoint, when Record is nil: every wanted event up to this position
	// has been handed out. It is never before an earlier message's position.
	Checkpoint events.Position

	// CaughtUp says that the subscription has come to the log's end as it was
	// when it (re)connected, and now waits for what happens.
	CaughtUp bool
}

// Subscription follows the log. It reconnects by itself, for ever, from the last
// position it handed out: nothing is left out, nothing comes twice. It is used
// by one goroutine at a time, but for Close.
type Subscription struct {
	messages chan Message
	cancel   context.CancelFunc
	ended    chan struct{}
	err      error // why it ended; set before messages is closed
}

// Subscribe starts to follow the log; the first connection is made in the
// background. It ends with ctx, with Close, or when the server refuses it for
// good.
func (s *Store) Subscribe(ctx context.Context, cfg SubscribeConfig) *Subscription {
	return s.follow(ctx, &follower{store: s, cfg: cfg, last: cfg.From})
}

// SubscribeStream starts to follow one stream from a revision on, inclusive; 0
// is its beginning. The stream need not exist yet. Its messages carry no
// checkpoints.
func (s *Store) SubscribeStream(ctx context.Context, stream string, from uint64) *Subscription {
	return s.follow(ctx, &follower{store: s, stream: stream, next: from})
}

func (s *Store) follow(ctx context.Context, f *follower) *Subscription {
	if f.cfg.Buffer <= 0 {
		f.cfg.Buffer = 1024
	}
	ctx, cancel := context.WithCancel(ctx)
	sub := &Subscription{messages: make(chan Message, f.cfg.Buffer), cancel: cancel, ended: make(chan struct{})}
	f.out = sub.messages
	started := s.start(func() {
		defer cancel()
		stop := context.AfterFunc(s.ctx, cancel)
		defer stop()
		sub.end(f.run(ctx))
	})
	if !started {
		cancel()
		sub.end(ErrClosed)
	}
	return sub
}

func (sub *Subscription) end(err error) {
	sub.err = err
	close(sub.messages)
	close(sub.ended)
}

// Next returns the next message, waiting for it until ctx ends. Once the
// subscription has ended it returns why.
func (sub *Subscription) Next(ctx context.Context) (Message, error) {
	if m, ok := sub.Poll(); ok {
		return m, nil
	}
	select {
	case m, ok := <-sub.messages:
		if !ok {
			return Message{}, fmt.Errorf("follow the log: %w", sub.err)
		}
		return m, nil
	case <-ctx.Done():
		return Message{}, ctx.Err()
	}
}

// Poll returns the next message if it is there already.
func (sub *Subscription) Poll() (Message, bool) {
	select {
	case m, ok := <-sub.messages:
		return m, ok
	default:
		return Message{}, false
	}
}

// Close ends the subscription and waits until it has ended. It is idempotent.
func (sub *Subscription) Close() {
	sub.cancel()
	<-sub.ended
}
