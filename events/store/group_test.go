package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"waybill/events"
	"waybill/events/fault"
	"waybill/events/store"
	"waybill/events/store/storetest"
)

func TestAGroupHandsOutItsStreamInOrderAndGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Config{URL: storetest.URL(t)})
	g := store.GroupConfig{Stream: storetest.Category() + "1", Name: "g"}
	evs := storetest.Events(9)
	c := consume(t, s, g) // of a stream that is not there yet
	mustAppend(t, s, g.Stream, events.NoStream, evs[:5])
	for i, e := range evs[:5] {
		if d := c.answer(t, nil); d.Record.ID != e.ID || d.Record.Revision != uint64(i) || d.Retries != 0 || d.Replayed {
			t.Fatalf("event %d: got %+v", i, d)
		}
	}
	c.leave(t)
	mustAppend(t, s, g.Stream, 4, evs[5:])
	c = consume(t, s, g)
	for i, e := range evs[5:] {
		if d := c.answer(t, nil); d.Record.ID != e.ID {
			t.Fatalf("after %d events by the member before, event %d: got %+v", 5, 5+i, d)
		}
	}
	if err := s.CreateGroup(t.Context(), g); err != nil {
		t.Errorf("creating a group that exists: %v", err)
	}
	for _, bad := range []store.GroupConfig{{Name: "g"}, {Stream: "s"}, {Stream: "s", Name: "\xff"}, {Stream: "s", Name: "g", MaxRetries: -1}} {
		if err := s.CreateGroup(t.Context(), bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("group %+v: %v, want kind invalid", bad, err)
		}
		if err := s.Consume(t.Context(), bad, nil); !fault.Is(err, fault.Invalid) {
			t.Errorf("group %+v: %v, want kind invalid", bad, err)
		}
	}
}

func TestAGroupsParkedEventsComeAgainOnlyWhenSomebodyReplaysThem(t *testing.T) {
	t.Parallel()
	url := storetest.URL(t)
	s := storetest.Open(t, store.Config{URL: url})
	g := store.GroupConfig{Stream: storetest.Category() + "1", Name: "g", MaxRetries: 1}
	mustAppend(t, s, g.Stream, events.NoStream, storetest.Events(4))
	c := consume(t, s, g)
	for i, step := range []struct {
		revision uint64
		answer   error
	}{
		{0, fmt.Errorf("useless: %w", store.ErrPark)},
		{1, errors.New("later\xff")}, {1, errors.New(strings.Repeat("ü", 5000))}, // the limit
		{2, nil}, {3, nil},
	} {
		if d := c.answer(t, step.answer); d.Record.Revision != step.revision || d.Replayed {
			t.Fatalf("step %d: got %+v, want revision %d", i, d, step.revision)
		}
	}
	admin := client(t, url)
	storetest.Eventually(t, "both are parked", func() bool {
		info, err := admin.GetPersistentSubscriptionInfo(t.Context(), g.Stream, g.Name, esdb.GetPersistentSubscriptionOptions{})
		return err == nil && info.Stats.ParkedMessagesCount == 2
	})
	if err := admin.ReplayParkedMessages(t.Context(), g.Stream, g.Name, esdb.ReplayParkedMessagesOptions{}); err != nil {
		t.Fatal(err)
	}
	for revision := range uint64(2) {
		if d := c.answer(t, nil); d.Record.Revision != revision || !d.Replayed {
			t.Errorf("got %+v, want the replayed revision %d", d, revision)
		}
	}
}

func TestAGroupThatKeepsNoOrderIsRefused(t *testing.T) {
	t.Parallel()
	url := storetest.URL(t)
	g := store.GroupConfig{Stream: storetest.Category() + "1", Name: "g"}
	settings := esdb.SubscriptionSettingsDefault()
	if err := client(t, url).CreatePersistentSubscription(t.Context(), g.Stream, g.Name,
		esdb.PersistentStreamSubscriptionOptions{Settings: &settings}); err != nil {
		t.Fatal(err)
	}
	s := storetest.Open(t, store.Config{URL: url})
	if err := s.CreateGroup(t.Context(), g); !fault.Is(err, fault.Conflict) {
		t.Errorf("create: %v, want kind conflict", err)
	}
	if err := s.Consume(t.Context(), g, nil); !fault.Is(err, fault.Conflict) {
		t.Errorf("consume: %v, want kind conflict", err)
	}
}

