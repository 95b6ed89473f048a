package node

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

// heard is what a subscription says, as words: event numbers or streams, "caught-up", "checkpoint".
type heard struct {
	t     *testing.T
	sub   *esdb.Subscription
	marks []esdb.Position
}

func (h *heard) next() (string, *esdb.ResolvedEvent) {
	h.t.Helper()
	e := h.sub.Recv()
	switch {
	case e.EventAppeared != nil:
		return e.EventAppeared.OriginalEvent().StreamID, e.EventAppeared
	case e.CaughtUp != nil:
		return "caught-up", nil
	case e.CheckPointReached != nil:
		h.marks = append(h.marks, *e.CheckPointReached)
		return "checkpoint", nil
	case e.SubscriptionDropped != nil:
		h.t.Fatalf("dropped: %v", e.SubscriptionDropped.Error)
	}
	return "?", nil
}

func (h *heard) expect(words string) {
	h.t.Helper()
	for want := range strings.FieldsSeq(words) {
		if got, _ := h.next(); got != want {
			h.t.Fatalf("heard %s, want %s (of %s)", got, want, words)
		}
	}
}

func subscribeAll(t *testing.T, c *esdb.Client, o esdb.SubscribeToAllOptions) *heard {
	t.Helper()
	sub, err := c.SubscribeToAll(within(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sub.Close() })
	return &heard{t: t, sub: sub}
}

func subscribeStream(t *testing.T, c *esdb.Client, stream string, from esdb.StreamPosition) *heard {
	t.Helper()
	sub, err := c.SubscribeToStream(within(t), stream, esdb.SubscribeToStreamOptions{From: from})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sub.Close() })
	return &heard{t: t, sub: sub}
}

func TestSubscriptionCatchesUpAndGoesOnLive(t *testing.T) {
	t.Parallel()
	_, c := serve(t)
	w := appendTo(t, c, "a", esdb.NoStream{}, proposals(1)...)
	appendTo(t, c, "b", esdb.NoStream{}, proposals(1)...)
	after := esdb.Position{Commit: w.CommitPosition, Prepare: w.PreparePosition}
	start := subscribeAll(t, c, esdb.SubscribeToAllOptions{From: esdb.Start{}})
	given := subscribeAll(t, c, esdb.SubscribeToAllOptions{From: after})
	end := subscribeAll(t, c, esdb.SubscribeToAllOptions{From: esdb.End{}})
	start.expect("a b caught-up")
	given.expect("b caught-up")
	end.expect("caught-up")
	appendTo(t, c, "c", esdb.NoStream{}, proposals(2)...)
	for _, h := range []*heard{start, given, end} {
		h.expect("c c")
	}
}

func TestStreamSubscriptionBeginsBehindItsRevision(t *testing.T) {
	t.Parallel()
	_, c := serve(t)
	appendTo(t, c, "s", esdb.NoStream{}, proposals(3)...)
	for name, tc := range map[string]struct {
		from esdb.StreamPosition
		want int
	}{"start": {esdb.Start{}, 0}, "revision": {esdb.Revision(1), 2}, "end": {esdb.End{}, 3}} {
		h := subscribeStream(t, c, "s", tc.from)
		for i := tc.want; i < 3; i++ {
			if _, e := h.next(); e == nil || e.Event.EventNumber != uint64(i) {
				t.Errorf("%s: got %+v, want revision %d", name, e, i)
			}
		}
		h.expect("caught-up")
	}
}

func TestSubscriptionToAMissingStreamWaitsForIt(t *testing.T) {
	t.Parallel()
	_, c := serve(t)
	h := subscribeStream(t, c, "later", esdb.Start{})
	h.expect("caught-up")
	appendTo(t, c, "other", esdb.NoStream{}, proposals(1)...)
	appendTo(t, c, "later", esdb.NoStream{}, proposals(2)...)
	h.expect("later later")
}

func TestFilteredSubscriptionSeesWhatItAskedFor(t *testing.T) {
	t.Parallel()
	_, c := serve(t)
	for _, s := range []string{"User-1", "Group-1", "User-2", "Claim-1"} {
		events := proposals(1)
		events[0].EventType = strings.ToLower(s)
		appendTo(t, c, s, esdb.NoStream{}, events...)
	}
	for name, tc := range map[string]struct {
		filter *esdb.SubscriptionFilter
		want   string
	}{
		"stream prefix": {&esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Prefixes: []string{"User-", "Claim-"}}, "User-1 User-2 Claim-1"},
		"stream regex":  {&esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Regex: "^(Group|Claim)-"}, "Group-1 Claim-1"},
		"type prefix":   {&esdb.SubscriptionFilter{Type: esdb.EventFilterType, Prefixes: []string{"group"}}, "Group-1"},
		"type regex":    {&esdb.SubscriptionFilter{Type: esdb.EventFilterType, Regex: "er-2"}, "User-2"},
	} {
		h := subscribeAll(t, c, esdb.SubscribeToAllOptions{From: esdb.Start{}, Filter: tc.filter})
		h.expect(tc.want + " checkpoint caught-up")
		_ = name
	}
}

