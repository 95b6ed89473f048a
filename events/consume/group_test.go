package consume_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"

	"waybill/events/consume"
	"waybill/events/store"
	"waybill/events/store/storetest"
)

func TestAGroupGetsEveryMessageOnceInOrderOverKillsAndPauses(t *testing.T) {
	t.Parallel()
	node := storetest.StartProcess(t)
	s := storetest.Open(t, store.Config{URL: node.URL(), AttemptTimeout: time.Second, Silence: time.Second})
	pub, topic := publisher(t, s), storetest.Category()+"1"
	const total, batch = 900, 3
	published := make(chan error, 1)
	go func() {
		for i := 0; i < total; i += batch {
			var messages []*message.Message
			for j := range batch {
				messages = append(messages, message.NewMessage(watermill.NewUUID(), fmt.Append(nil, i+j)))
			}
			if err := pub.Publish(topic, messages...); err != nil {
				published <- err
				return
			}
		}
		published <- nil
	}()
	messages, _ := subscribeGroup(t, s, topic, consume.SubscriberConfig{Group: "g"})
	for i := range total {
		msg := receive(t, messages)
		if string(msg.Payload) != fmt.Sprint(i) {
			t.Fatalf("got %s when %d was due", msg.Payload, i)
		}
		switch i {
		case 100, 500:
			node.Kill() // while the message is being handled
			node.Start()
		case 300, 700:
			node.Pause()
			time.AfterFunc(1500*time.Millisecond, node.Resume) // longer than a try has
		}
		msg.Ack()
	}
	if err := <-published; err != nil {
		t.Fatal(err)
	}
}

func TestAWaitingSubscriptionTakesThePlaceOfOneThatEnds(t *testing.T) {
	t.Parallel()
	url, topic := storetest.URL(t), storetest.Category()+"1"
	const total = 60
	publishNumbers(t, storetest.Open(t, store.Config{URL: url}), topic, total)
	var mu sync.Mutex
	var got []string
	all := make(chan struct{})
	for range 3 {
		// One that leaves waits until the server has heard what it acknowledged.
		s := storetest.Open(t, store.Config{URL: url, AttemptTimeout: storetest.Patience})
		for range 2 {
			messages, sub := subscribeGroup(t, s, topic, consume.SubscriberConfig{Group: "g"})
			go func() {
				taken := 0
				for msg := range messages {
					mu.Lock()
					got = append(got, string(msg.Payload))
					done := len(got) == total
					mu.Unlock()
					msg.Ack()
					if done {
						close(all)
						return
					}
					if taken++; taken == 15 {
						sub.Close()
					}
				}
			}()
		}
	}
	select {
	case <-all:
	case <-time.After(storetest.Patience):
		t.Error("the group came to a stop")
	}
	mu.Lock()
	defer mu.Unlock()
	for i, payload := range got {
		if payload != fmt.Sprint(i) {
			t.Fatalf("message %d is %s: %v", i, payload, got)
		}
	}
}

func TestARefusedMessageComesAgainBeforeLaterOnesAndIsParkedAtItsHandlersWord(t *testing.T) {
	t.Parallel()
	s, topic := storetest.Open(t, store.Config{URL: storetest.URL(t)}), storetest.Category()+"1"
	publishNumbers(t, s, topic, 3)
	messages, _ := subscribeGroup(t, s, topic, consume.SubscriberConfig{Group: "g"})
	for retries := range 20 {
		msg := receive(t, messages)
		if string(msg.Payload) != "0" || msg.Metadata.Get(consume.MetadataRetries) != fmt.Sprint(retries) {
			t.Fatalf("refused %d times, got %s after %s retries", retries, msg.Payload, msg.Metadata.Get(consume.MetadataRetries))
		}
		msg.Nack()
	}
	msg := receive(t, messages)
	if !consume.Park(msg, errors.New("cannot be read")) {
		t.Error("a group's message cannot be parked")
	}
	msg.Nack()
	for _, want := range []string{"1", "2"} {
		msg := receive(t, messages)
		if string(msg.Payload) != want {
			t.Errorf("after the parked one came %s, want %s", msg.Payload, want)
		}
		msg.Ack()
	}
	if consume.Park(message.NewMessage("1", nil), errors.New("no")) {
		t.Error("a message of nobody was parked")
	}
}

func TestARetryLimitHasTheServerParkAndAnotherGroupIsNotConcerned(t *testing.T) {
	t.Parallel()
	s, topic := storetest.Open(t, store.Config{URL: storetest.URL(t)}), storetest.Category()+"1"
	publishNumbers(t, s, topic, 2)
	limited, _ := subscribeGroup(t, s, topic, consume.SubscriberConfig{Group: "limited", MaxRetries: 2})
	for range 3 {
		if msg := receive(t, limited); string(msg.Payload) != "0" || !msg.Nack() {
			t.Fatalf("got %s", msg.Payload)
		}
	}
	other, _ := subscribeGroup(t, s, topic, consume.SubscriberConfig{Group: "other"})
	for _, want := range []struct {
		messages <-chan *message.Message
		payload  string
	}{{limited, "1"}, {other, "0"}, {other, "1"}} {
		if msg := receive(t, want.messages); string(msg.Payload) != want.payload || !msg.Ack() {
			t.Errorf("got %s, want %s", msg.Payload, want.payload)
		}
	}
}

