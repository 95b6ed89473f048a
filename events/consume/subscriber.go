package consume

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/ThreeDotsLabs/watermill/message"

	"waybill/events"
	"waybill/events/store"
)

// SubscriberConfig describes a [Subscriber].
type SubscriberConfig struct {
	// Store is where the messages come from. Required.
	Store *store.Store

	// Group is the consumer group to consume for. Defaults to none.
	Group string

	// MaxRetries is how often a group's refused event comes again before the
	// server parks it; see [store.GroupConfig]. Defaults to no limit.
	MaxRetries int

	// Logger gets why a subscription ended that nobody ended. Defaults to
	// discarding.
	Logger *slog.Logger
}

// Subscriber is Watermill's subscriber over EventStoreDB: a topic is a stream.
// One message comes at a time, in the stream's order; a refused one (Nack) comes
// again at once, before every later one. So each must be answered, also one whose
// context has ended: until then no other comes. It survives outages of the store by
// itself. It is safe for concurrent use.
//
// Without a group every subscription gets every event of its stream from the
// first on, and keeps no progress; for that there is [Consumer].
//
// With one, the group gets every event of the stream, from the first on, however
// many subscriptions it has in however many processes: one of them is active,
// the others wait to take its place. The store keeps the group's progress.
// Delivery is at least once: an event comes again, to whichever subscription is
// active then, when its acknowledgement did not get through before the
// subscription or its process ended. An active subscription that lives on gets
// nothing again that it has acknowledged. A message's context ends when the
// connection is lost; from then on another subscription may get it, too.
// [Park] and [ParkPermanent] set aside what cannot be handled.
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
	if cfg.MaxRetries < 0 {
		return nil, errors.New("subscriber: SubscriberConfig.MaxRetries must not be negative")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Subscriber{cfg: cfg}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

// SubscribeInitialize creates the group on a stream, where there is one to
// create. Subscribe does it, too, but in the background.
func (s *Subscriber) SubscribeInitialize(topic string) error {
	if s.ctx.Err() != nil {
		return fmt.Errorf("initialize %s: %w", topic, ErrClosed)
	}
	if s.cfg.Group == "" {
		return nil
	}
	return s.cfg.Store.CreateGroup(s.ctx, s.group(topic))
}

func (s *Subscriber) group(topic string) store.GroupConfig {
	return store.GroupConfig{Stream: topic, Name: s.cfg.Group, MaxRetries: s.cfg.MaxRetries}
}

// Subscribe starts to follow a stream, which need not exist yet. The channel is
// closed when ctx ends, with Close, or when the store refuses for good: the
// stream was deleted for ever, or access is denied.
func (s *Subscriber) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return nil, fmt.Errorf("subscribe to %s: %w", topic, ErrClosed)
	}
	follow := s.follow
	if s.cfg.Group != "" {
		follow = s.consume
	}
	out := make(chan *message.Message)
	s.work.Go(func() {
		defer close(out)
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(s.ctx, cancel)()
		if err := follow(ctx, topic, out); ctx.Err() == nil {
			s.cfg.Logger.Error("subscription ended", "stream", topic, "group", s.cfg.Group, "err", err)
		}
	})
	return out, nil
}

// follow delivers a stream without a group.
func (s *Subscriber) follow(ctx context.Context, topic string, out chan<- *message.Message) error {
	sub := s.cfg.Store.SubscribeStream(ctx, topic, 0)
	defer sub.Close()
	for {
		m, err := sub.Next(ctx)
		if err != nil {
			return err
		}
		if m.Record == nil {
			continue
		}
		if err := deliverUntilAcked(ctx, out, *m.Record); err != nil {
			return err
		}
	}
}

// deliverUntilAcked sends an event's message again and again until it is
// acknowledged.
func deliverUntilAcked(ctx context.Context, out chan<- *message.Message, rec events.Record) error {
	for {
		acked, err := deliverOnce(ctx, ctx, out, eventMessage(rec))
		if acked || err != nil {
			return err
		}
	}
}

// deliverOnce sends a message with a context under held, and returns what came
// of it; an error when held ended before it was sent, or ctx before it was
// answered.
func deliverOnce(ctx, held context.Context, out chan<- *message.Message, msg *message.Message) (acked bool, err error) {
	each, cancel := context.WithCancel(held)
	defer cancel()
	msg.SetContext(each)
	select {
	case out <- msg:
	case <-held.Done():
		return false, held.Err()
	}
	select {
	case <-msg.Acked():
		return true, nil
	case <-msg.Nacked():
		return false, nil
	case <-ctx.Done():
	}
	select {
	case <-msg.Acked(): // just in time
		return true, nil
	default:
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

var (
	_ message.Subscriber           = (*Subscriber)(nil)
	_ message.SubscribeInitializer = (*Subscriber)(nil)
)