func TestFilteredCheckpointsCountConsideredEventsAndGrow(t *testing.T) {
	t.Parallel()
	_, c := serve(t)
	var last *esdb.WriteResult
	for i := range 10 {
		last = appendTo(t, c, fmt.Sprintf("Noise-%d", i), esdb.NoStream{}, proposals(1)...)
	}
	filter := &esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Prefixes: []string{"Signal-"}}
	h := subscribeAll(t, c, esdb.SubscribeToAllOptions{From: esdb.Start{}, Filter: filter, MaxSearchWindow: 2, CheckpointInterval: 2})
	h.expect("checkpoint checkpoint checkpoint caught-up") // 4, 8, and the end at 10
	if got := h.marks[2].Commit; got != last.CommitPosition || h.marks[2].Prepare != got {
		t.Errorf("last checkpoint %v, the log ends at %d", h.marks[2], last.CommitPosition)
	}
	for i := range 3 {
		appendTo(t, c, fmt.Sprintf("Noise-live-%d", i), esdb.NoStream{}, proposals(1)...)
	}
	w := appendTo(t, c, "Signal-1", esdb.NoStream{}, proposals(1)...)
	h.expect("Signal-1 checkpoint")
	if h.marks[3].Commit != w.CommitPosition {
		t.Errorf("live checkpoint %v, want %d", h.marks[3], w.CommitPosition)
	}
	for i := 1; i < len(h.marks); i++ {
		if h.marks[i].Commit <= h.marks[i-1].Commit {
			t.Errorf("checkpoint %v follows %v", h.marks[i], h.marks[i-1])
		}
	}
	resumed := subscribeAll(t, c, esdb.SubscribeToAllOptions{From: h.marks[2], Filter: filter})
	resumed.expect("Signal-1 checkpoint caught-up")
}

func TestCheckpointIntervalOfZeroIsRefused(t *testing.T) {
	t.Parallel()
	_, c := serve(t)
	_, err := c.SubscribeToAll(within(t), esdb.SubscribeToAllOptions{
		From: esdb.Start{}, CheckpointInterval: -1 << 32, MaxSearchWindow: 1,
		Filter: &esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Prefixes: []string{"x"}},
	})
	if err == nil || !strings.Contains(err.Error(), "interval must be above zero") {
		t.Errorf("%v, want a refusal", err)
	}
}

func TestSlowSubscriberGetsEverythingInOrder(t *testing.T) {
	t.Parallel()
	_, c := serve(t)
	h := subscribeAll(t, c, esdb.SubscribeToAllOptions{From: esdb.Start{}})
	h.expect("caught-up")
	const appends, each = 30, 40
	for i := range appends { // nothing is received meanwhile
		events := proposals(each)
		for k := range events {
			events[k].Data = make([]byte, 4<<10)
		}
		appendTo(t, c, fmt.Sprintf("s-%d", i), esdb.NoStream{}, events...)
	}
	seen := 0
	for seen < appends*each {
		if word, e := h.next(); e != nil {
			if want := fmt.Sprintf("s-%d", seen/each); word != want || e.Event.EventNumber != uint64(seen%each) {
				t.Fatalf("event %d is %s/%d", seen, word, e.Event.EventNumber)
			}
			seen++
		}
	}
}

func TestSubscriptionsEndWhenTheNodeStops(t *testing.T) {
	t.Parallel()
	n, err := Open(Config{Dir: t.TempDir(), StopTimeout: 5 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- n.Run(ctx) }()
	c := connect(t, n.ConnectionString())
	h := subscribeAll(t, c, esdb.SubscribeToAllOptions{From: esdb.Start{}})
	h.expect("caught-up")
	cancel()
	if e := h.sub.Recv(); e.SubscriptionDropped == nil {
		t.Errorf("heard %+v, want the end", e)
	}
	select {
	case err := <-ran:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(2 * time.Minute):
		t.Fatal("the node waits for what it has ended")
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
	if err := n.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}
