package node

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

// eventually waits until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(2 * time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("never: %s", what)
		}
	}
}

func groupSettings(change ...func(*esdb.PersistentSubscriptionSettings)) *esdb.PersistentSubscriptionSettings {
	s := esdb.SubscriptionSettingsDefault()
	for _, f := range change {
		f(&s)
	}
	return &s
}

func createGroup(t *testing.T, c *esdb.Client, stream string, from esdb.StreamPosition, change ...func(*esdb.PersistentSubscriptionSettings)) {
	t.Helper()
	err := c.CreatePersistentSubscription(within(t), stream, "g", esdb.PersistentStreamSubscriptionOptions{StartFrom: from, Settings: groupSettings(change...)})
	if err != nil {
		t.Fatal(err)
	}
}

type member struct {
	t   *testing.T
	sub *esdb.PersistentSubscription
}

func joinGroup(t *testing.T, c *esdb.Client, stream string, buffer uint32) *member {
	t.Helper()
	sub, err := c.SubscribeToPersistentSubscription(within(t), stream, "g", esdb.SubscribeToPersistentSubscriptionOptions{BufferSize: buffer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sub.Close() })
	return &member{t, sub}
}

func (m *member) get() (*esdb.ResolvedEvent, int) {
	m.t.Helper()
	e := m.sub.Recv()
	if e.EventAppeared == nil {
		m.t.Fatalf("dropped: %v", e.SubscriptionDropped.Error)
	}
	return e.EventAppeared.Event, e.EventAppeared.RetryCount
}

// expect receives these revisions in this order and acknowledges them.
func (m *member) expect(want ...uint64) {
	m.t.Helper()
	for _, w := range want {
		e, _ := m.get()
		if got := e.OriginalEvent().EventNumber; got != w {
			m.t.Fatalf("got revision %d, want %d", got, w)
		}
		if err := m.sub.Ack(e); err != nil {
			m.t.Fatal(err)
		}
	}
}

