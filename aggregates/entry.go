package aggregates

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"waybill/events"
	"waybill/events/fault"
)

// readPage is how many events of a stream are read at a time.
const readPage = 500

// place is how far into a stream a state goes.
type place struct {
	revision events.Expected // of the last event in it; NoStream for none
	position events.Position // of that event
}

// entry is one stream's state as far as this process has seen it. It only ever
// moves forward. It may be behind the stream, never ahead of it.
type entry[S any] struct {
	turn chan struct{} // held by the one command that tries again

	mu      sync.Mutex
	state   S
	seen    place
	done    history
	rival   time.Time   // when another process was last seen to write
	reading bool        // a shared reading is under way
	next    *sharedRead // the one after it; nil when nobody waits
}

// lookup returns the cached entry of a stream, or a new one that is not cached
// before it holds something.
func lookup[S any](x *Executor, stream string) *entry[S] {
	if v, ok := x.cache.Get(stream); ok {
		if e, ok := v.(*entry[S]); ok {
			return e
		}
	}
	return &entry[S]{turn: make(chan struct{}, 1), seen: place{revision: events.NoStream}}
}

// unread reports whether nothing of the stream is known.
func (e *entry[S]) unread() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.seen.revision == events.NoStream
}

func (e *entry[S]) snapshot() (S, place) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.state, e.seen
}

func (e *entry[S]) find(actor events.Actor, id uuid.UUID) (done, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.done.find(actor, id)
}

// queue waits for the turn to try again on this stream.
func (e *entry[S]) queue(ctx context.Context) error {
	select {
	case e.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for other commands: %w", ctx.Err())
	}
}

// busy reports whether commands are lined up.
func (e *entry[S]) busy() bool { return len(e.turn) > 0 }

// beyond reports whether the state goes further than a place.
func (e *entry[S]) beyond(p place) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.seen.revision > p.revision
}

// leave gives the turn to the next command, after a pause.
func (e *entry[S]) leave(pause time.Duration) {
	if pause <= 0 {
		<-e.turn
		return
	}
	time.AfterFunc(pause, func() { <-e.turn })
}

// meetRival notes that another process writes to the stream as well.
func (e *entry[S]) meetRival() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.rival = time.Now()
}

// courtesy returns how long the commands of this process hold back after one of
// them succeeded with an append that took so long. Having the newest state, they
// would otherwise always be ahead of another process, which has to read it.
func (e *entry[S]) courtesy(took time.Duration) time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	if time.Since(e.rival) > time.Second {
		return 0
	}
	return min(2*took, 100*time.Millisecond)
}

// refresh folds what the stream has beyond the state, and keeps it in the cache.
func (e *entry[S]) refresh(ctx context.Context, x *Executor, kind Kind[S], stream string) error {
	if err := e.read(ctx, x, kind, stream); err != nil {
		return err
	}
	if !e.unread() {
		x.cache.Add(stream, e)
	}
	return nil
}

func (e *entry[S]) read(ctx context.Context, x *Executor, kind Kind[S], stream string) error {
	for {
		_, seen := e.snapshot()
		records, err := x.store.Read(ctx, stream, seen.revision.Next(), readPage)
		if fault.Is(err, fault.NotFound) && seen.revision == events.NoStream {
			return nil
		}
		if err != nil {
			return err
		}
		for _, r := range records {
			ev, err := x.codec.Decode(r)
			if err != nil {
				return fmt.Errorf("load: %w", err)
			}
			e.fold(kind, ev)
		}
		if len(records) < readPage {
			return nil
		}
	}
}

// fold adds the next event; one that is known already changes nothing.
func (e *entry[S]) fold(kind Kind[S], ev events.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if ev.Record.Revision != e.seen.revision.Next() {
		return
	}
	e.state = kind.Evolve(e.state, ev.Payload)
	e.seen = place{events.Expected(ev.Record.Revision), ev.Record.Position}
	e.done.add(done{
		actor: ev.Metadata.Actor, id: ev.Metadata.CommandID,
		revision: ev.Record.Revision, position: ev.Record.Position, events: 1,
	})
}

// advance takes over the state after this process's own append at a revision,
// unless the entry moved on by reading meanwhile. It reports whether it did.
func (e *entry[S]) advance(cmd Command, state S, from events.Expected, res Result) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.seen.revision != from {
		return false
	}
	e.state = state
	e.seen = place{events.Expected(res.Revision), res.Position}
	e.done.add(done{cmd.Actor, cmd.ID, res.Revision, res.Position, res.Events})
	return true
}
