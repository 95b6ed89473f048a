package consume

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/ThreeDotsLabs/watermill/message"

	"waybill/events"
	"waybill/events/store"
)

// SubscriberConfig describes a [Subscriber].
type SubscriberConfig struct {
	// Store is where the messages come from. Required.
	Store *store.Store
}

// Subscriber is Watermill's subscriber over EventStoreDB without a group: a
// topic is a stream, every subscription gets every event of it from the first
// on, one message at a time, in order. A refused message (Nack) comes again at
// once. It keeps no progress; for that there is [Consumer]. It is safe for
// concurrent use.
type Subscriber struct {
	cfg    SubscriberConfig
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	mu     sync.Mutex // guards work.Go against Close
	work   sync.WaitGroup
}

// NewSubscriber checks the configuration.
func NewSubscriber(cfg SubscriberConfig) (*Subscriber, error) {
	if cfg.Store == nil {
		return nil, errors.New("subscriber: SubscriberConfig.Store is required")
	}
	s := &Subscriber{cfg: cfg}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

// Subscribe starts to follow a stream, which need not exist yet. The channel is
// closed when ctx ends, with Close, or when the stream was deleted for good.
func (s *Subscriber) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return nil, fmt.Errorf("subscribe to %s: %w", topic, ErrClosed)
	}
	out := make(chan *message.Message)
	s.work.Go(func() {
		defer close(out)
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(s.ctx, cancel)()
		sub := s.cfg.Store.SubscribeStream(ctx, topic, 0)
		defer sub.Close()
		for {
			m, err := sub.Next(ctx)
			if err != nil {
				return
			}
			if m.Record != nil && deliverUntilAcked(ctx, out, *m.Record) != nil {
				return
			}
		}
	})
	return out, nil
}

// deliverUntilAcked sends an event's message again and again until it is
// acknowledged.
func deliverUntilAcked(ctx context.Context, out chan<- *message.Message, rec events.Record) error {
	for {
		acked, err := deliverOnce(ctx, out, rec)
		if acked || err != nil {
			return err
		}
	}
}

func deliverOnce(ctx context.Context, out chan<- *message.Message, rec events.Record) (acked bool, err error) {
	msg := eventMessage(rec)
	each, cancel := context.WithCancel(ctx)
	defer cancel()
	msg.SetContext(each)
	select {
	case out <- msg:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	select {
	case <-msg.Acked():
		return true, nil
	case <-msg.Nacked():
		return false, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// Close ends every subscription and closes their channels. It does not wait for
// messages to be acknowledged. It is idempotent.
func (s *Subscriber) Close() error {
	s.mu.Lock()
	s.cancel()
	s.mu.Unlock()
	s.work.Wait()
	return nil
}

var _ message.Subscriber = (*Subscriber)(nil)
