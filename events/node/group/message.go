package group

import (
	"time"

	"waybill/events/node/journal"
)

// Message is an event on its way to a consumer.
type Message struct {
	Event   *journal.Record // nil when a link leads nowhere
	Link    *journal.Record // nil when the event was read where it was written
	Retries int32

	seq      uint64 // revision or position; of a replayed one: its revision in the parked stream
	replayed bool
	deadline time.Time
}

// original is the record the group read: the link where there is one.
func (m *Message) original() *journal.Record {
	if m.Link != nil {
		return m.Link
	}
	return m.Event
}

// progress keeps the order in which events were read, to know below which everything is dealt with.
type progress struct {
	next  uint64 // the first one not read
	reads []uint64
	done  map[uint64]bool // of those in reads
	dealt int             // since the last checkpoint
}

func newProgress(next uint64) progress { return progress{next: next, done: map[uint64]bool{}} }

// read notes that seq is being dealt with; it must be higher than all before.
func (p *progress) read(seq uint64) { p.reads = append(p.reads, seq) }

// finish notes that seq is dealt with.
func (p *progress) finish(seq uint64) {
	p.done[seq] = true
	p.dealt++
	i := 0
	for i < len(p.reads) && p.done[p.reads[i]] {
		delete(p.done, p.reads[i])
		i++
	}
	p.reads = p.reads[i:]
}

// low is the first one that is not dealt with.
func (p *progress) low() uint64 {
	if len(p.reads) > 0 {
		return p.reads[0]
	}
	return p.next
}
