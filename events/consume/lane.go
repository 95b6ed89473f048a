package consume

import (
	"context"
	"errors"
	"slices"
	"sync"

	"waybill/events"
	"waybill/events/store"
)

// lane is where the calls of one process wait for a stream, which one goroutine
// writes for all of them. Streams share lanes by chance.
type lane struct {
	mu      sync.Mutex
	waiting []*publication // in the order in which they came
	served  bool           // there is a goroutine for it

	// Of that goroutine: where the stream is that it wrote to last.
	topic string
	at    events.Expected
}

// publication is what one call publishes.
type publication struct {
	ctx    context.Context
	topic  string
	events []events.Proposed
	size   int // bytes, roughly
	done   chan error
}

// join queues a publication; true asks the caller to have the lane served.
func (l *lane) join(w *publication) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = append(l.waiting, w)
	first := !l.served
	l.served = true
	return first
}

// next takes the publications that go into one append: those to one stream from
// the front of the queue that fit, one at least. None means that the lane is no
// longer served.
func (l *lane) next() []*publication {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = slices.DeleteFunc(l.waiting, func(w *publication) bool { return w.ctx.Err() != nil })
	count, size := 0, 0
	n := slices.IndexFunc(l.waiting, func(w *publication) bool {
		count, size = count+len(w.events), size+w.size
		return w.topic != l.waiting[0].topic || w != l.waiting[0] && (count > publishMessages || size > publishBytes)
	})
	if n < 0 {
		n = len(l.waiting)
	}
	taken := slices.Clone(l.waiting[:n])
	l.waiting = slices.Delete(l.waiting, 0, n)
	l.served = n > 0
	return taken
}

// serve writes what waits in a lane until nothing does.
func (p *Publisher) serve(l *lane) {
	for taken := l.next(); len(taken) > 0; taken = l.next() {
		if l.topic != taken[0].topic {
			l.topic, l.at = taken[0].topic, events.NoStream
		}
		err := p.write(l, taken)
		for _, w := range taken {
			w.done <- err
		}
	}
}

// write appends publications to the lane's stream, in appends of bounded size.
func (p *Publisher) write(l *lane, ws []*publication) error {
	var chunk []events.Proposed
	size := 0
	for _, w := range ws {
		for _, e := range w.events {
			bytes := len(e.Data) + len(e.Metadata)
			if len(chunk) == publishMessages || len(chunk) > 0 && size+bytes > publishBytes {
				if err := p.append(l, chunk); err != nil {
					return err
				}
				chunk, size = nil, 0
			}
			chunk, size = append(chunk, e), size+bytes
		}
	}
	return p.append(l, chunk)
}

// append writes at the stream's end, wherever that is: the conflict tells.
func (p *Publisher) append(l *lane, evs []events.Proposed) error {
	for {
		_, err := p.cfg.Store.Append(p.ctx, l.topic, l.at, evs)
		var moved *store.ConflictError
		switch {
		case err == nil:
			l.at += events.Expected(len(evs))
			return nil
		case !errors.As(err, &moved):
			return err
		}
		l.at = moved.Actual
	}
}