func TestAGroupThatIsDeletedBeginsAnew(t *testing.T) {
	t.Parallel()
	url := storetest.URL(t)
	s := storetest.Open(t, store.Config{URL: url})
	g := store.GroupConfig{Stream: storetest.Category() + "1", Name: "g"}
	mustAppend(t, s, g.Stream, events.NoStream, storetest.Events(3))
	c := consume(t, s, g)
	for round := range 2 {
		for revision := range uint64(3) {
			if d := c.answer(t, nil); d.Record.Revision != revision {
				t.Fatalf("round %d: got revision %d, want %d", round, d.Record.Revision, revision)
			}
		}
		if round == 0 {
			if err := client(t, url).DeletePersistentSubscription(t.Context(), g.Stream, g.Name, esdb.DeletePersistentSubscriptionOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestConsumeEndsWithItsContextAndWithTheStore(t *testing.T) {
	t.Parallel()
	url := storetest.ProxyableURL(t)
	for name, stall := range map[string]bool{"an answering store": false, "one that says nothing more": true} {
		for how, end := range map[string]func(s *store.Store, cancel context.CancelFunc){
			"context": func(_ *store.Store, cancel context.CancelFunc) { cancel() },
			"store":   func(s *store.Store, _ context.CancelFunc) { s.Close() },
		} {
			p := storetest.NewProxy(t, url)
			s := storetest.Open(t, store.Config{URL: p.URL(), AttemptTimeout: time.Second})
			g := store.GroupConfig{Stream: storetest.Category() + "1", Name: "g"}
			mustAppend(t, s, g.Stream, events.NoStream, storetest.Events(1))
			ctx, cancel := context.WithCancel(t.Context())
			handling, ended := make(chan bool), make(chan error, 1)
			var once sync.Once // on a slow machine a try to join may be given up and made again
			go func() {
				ended <- s.Consume(ctx, g, func(ctx context.Context, _ store.Delivery) error {
					once.Do(func() { close(handling) })
					<-ctx.Done()
					return ctx.Err()
				})
			}()
			<-handling
			if stall {
				p.Stall()
			}
			go end(s, cancel) // Close waits for it
			var err error
			select {
			case err = <-ended:
			case <-time.After(storetest.Patience):
				t.Fatalf("%s, ended by its %s: it goes on", name, how)
			}
			if want := map[string]error{"context": context.Canceled, "store": store.ErrClosed}[how]; !errors.Is(err, want) {
				t.Errorf("%s, ended by its %s: %v, want %v", name, how, err, want)
			}
			cancel()
			p.Cut()
			p.Pass()
		}
	}
}

// consumer is a member of a group whose handler asks the test.
type consumer struct {
	deliveries chan store.Delivery
	answers    chan error
	cancel     context.CancelFunc
	ended      chan error
}

func consume(t *testing.T, s *store.Store, g store.GroupConfig) *consumer {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c := &consumer{make(chan store.Delivery), make(chan error), cancel, make(chan error, 1)}
	go func() {
		c.ended <- s.Consume(ctx, g, func(_ context.Context, d store.Delivery) error {
			select {
			case c.deliveries <- d:
				return <-c.answers
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		close(c.ended)
	}()
	t.Cleanup(func() { cancel(); <-c.ended })
	return c
}

// answer receives an event and says what came of it.
func (c *consumer) answer(t *testing.T, err error) store.Delivery {
	t.Helper()
	select {
	case d := <-c.deliveries:
		c.answers <- err
		return d
	case err := <-c.ended:
		t.Fatalf("the member has ended: %v", err)
	case <-time.After(storetest.Patience):
		t.Fatal("no event came")
	}
	panic("unreachable")
}

func (c *consumer) leave(t *testing.T) {
	t.Helper()
	c.cancel()
	if err := <-c.ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the member ended with %v", err)
	}
}

// client is the client module's own, for what only operators do.
func client(t *testing.T, url string) *esdb.Client {
	t.Helper()
	cfg, err := esdb.ParseConnectionString(url)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Logger = esdb.NoopLogging()
	c, err := esdb.NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