func TestParkPermanentParksWhatNoRetryCuresAndNothingElse(t *testing.T) {
	t.Parallel()
	s, topic := storetest.Open(t, store.Config{URL: storetest.URL(t)}), storetest.Category()+"1"
	publishNumbers(t, s, topic, 4)
	messages, _ := subscribeGroup(t, s, topic, consume.SubscriberConfig{Group: "g"})
	failures := map[string][]error{
		"1": {consume.Permanent(errors.New("cannot be read"))},
		"2": {errors.New("away"), errors.New("still away"), nil},
	}
	handle := consume.ParkPermanent(func(msg *message.Message) ([]*message.Message, error) {
		left := failures[string(msg.Payload)]
		if len(left) == 0 {
			return nil, nil
		}
		failures[string(msg.Payload)] = left[1:]
		return nil, left[0]
	})
	for _, want := range []string{"0", "1", "2", "2", "2", "3"} {
		msg := receive(t, messages)
		if string(msg.Payload) != want {
			t.Fatalf("got %s, want %s", msg.Payload, want)
		}
		if _, err := handle(msg); err != nil {
			msg.Nack()
		} else {
			msg.Ack()
		}
	}
}

func TestAMessagesContextEndsWithTheConnectionAndItIsNotDoneTwiceHere(t *testing.T) {
	t.Parallel()
	p := storetest.NewProxy(t, storetest.ProxyableURL(t))
	s, topic := storetest.Open(t, store.Config{URL: p.URL()}), storetest.Category()+"1"
	publishNumbers(t, s, topic, 2)
	messages, _ := subscribeGroup(t, s, topic, consume.SubscriberConfig{Group: "g"})
	msg := receive(t, messages)
	p.Cut()
	select {
	case <-msg.Context().Done():
	case <-time.After(storetest.Patience):
		t.Fatal("its context did not end")
	}
	msg.Ack() // too late for the server
	if msg := receive(t, messages); string(msg.Payload) != "1" {
		t.Errorf("the message acknowledged without a connection came again: %s", msg.Payload)
	}
}

func TestClosingASubscriptionWaitsForNoAcknowledgement(t *testing.T) {
	t.Parallel()
	s, topic := storetest.Open(t, store.Config{URL: storetest.URL(t)}), storetest.Category()+"1"
	publishNumbers(t, s, topic, 1)
	for _, group := range []string{"", "g"} {
		messages, sub := subscribeGroup(t, s, topic, consume.SubscriberConfig{Group: group})
		msg := receive(t, messages)
		if err := sub.Close(); err != nil {
			t.Error(err)
		}
		if _, open := <-messages; open || msg.Context().Err() == nil {
			t.Errorf("group %q: after Close the channel is open (%v) or the message's context alive", group, open)
		}
		if _, err := sub.Subscribe(t.Context(), topic); !errors.Is(err, consume.ErrClosed) {
			t.Errorf("group %q: subscribing after Close: %v", group, err)
		}
		if err := sub.SubscribeInitialize(topic); !errors.Is(err, consume.ErrClosed) {
			t.Errorf("group %q: initializing after Close: %v", group, err)
		}
	}
	messages, _ := subscribeGroup(t, s, topic, consume.SubscriberConfig{Group: "g"})
	if msg := receive(t, messages); string(msg.Payload) != "0" {
		t.Errorf("the unacknowledged message did not come again, but %s", msg.Payload)
	}
}

func subscribeGroup(t *testing.T, s *store.Store, topic string, cfg consume.SubscriberConfig) (<-chan *message.Message, *consume.Subscriber) {
	t.Helper()
	cfg.Store = s
	sub, err := consume.NewSubscriber(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sub.Close() })
	messages, err := sub.Subscribe(context.Background(), topic)
	if err != nil {
		t.Fatal(err)
	}
	return messages, sub
}

// publishNumbers publishes the numbers from 0 on.
func publishNumbers(t *testing.T, s *store.Store, topic string, n int) {
	t.Helper()
	var messages []*message.Message
	for i := range n {
		messages = append(messages, message.NewMessage(watermill.NewUUID(), fmt.Append(nil, i)))
	}
	if err := publisher(t, s).Publish(topic, messages...); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, messages <-chan *message.Message) *message.Message {
	t.Helper()
	select {
	case msg, open := <-messages:
		if !open {
			t.Fatal("the subscription has ended")
		}
		return msg
	case <-time.After(storetest.Patience):
		t.Fatal("no message came")
	}
	return nil
}
