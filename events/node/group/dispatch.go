package group

import (
	"hash/fnv"
	"slices"
)

// dispatch hands out what waits, as far as consumers have room.
func (g *Group) dispatch() {
	if len(g.consumers) == 0 {
		return
	}
	now := g.deps.Now()
	kept := g.waiting[:0]
	for i, m := range g.waiting {
		c := g.choose(m)
		if c == nil {
			if g.settings.Strategy != Pinned {
				kept = append(kept, g.waiting[i:]...)
				break
			}
			kept = append(kept, m) // others may go to others
			continue
		}
		if g.settings.MessageTimeout > 0 {
			m.deadline = now.Add(g.settings.MessageTimeout.Duration())
			g.wakeAt(m.deadline)
		}
		c.give(m)
	}
	clear(g.waiting[len(kept):])
	g.waiting = kept
}

// choose gives the consumer that is to get the message, nil when none has room.
func (g *Group) choose(m *Message) *Consumer {
	n := len(g.consumers)
	switch g.settings.Strategy {
	case DispatchToSingle:
		for i := range n {
			if c := g.consumers[(g.turn+i)%n]; c.held < c.slots {
				g.turn = (g.turn + i) % n
				return c
			}
		}
	case Pinned:
		if c := g.pinned(m); c.held < c.slots {
			return c
		}
	default:
		for i := range n {
			if c := g.consumers[(g.turn+i)%n]; c.held < c.slots {
				g.turn = (g.turn + i + 1) % n
				return c
			}
		}
	}
	return nil
}

// pinned gives the consumer of the message's stream: the one for which the hash of both is highest, so that a consumer
// that comes or goes moves only its own share of the streams.
func (g *Group) pinned(m *Message) *Consumer {
	stream := m.original().Stream
	if m.Event != nil {
		stream = m.Event.Stream
	}
	return slices.MaxFunc(g.consumers, func(a, b *Consumer) int {
		x, y := weight(stream, a), weight(stream, b)
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
}

func weight(stream []byte, c *Consumer) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(c.from))
	_, _ = h.Write(stream)
	x := h.Sum64() // FNV leaves its high bits poorly mixed
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	return x ^ x>>33
}
