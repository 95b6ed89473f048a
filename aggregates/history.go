package aggregates

import (
	"github.com/google/uuid"

	"waybill/events"
)

// done is a command that a stream holds the events of.
type done struct {
	actor    events.Actor
	id       uuid.UUID
	revision uint64 // of its last event
	position events.Position
	events   int
}

type doneKey struct {
	actor events.Actor
	id    uuid.UUID
}

// indexFrom is the length from which a history is searched through an index.
const indexFrom = 32

// history is the commands of a stream, oldest first. Different actors' commands
// never meet, whatever ids they choose.
type history struct {
	list  []done
	index map[doneKey]int // nil while the list is short
}

// add appends a command, or extends the last one when d is more of it.
func (h *history) add(d done) {
	if n := len(h.list); n > 0 && h.list[n-1].id == d.id && h.list[n-1].actor == d.actor {
		last := &h.list[n-1]
		last.revision, last.position = d.revision, d.position
		last.events += d.events
		return
	}
	h.list = append(h.list, d)
	switch {
	case h.index != nil:
		h.index[doneKey{d.actor, d.id}] = len(h.list) - 1
	case len(h.list) == indexFrom:
		h.index = make(map[doneKey]int, 2*indexFrom)
		for i, d := range h.list {
			h.index[doneKey{d.actor, d.id}] = i
		}
	}
}

func (h *history) find(actor events.Actor, id uuid.UUID) (done, bool) {
	if h.index != nil {
		i, ok := h.index[doneKey{actor, id}]
		if !ok {
			return done{}, false
		}
		return h.list[i], true
	}
	for _, d := range h.list {
		if d.id == id && d.actor == actor {
			return d, true
		}
	}
	return done{}, false
}