func groupInfo(t *testing.T, c *esdb.Client, stream string) *esdb.PersistentSubscriptionInfo {
	t.Helper()
	info, err := c.GetPersistentSubscriptionInfo(within(t), stream, "g", esdb.GetPersistentSubscriptionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func TestGroupBeginsWhereItWasToldTo(t *testing.T) {
	t.Parallel()
	_, c := serve(t)
	for name, tc := range map[string]struct {
		from esdb.StreamPosition
		want []uint64
	}{
		"start": {esdb.Start{}, []uint64{0, 1, 2, 3}}, "revision": {esdb.Revision(1), []uint64{1, 2, 3}}, "end": {esdb.End{}, []uint64{3}},
	} {
		appendTo(t, c, name, esdb.NoStream{}, proposals(3)...)
		createGroup(t, c, name, tc.from)
		m := joinGroup(t, c, name, 10)
		appendTo(t, c, name, esdb.Revision(2), proposals(1)...)
		m.expect(tc.want...)
	}
}

func TestGroupGoesOnWhereItWasAfterReopening(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	here := func(cfg *Config) { cfg.Dir = dir }
	t.Run("before", func(t *testing.T) {
		_, c := serve(t, here)
		appendTo(t, c, "s", esdb.NoStream{}, proposals(10)...)
		createGroup(t, c, "s", esdb.Start{}, func(s *esdb.PersistentSubscriptionSettings) {
			s.CheckpointLowerBound, s.CheckpointUpperBound, s.CheckpointAfter = 1, 2, 10
		})
		m := joinGroup(t, c, "s", 4)
		m.expect(0, 1, 2)
		if e, _ := m.get(); e.Event.EventNumber != 3 { // received and never acknowledged
			t.Fatalf("got %d", e.Event.EventNumber)
		}
		eventually(t, "the checkpoint is stored", func() bool {
			at := groupInfo(t, c, "s").Stats.LastCheckpointedEventRevision
			return at != nil && *at >= 2
		})
	})
	t.Run("after", func(t *testing.T) {
		_, c := serve(t, here)
		m := joinGroup(t, c, "s", 10)
		m.expect(3, 4, 5, 6, 7, 8, 9)
	})
}

func TestNackDoesWhatItsActionSays(t *testing.T) {
	t.Parallel()
	_, c := serve(t)
	appendTo(t, c, "s", esdb.NoStream{}, proposals(4)...)
	createGroup(t, c, "s", esdb.Start{}, func(s *esdb.PersistentSubscriptionSettings) { s.MaxRetryCount = 2 })
	m := joinGroup(t, c, "s", 1)
	nack := func(revision uint64, tries int, action esdb.NackAction) {
		t.Helper()
		e, got := m.get()
		if e.Event.EventNumber != revision || got != tries {
			t.Fatalf("got revision %d after %d retries, want %d after %d", e.Event.EventNumber, got, revision, tries)
		}
		if err := m.sub.Nack("no", action, e); err != nil {
			t.Fatal(err)
		}
	}
	nack(0, 0, esdb.NackActionSkip)
	nack(1, 0, esdb.NackActionPark)
	nack(2, 0, esdb.NackActionRetry)
	nack(2, 1, esdb.NackActionUnknown)
	nack(2, 2, esdb.NackActionRetry) // tried often enough: parked
	m.expect(3)
	eventually(t, "two events are parked", func() bool { return groupInfo(t, c, "s").Stats.ParkedMessagesCount == 2 })
	links := readStream(t, c, "$persistentsubscription-s::g-parked", esdb.ReadStreamOptions{})
	if string(links[0].Event.Data) != "1@s" || string(links[1].Event.Data) != "2@s" || links[0].Event.EventType != "$>" {
		t.Errorf("parked %s and %s", links[0].Event.Data, links[1].Event.Data)
	}
}

func TestParkedEventsComeBackWhenReplayedAndLeaveTheParkWhenDealtWith(t *testing.T) {
	t.Parallel()
	_, c := serve(t)
	appendTo(t, c, "s", esdb.NoStream{}, proposals(5)...)
	createGroup(t, c, "s", esdb.Start{})
	m := joinGroup(t, c, "s", 10)
	for range 5 {
		e, _ := m.get()
		if err := m.sub.Nack("not now", esdb.NackActionPark, e); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "all are parked", func() bool { return groupInfo(t, c, "s").Stats.ParkedMessagesCount == 5 })
	if err := c.ReplayParkedMessages(within(t), "s", "g", esdb.ReplayParkedMessagesOptions{StopAt: 2}); err != nil {
		t.Fatal(err)
	}
	for i := range uint64(2) {
		e, _ := m.get()
		if e.Event.StreamID != "s" || e.Link == nil || e.Link.EventNumber != i {
			t.Fatalf("replayed %+v", e)
		}
		if err := m.sub.Ack(e); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "two left the park", func() bool { return groupInfo(t, c, "s").Stats.ParkedMessagesCount == 3 })
	if err := c.ReplayParkedMessages(within(t), "s", "g", esdb.ReplayParkedMessagesOptions{}); err != nil {
		t.Fatal(err)
	}
	first, _ := m.get()
	if err := m.sub.Nack("still not", esdb.NackActionPark, first); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		e, _ := m.get()
		if err := m.sub.Ack(e); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "one is parked again", func() bool { return groupInfo(t, c, "s").Stats.ParkedMessagesCount == 1 })
	links := readStream(t, c, "$persistentsubscription-s::g-parked", esdb.ReadStreamOptions{})
	if len(links) != 1 || string(links[0].Event.Data) != string(fmt.Appendf(nil, "%d@s", first.Event.EventNumber)) {
		t.Errorf("parked now: %d links", len(links))
	}
}

func TestTimedOutEventIsTriedAgainAndThenParked(t *testing.T) {
	t.Parallel()
	_, c := serve(t)
	appendTo(t, c, "s", esdb.NoStream{}, proposals(1)...)
	createGroup(t, c, "s", esdb.Start{}, func(s *esdb.PersistentSubscriptionSettings) { s.MessageTimeout, s.MaxRetryCount = 20, 2 })
	m := joinGroup(t, c, "s", 5)
	for tries := range 3 {
		if _, got := m.get(); got != tries {
			t.Fatalf("came after %d retries, want %d", got, tries)
		}
	}
	eventually(t, "it is parked", func() bool { return groupInfo(t, c, "s").Stats.ParkedMessagesCount == 1 })
}

func TestEventsOfAConsumerThatLeftGoToAnother(t *testing.T) {
	t.Parallel()
	_, c := serve(t)
	appendTo(t, c, "s", esdb.NoStream{}, proposals(3)...)
	createGroup(t, c, "s", esdb.Start{})
	first := joinGroup(t, c, "s", 3)
	for range 3 {
		first.get()
	}
	second := joinGroup(t, c, "s", 3)
	if err := first.sub.Close(); err != nil {
		t.Fatal(err)
	}
	second.expect(0, 1, 2)
}

func TestStrategiesChooseTheConsumer(t *testing.T) {
	t.Parallel()
	for strategy, check := range map[esdb.ConsumerStrategy]func(t *testing.T, got map[string][]int){
		esdb.ConsumerStrategyRoundRobin: func(t *testing.T, got map[string][]int) {
			if total := sum(got); total[0] != 20 || total[1] != 20 {
				t.Errorf("shared as %v, want evenly", total)
			}
		},
		esdb.ConsumerStrategyDispatchToSingle: func(t *testing.T, got map[string][]int) {
			if total := sum(got); total[0] != 30 || total[1] != 10 {
				t.Errorf("shared as %v, want the first to be filled first", total)
			}
		},
		esdb.ConsumerStrategyPinned: func(t *testing.T, got map[string][]int) {
			for stream, n := range got {
				if n[0] > 0 && n[1] > 0 {
					t.Errorf("%s went to both", stream)
				}
			}
		},
	} {
		t.Run(string(strategy), func(t *testing.T) {
			t.Parallel()
			_, c := serve(t)
			err := c.CreatePersistentSubscriptionToAll(within(t), "g", esdb.PersistentAllSubscriptionOptions{
				StartFrom: esdb.Start{}, Settings: groupSettings(func(s *esdb.PersistentSubscriptionSettings) { s.ConsumerStrategyName = strategy }),
				Filter: &esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Prefixes: []string{"wanted-"}},
			})
			if err != nil {
				t.Fatal(err)
			}
			buffer := uint32(100)
			if strategy == esdb.ConsumerStrategyDispatchToSingle {
				buffer = 30 // nothing is acknowledged, so the first is full then
			}
			var members [2]*member
			for i := range members {
				sub, err := c.SubscribeToPersistentSubscriptionToAll(within(t), "g", esdb.SubscribeToPersistentSubscriptionOptions{BufferSize: buffer})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = sub.Close() })
				members[i] = &member{t, sub}
			}
			for i := range 8 {
				appendTo(t, c, fmt.Sprintf("wanted-%d", i), esdb.NoStream{}, proposals(5)...)
				appendTo(t, c, fmt.Sprintf("other-%d", i), esdb.NoStream{}, proposals(2)...)
			}
			type taken struct {
				who    int
				stream string
			}
			came := make(chan taken)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			for who, m := range members {
				go func() {
					for {
						e := m.sub.Recv()
						if e.EventAppeared == nil {
							return
						}
						select {
						case came <- taken{who, e.EventAppeared.Event.Event.StreamID}:
						case <-ctx.Done():
							return
						}
					}
				}()
			}
			got := map[string][]int{}
			for range 40 {
				select {
				case e := <-came:
					if !strings.HasPrefix(e.stream, "wanted-") {
						t.Errorf("got an event of %s", e.stream)
					}
					if got[e.stream] == nil {
						got[e.stream] = make([]int, 2)
					}
					got[e.stream][e.who]++
				case <-within(t).Done():
					t.Fatalf("only %v came", got)
				}
			}
			check(t, got)
		})
	}
}

