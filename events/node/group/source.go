package group

import (
	"context"
	"strings"

	"waybill/events/node/journal"
)

// scanLimit bounds how many unwanted events of the log are passed over at a time.
const scanLimit = 4096

// fill reads the next events into what waits; more tells that there may be others behind them.
func (g *Group) fill(ctx context.Context) (more bool, err error) {
	limit := g.room()
	if limit <= 0 {
		return false, nil
	}
	var read []*Message
	if g.key.Stream == All {
		read, more, err = g.readAll(limit)
	} else {
		read, more, err = g.readStream(ctx, limit)
	}
	if err != nil {
		return false, err
	}
	for _, m := range read {
		if err := g.resolve(ctx, m); err != nil {
			g.progress.next = m.seq // it and what follows is read again
			return false, err
		}
		g.progress.read(m.seq)
		g.waiting = append(g.waiting, m)
		g.total++
	}
	return more, nil
}

// room is how many events may be read now.
func (g *Group) room() int {
	return min(int(g.settings.ReadBatch), int(g.settings.HistoryBuffer)-len(g.waiting))
}

func (g *Group) readAll(limit int) (read []*Message, more bool, err error) {
	own, considered, next := g.key.ParkedStream(), 0, g.progress.next
	err = g.deps.Journal.All(next, false, func(r *journal.Record) bool {
		if len(read) >= limit || considered >= scanLimit {
			more = true
			return false
		}
		considered++
		next = r.Position + 1
		// A group that got its own parked events would park them again and again.
		if string(r.Stream) != own && g.filter.Match(r.Stream, r.Type) {
			read = append(read, &Message{Event: r.Clone(), seq: r.Position})
		}
		return true
	})
	if err == nil {
		g.progress.next = next
	}
	return read, more, err
}

func (g *Group) readStream(ctx context.Context, limit int) (read []*Message, more bool, err error) {
	head, err := g.deps.Journal.Head(ctx, g.key.Stream)
	if err != nil || head.Tombstoned || head.SoftDeleted() || head.Last < int64(g.progress.next) {
		return nil, false, err
	}
	next := g.progress.next
	err = g.deps.Journal.Stream(g.key.Stream, head, int64(next), false, func(r *journal.Record) bool {
		if len(read) >= limit {
			more = true
			return false
		}
		next = uint64(r.Revision) + 1
		read = append(read, &Message{Event: r.Clone(), seq: uint64(r.Revision)})
		return true
	})
	if err == nil {
		g.progress.next = next
	}
	return read, more, err
}

// resolve follows a link when the group wants that.
func (g *Group) resolve(ctx context.Context, m *Message) error {
	if !g.settings.ResolveLinks || string(m.Event.Type) != journal.TypeLink {
		return nil
	}
	target, err := g.deps.Resolve(ctx, m.Event)
	if err == nil {
		m.Link, m.Event = m.Event, target
	}
	return err
}

// linkTo is the data of a link to a record.
func linkTo(r *journal.Record) []byte {
	var b strings.Builder
	b.WriteString(itoa(r.Revision))
	b.WriteByte('@')
	b.Write(r.Stream)
	return []byte(b.String())
}
