package consume

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"sync"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/message/router/middleware"
	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"waybill/events"
	"waybill/events/store"
)

// ErrClosed is returned by a [Publisher] or [Subscriber] after its Close.
var ErrClosed = errors.New("the publisher or subscriber is closed")

// How many messages, and roughly how many bytes, go into one append.
const (
	publishMessages = 500
	publishBytes    = 512 << 10
)

// PublisherConfig describes a [Publisher].
type PublisherConfig struct {
	// Store is where the messages go. Required.
	Store *store.Store

	// EventType is the type of event that a message becomes when its metadata
	// has no [MetadataType]. Defaults to "message".
	EventType string

	// NewID makes the event id of a message whose UUID is none. Defaults to
	// random UUIDs.
	NewID func() uuid.UUID
}

// Publisher is Watermill's publisher over EventStoreDB: a topic is a stream, a
// message one event. It appends to wherever the stream is, in order; the
// messages of one call stay together up to 500 or half a MiB. Calls that come
// while the store is writing share the next append. A message's UUID is the
// event's id. It is safe for concurrent use.
//
// It is for messages that need no decision; the write side of waybill appends
// through the store, naming the revision that it decided on.
type Publisher struct {
	cfg    PublisherConfig
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	seed   maphash.Seed
	work   sync.WaitGroup
	mu     sync.Mutex // guards work.Add against Close
	lanes  [64]lane
}

// NewPublisher checks the configuration.
func NewPublisher(cfg PublisherConfig) (*Publisher, error) {
	if cfg.Store == nil {
		return nil, errors.New("publisher: PublisherConfig.Store is required")
	}
	if cfg.EventType == "" {
		cfg.EventType = "message"
	}
	if cfg.NewID == nil {
		cfg.NewID = uuid.New
	}
	p := &Publisher{cfg: cfg, seed: maphash.MakeSeed()}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p, nil
}

// Publish appends the messages to the stream named by topic and returns when
// they are durable. When it fails, a first part of them may be written: calling
// it again is delivery at least once. It ends early with the context of the
// first message; what is being written then may be written nevertheless.
func (p *Publisher) Publish(topic string, messages ...*message.Message) error {
	if err := p.begin(); err != nil {
		return fmt.Errorf("publish to %s: %w", topic, err)
	}
	defer p.work.Done()
	if len(messages) == 0 {
		return nil
	}
	w := &publication{ctx: messages[0].Context(), topic: topic, done: make(chan error, 1)}
	for i, msg := range messages {
		e, err := p.proposed(msg)
		if err != nil {
			return fmt.Errorf("publish to %s: message %d: %w", topic, i, err)
		}
		w.events = append(w.events, e)
		w.size += len(e.Data) + len(e.Metadata)
	}
	l := &p.lanes[maphash.String(p.seed, topic)%uint64(len(p.lanes))]
	if l.join(w) {
		p.work.Go(func() { p.serve(l) })
	}
	var err error
	select {
	case err = <-w.done:
	case <-w.ctx.Done():
		err = w.ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("publish to %s: %w", topic, err)
	}
	return nil
}

func (p *Publisher) proposed(msg *message.Message) (events.Proposed, error) {
	id, err := uuid.Parse(msg.UUID)
	if err != nil {
		id = p.cfg.NewID()
	}
	meta, err := json.Marshal(envelope{
		CorrelationID: middleware.MessageCorrelationID(msg), MessageUUID: msg.UUID, Message: msg.Metadata,
	}, json.Deterministic(true))
	if err != nil {
		return events.Proposed{}, err
	}
	eventType := msg.Metadata.Get(MetadataType)
	if eventType == "" {
		eventType = p.cfg.EventType
	}
	return events.Proposed{ID: id, Type: eventType, Metadata: meta, Data: msg.Payload}, nil
}

func (p *Publisher) begin() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx.Err() != nil {
		return ErrClosed
	}
	p.work.Add(1)
	return nil
}

// Close interrupts what is under way and waits for it. It is idempotent.
func (p *Publisher) Close() error {
	p.mu.Lock()
	p.cancel()
	p.mu.Unlock()
	p.work.Wait()
	return nil
}

var _ message.Publisher = (*Publisher)(nil)
