package group

import (
	"context"
	"math"
	"slices"

	"waybill/events/node/journal"
)

// replay is the way of parked events back to the consumers. They stay parked until they are dealt with, so a crash in
// between loses none.
type replay struct {
	progress  progress // by revision of the parked stream
	until     uint64   // the first parked event that is not to be replayed
	truncated uint64   // what of the parked stream was let go
	busy      bool     // it is being let go
}

// ReplayParked hands out the parked events again, up to but without the parked event stopAt; a negative one means all.
func (g *Group) ReplayParked(ctx context.Context, stopAt int64) error {
	head, err := g.deps.Journal.Head(ctx, g.key.ParkedStream())
	if err != nil {
		return err
	}
	until := uint64(head.Last + 1)
	if stopAt >= 0 {
		until = min(until, uint64(stopAt))
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.replay.progress.done == nil {
		g.replay.progress = newProgress(0)
	}
	g.replay.until = max(g.replay.until, until)
	g.nudge()
	return nil
}

// fillReplay reads parked events that are to be replayed; more tells that there are others.
func (g *Group) fillReplay(ctx context.Context) (more bool, err error) {
	p, limit := &g.replay.progress, g.room()
	if p.next >= g.replay.until || limit <= 0 {
		return false, nil
	}
	parked := g.key.ParkedStream()
	head, err := g.deps.Journal.Head(ctx, parked)
	if err != nil {
		return false, err
	}
	var links []*journal.Record
	next := g.replay.until
	err = g.deps.Journal.Stream(parked, head, int64(p.next), false, func(r *journal.Record) bool {
		if uint64(r.Revision) >= g.replay.until {
			return false
		}
		if len(links) >= limit {
			next = uint64(r.Revision)
			return false
		}
		links = append(links, r.Clone())
		return true
	})
	if err != nil {
		return false, err
	}
	for _, link := range links {
		m := &Message{Link: link, seq: uint64(link.Revision), replayed: true}
		if m.Event, err = g.deps.Resolve(ctx, link); err != nil {
			return false, err
		}
		p.read(m.seq)
		p.next = m.seq + 1
		if m.Event == nil { // deleted since: there is nothing to deal with
			g.replayDone(m)
			continue
		}
		at, _ := slices.BinarySearchFunc(g.waiting, m, inOrder)
		g.waiting = slices.Insert(g.waiting, at, m)
	}
	p.next = next
	return p.next < g.replay.until, nil
}

// replayDone notes that nothing more is to be done about a replayed event, and lets go of what is dealt with in the
// parked stream, many at a time.
func (g *Group) replayDone(m *Message) {
	g.replay.progress.finish(m.seq)
	low := g.replay.progress.low()
	if low == g.replay.truncated || g.replay.busy || len(g.replay.progress.reads) > 0 && low < g.replay.truncated+100 {
		return
	}
	g.replay.busy = true
	g.tasks.Go(func() { g.truncateParked(low) })
}

func (g *Group) truncateParked(before uint64) {
	document := []byte(`{"$tb":` + itoa(int64(min(before, math.MaxInt64))) + `}`)
	_, err := g.deps.Journal.Append(context.Background(), journal.Append{
		Stream: "$$" + g.key.ParkedStream(), Expected: journal.Any,
		Events: []journal.Event{g.deps.NewEvent(journal.TypeMetadata, document, nil)},
	})
	g.mu.Lock()
	defer g.mu.Unlock()
	g.replay.busy = false
	if err != nil {
		g.deps.Log.Error("replayed events stay parked", "stream", g.key.Stream, "group", g.key.Name, "error", err)
		return
	}
	g.replay.truncated = before
	if low := g.replay.progress.low(); low > before && len(g.replay.progress.reads) == 0 && !g.closing {
		g.replay.busy = true
		g.tasks.Go(func() { g.truncateParked(low) })
	}
}
