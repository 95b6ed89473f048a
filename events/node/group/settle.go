package group

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"waybill/events/node/journal"
)

// Action is what a consumer wants done with an event it could not deal with.
type Action int

// The actions.
const (
	Retry Action = iota // try it again
	Park                // set it aside
	Skip                // forget it
	Stop                // try it again, elsewhere
)

// Join adds a consumer that holds up to slots events at a time; from tells where it is. It gives ErrFull when the group
// has enough, ErrDropped when it is going away.
func (g *Group) Join(slots int, from string) (*Consumer, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closing {
		return nil, ErrDropped
	}
	if limit := int(g.settings.MaxSubscribers); limit > 0 && len(g.consumers) >= limit {
		return nil, ErrFull
	}
	c := newConsumer(slots, from)
	g.consumers = append(g.consumers, c)
	g.nudge()
	return c, nil
}

// Leave takes a consumer away; what it held is tried again.
func (g *Group) Leave(c *Consumer) {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.consumers, c)
	if i < 0 {
		return
	}
	g.consumers = slices.Delete(g.consumers, i, i+1)
	for _, m := range c.takeAll(func(*Message) bool { return true }) {
		g.retry(m, "the consumer went away")
	}
	g.nudge()
}

// Ack notes that the consumer dealt with these events. Ids that it does not hold are passed over: they timed out.
func (g *Group) Ack(c *Consumer, ids [][16]byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closing {
		return
	}
	for _, id := range ids {
		if m := c.take(id); m != nil {
			g.finish(m)
		}
	}
	g.nudge()
}

// Nack notes that the consumer could not deal with these events.
func (g *Group) Nack(c *Consumer, ids [][16]byte, action Action, reason string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closing {
		return
	}
	for _, id := range ids {
		m := c.take(id)
		switch {
		case m == nil:
		case action == Park:
			g.park(m, reason)
		case action == Skip:
			g.finish(m)
		default:
			g.retry(m, reason)
		}
	}
	g.nudge()
}

// retry puts a message back in front, or parks it when it was tried often enough.
func (g *Group) retry(m *Message, reason string) {
	if m.Retries >= g.settings.MaxRetries {
		g.park(m, "tried "+strconv.Itoa(int(m.Retries)+1)+" times: "+reason)
		return
	}
	g.again(m, m.Retries+1)
}

// again puts a message back in front. It is a new one: the old may still be on its way out.
func (g *Group) again(m *Message, retries int32) {
	n := *m
	n.Retries, n.deadline = retries, time.Time{}
	at, _ := slices.BinarySearchFunc(g.waiting, &n, inOrder)
	g.waiting = slices.Insert(g.waiting, at, &n)
}

// inOrder sorts retries before new messages, and each by where they come from.
func inOrder(a, b *Message) int {
	rank := func(m *Message) int {
		if m.Retries > 0 || m.replayed {
			return 0
		}
		return 1
	}
	if d := rank(a) - rank(b); d != 0 {
		return d
	}
	switch {
	case a.seq < b.seq:
		return -1
	case a.seq > b.seq:
		return 1
	}
	return 0
}

// finish notes that nothing more is to be done about a message.
func (g *Group) finish(m *Message) {
	if m.replayed {
		g.replayDone(m)
		return
	}
	g.progress.finish(m.seq)
	if g.storeBy.IsZero() && g.settings.CheckpointAfter > 0 {
		g.storeBy = g.deps.Now().Add(g.settings.CheckpointAfter.Duration())
	}
}

// park sets an event aside: a link to it in the parked stream. It is not dealt with before that link is on disk.
func (g *Group) park(m *Message, reason string) {
	data := linkTo(parkable(m))
	meta, err := json.Marshal(struct {
		Added  string `json:"added"`
		Reason string `json:"reason"`
	}{g.deps.Now().UTC().Format("2006-01-02T15:04:05.0000000Z"), reason})
	if err != nil {
		meta = nil
	}
	link := g.deps.NewEvent(journal.TypeLink, data, meta)
	g.tasks.Go(func() {
		_, err := g.deps.Journal.Append(context.Background(), journal.Append{
			Stream: g.key.ParkedStream(), Expected: journal.Any, Events: []journal.Event{link},
		})
		g.mu.Lock()
		defer g.mu.Unlock()
		if err == nil {
			g.finish(m)
		} else {
			g.deps.Log.Error("event cannot be parked", "stream", g.key.Stream, "group", g.key.Name, "error", err)
			g.again(m, max(m.Retries, 1))
		}
		g.nudge()
	})
}

// parkable is what a link to a parked message points at: the event the group read, never the link that parked it before.
func parkable(m *Message) *journal.Record {
	if m.replayed && m.Event != nil {
		return m.Event
	}
	return m.original()
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
