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
// messages of one call stay together up to 500 or half a MiB. A message's UUID
// is the event's id. It is safe for concurrent use.
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

// lane lets the callers of one process take turns on a stream, and remembers
// where it is. Streams share lanes by chance.
type lane struct {
	turn  chan struct{} // holds one token
	topic string
	at    events.Expected
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
	for i := range p.lanes {
		p.lanes[i].turn = make(chan struct{}, 1)
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p, nil
}

// Publish appends the messages to the stream named by topic and returns when
// they are durable. When it fails, a first part of them may be written: calling
// it again is delivery at least once. It ends early with the context of the
// first message.
func (p *Publisher) Publish(topic string, messages ...*message.Message) error {
	if err := p.begin(); err != nil {
		return fmt.Errorf("publish to %s: %w", topic, err)
	}
	defer p.work.Done()
	if len(messages) == 0 {
		return nil
	}
	ctx, cancel := context.WithCancel(messages[0].Context())
	defer cancel()
	defer context.AfterFunc(p.ctx, cancel)()

	l := &p.lanes[maphash.String(p.seed, topic)%uint64(len(p.lanes))]
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return fmt.Errorf("publish to %s: %w", topic, ctx.Err())
	}
	if l.topic != topic {
		l.topic, l.at = topic, events.NoStream
	}
	var chunk []events.Proposed
	size := 0
	for i, msg := range messages {
		e, err := p.proposed(msg)
		if err != nil {
			return fmt.Errorf("publish to %s: message %d: %w", topic, i, err)
		}
		chunk, size = append(chunk, e), size+len(e.Data)+len(e.Metadata)
		if len(chunk) < publishMessages && size < publishBytes && i < len(messages)-1 {
			continue
		}
		if l.at, err = p.append(ctx, topic, l.at, chunk); err != nil {
			return fmt.Errorf("publish to %s: %w", topic, err)
		}
		chunk, size = nil, 0
	}
	return nil
}

// append writes at the stream's end, wherever that is: the conflict tells.
func (p *Publisher) append(ctx context.Context, topic string, at events.Expected, evs []events.Proposed) (events.Expected, error) {
	for {
		_, err := p.cfg.Store.Append(ctx, topic, at, evs)
		var moved *store.ConflictError
		switch {
		case err == nil:
			return at + events.Expected(len(evs)), nil
		case !errors.As(err, &moved):
			return at, err
		}
		at = moved.Actual
	}
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