func sum(got map[string][]int) (total [2]int) {
	for _, n := range got {
		total[0] += n[0]
		total[1] += n[1]
	}
	return total
}

func TestGroupOnAllParksAndReplaysWithoutFeedingOnItself(t *testing.T) {
	t.Parallel()
	_, c := serve(t)
	err := c.CreatePersistentSubscriptionToAll(within(t), "g", esdb.PersistentAllSubscriptionOptions{StartFrom: esdb.Start{}, Settings: groupSettings()})
	if err != nil {
		t.Fatal(err)
	}
	sub, err := c.SubscribeToPersistentSubscriptionToAll(within(t), "g", esdb.SubscribeToPersistentSubscriptionOptions{BufferSize: 5})
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	m := &member{t, sub}
	appendTo(t, c, "s", esdb.NoStream{}, proposals(1)...)
	e, _ := m.get()
	if err := sub.Nack("no", esdb.NackActionPark, e); err != nil {
		t.Fatal(err)
	}
	info := func() *esdb.PersistentSubscriptionInfo {
		i, err := c.GetPersistentSubscriptionInfoToAll(within(t), "g", esdb.GetPersistentSubscriptionOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	eventually(t, "it is parked", func() bool { return info().Stats.ParkedMessagesCount == 1 })
	if err := c.ReplayParkedMessagesToAll(within(t), "g", esdb.ReplayParkedMessagesOptions{}); err != nil {
		t.Fatal(err)
	}
	again, _ := m.get()
	if again.Event == nil || again.Event.EventID != e.Event.EventID {
		t.Fatalf("replayed %+v", again)
	}
	if err := sub.Ack(again); err != nil {
		t.Fatal(err)
	}
	appendTo(t, c, "t", esdb.NoStream{}, proposals(1)...)
	for {
		e, _ := m.get()
		if e.Event.StreamID == "t" {
			break
		}
		if strings.HasPrefix(e.Event.StreamID, "$persistentsubscription-") {
			t.Errorf("got its own parked event, %s", e.Event.StreamID)
		}
		if err := sub.Ack(e); err != nil {
			t.Fatal(err)
		}
	}
}
