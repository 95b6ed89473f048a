package consume_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/message/router/middleware"

	"waybill/events"
	"waybill/events/consume"
	"waybill/events/store"
	"waybill/events/store/storetest"
)

func TestAMessageTellsWhichEventItIs(t *testing.T) {
	t.Parallel()
	s, stream := storetest.Open(t, store.Config{URL: storetest.URL(t)}), storetest.Category()+"1"
	e := storetest.Events(1)[0]
	at, err := s.Append(t.Context(), stream, events.NoStream, []events.Proposed{e})
	if err != nil {
		t.Fatal(err)
	}
	msg := <-subscribe(t, s, stream)
	for key, want := range map[string]string{
		consume.MetadataStream: stream, consume.MetadataRevision: "0", consume.MetadataPosition: at.String(),
		consume.MetadataType: e.Type, middleware.CorrelationIDMetadataKey: "c",
	} {
		if got := msg.Metadata.Get(key); got != want {
			t.Errorf("metadata %s is %q, want %q", key, got, want)
		}
	}
	if msg.UUID != e.ID.String() || string(msg.Payload) != string(e.Data) {
		t.Errorf("message %s with %s", msg.UUID, msg.Payload)
	}
}

func TestPublishingOverCutsWritesEveryMessageOnceInOrder(t *testing.T) {
	t.Parallel()
	url := storetest.ProxyableURL(t)
	p := storetest.NewProxy(t, url)
	pub := publisher(t, storetest.Open(t, store.Config{URL: p.URL(), AttemptTimeout: 5 * time.Second}))
	topic := storetest.Category() + "1"
	const publishers, each = 4, 40
	var published sync.WaitGroup
	for i := range publishers {
		published.Go(func() {
			for j := range each {
				if j%10 == i {
					p.Cut()
				}
				pair := []*message.Message{
					message.NewMessage(watermill.NewUUID(), fmt.Appendf(nil, "%d.%d.a", i, j)),
					message.NewMessage("no uuid", fmt.Appendf(nil, "%d.%d.b", i, j)),
				}
				if err := pub.Publish(topic, pair...); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	published.Wait()
	records, err := storetest.Open(t, store.Config{URL: url}).Read(t.Context(), topic, 0, 1000)
	if err != nil || len(records) != 2*publishers*each {
		t.Fatalf("%d events (%v), want %d", len(records), err, 2*publishers*each)
	}
	next := make(map[string]int)
	for k := 0; k < len(records); k += 2 {
		who, _, _ := strings.Cut(string(records[k].Data), ".")
		pair := fmt.Sprintf("%s.%d.", who, next[who])
		if string(records[k].Data) != pair+"a" || string(records[k+1].Data) != pair+"b" {
			t.Fatalf("at %d there is %s, %s; want the pair %s", k, records[k].Data, records[k+1].Data, pair)
		}
		next[who]++
	}
}

func TestPublishEndsWithTheContextOfItsMessageAndWithClose(t *testing.T) {
	t.Parallel()
	p := storetest.NewProxy(t, storetest.ProxyableURL(t))
	p.Stall()
	pub := publisher(t, storetest.Open(t, store.Config{URL: p.URL()}))
	ctx, cancel := context.WithCancel(t.Context())
	msg := message.NewMessageWithContext(ctx, watermill.NewUUID(), nil)
	time.AfterFunc(20*time.Millisecond, cancel)
	if err := pub.Publish("a", msg); !errors.Is(err, context.Canceled) {
		t.Errorf("with its context ended: %v", err)
	}
	time.AfterFunc(20*time.Millisecond, func() { pub.Close() })
	if err := pub.Publish("a", message.NewMessage("1", nil)); err == nil {
		t.Error("beside Close it succeeded")
	}
	if err := pub.Publish("a", message.NewMessage("1", nil)); !errors.Is(err, consume.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func publisher(t *testing.T, s *store.Store) *consume.Publisher {
	t.Helper()
	pub, err := consume.NewPublisher(consume.PublisherConfig{Store: s})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pub.Close() })
	return pub
}

func subscribe(t *testing.T, s *store.Store, topic string) <-chan *message.Message {
	t.Helper()
	sub, err := consume.NewSubscriber(consume.SubscriberConfig{Store: s})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sub.Close() })
	messages, err := sub.Subscribe(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	return messages
}
