package journal

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// Visit is called for each record in order; it returns false to stop. It must not block: it holds a view of the store.
type Visit func(*Record) bool

// All visits the events on disk from a position on: at or above it forwards, strictly below it backwards. It does not
// wait for events to come.
func (j *Journal) All(from uint64, backwards bool, visit Visit) error {
	release, err := j.reading()
	if err != nil {
		return err
	}
	defer release()
	head := j.durable.Load()
	bounds := &pebble.IterOptions{LowerBound: putEventKey(nil, from), UpperBound: putEventKey(nil, head+1)}
	if backwards {
		bounds.LowerBound, bounds.UpperBound = putEventKey(nil, 0), putEventKey(nil, min(from, head+1))
	} else if from > head {
		return nil
	}
	it, err := j.db.NewIter(bounds)
	if err != nil {
		return readError("read the log", err)
	}
	step, ok := it.Next, false
	if backwards {
		step, ok = it.Prev, it.Last()
	} else {
		ok = it.First()
	}
	var fault error
	for ; ok; ok = step() {
		position := positionOf(it.Key())
		r, whole := parseRecord(position, it.Value())
		if !whole {
			fault = damaged("event at position %d", position)
			break
		}
		if !visit(&r) {
			break
		}
	}
	return j.endScan(it, fault, "read the log")
}

func (j *Journal) endScan(it *pebble.Iterator, fault error, doing string) error {
	if fault == nil {
		fault = it.Error()
	}
	if err := it.Close(); fault == nil {
		fault = err
	}
	if fault == nil {
		return nil
	}
	if !errors.Is(fault, ErrDamaged) {
		fault = readError(doing, fault)
	}
	j.log.Error("event store cannot be read", "error", fault)
	return fault
}

// Head gives the head of a stream as it is on disk, waiting for a write of this stream that is on its way there.
func (j *Journal) Head(ctx context.Context, stream string) (Head, error) {
	release, err := j.reading()
	if err != nil {
		return Head{}, err
	}
	defer release()
	h, ok := j.heads.Get(stream)
	if !ok {
		if h, err = j.loadHead(putHeadKey(nil, stream)); err != nil {
			return Head{}, err
		}
	}
	for {
		durable, changed := j.Durable()
		if durable >= h.Changed {
			break
		}
		select {
		case <-changed:
		case <-j.failed:
			return Head{}, j.Err()
		case <-ctx.Done():
			return Head{}, ctx.Err()
		}
	}
	return h.withImplied(stream), nil
}

// Stream visits the visible events of a stream whose head is h, from a revision on, that one included.
func (j *Journal) Stream(stream string, h Head, from int64, backwards bool, visit Visit) error {
	if h.ID == 0 || h.Last < 0 {
		return nil
	}
	release, err := j.reading()
	if err != nil {
		return err
	}
	defer release()
	low, high := h.First(), h.Last
	if backwards {
		high = min(high, from)
	} else {
		low = max(low, from)
	}
	if low > high {
		return nil
	}
	index, err := j.db.NewIter(&pebble.IterOptions{
		LowerBound: putIndexKey(nil, h.ID, low),
		UpperBound: putIndexKey(nil, h.ID, high+1),
	})
	if err != nil {
		return readError("read the index", err)
	}
	// A clone sees exactly what the index iterator sees, whatever is reclaimed meanwhile.
	events, err := index.Clone(pebble.CloneOptions{IterOptions: &pebble.IterOptions{
		LowerBound: putEventKey(nil, 0), UpperBound: putEventKey(nil, math.MaxUint64),
	}})
	if err != nil {
		return errors.Join(readError("read the log", err), index.Close())
	}
	fault := scanStream(stream, index, events, backwards, j.oldest(h.Limits.MaxAge), visit)
	doing := fmt.Sprintf("read stream %q", stream)
	return errors.Join(j.endScan(events, fault, doing), j.endScan(index, nil, doing))
}

// oldest is the creation tick below which events are too old to be visible.
func (j *Journal) oldest(maxAge int64) int64 {
	if maxAge <= 0 || maxAge > math.MaxInt64/int64(time.Second) {
		return math.MinInt64
	}
	return (j.opts.Now().UnixNano() - maxAge*int64(time.Second)) / 100
}

func scanStream(stream string, index, events *pebble.Iterator, backwards bool, oldest int64, visit Visit) error {
	step, ok := index.Next, false
	if backwards {
		step, ok = index.Prev, index.Last()
	} else {
		ok = index.First()
	}
	key := make([]byte, 0, eventKey)
	for ; ok; ok = step() {
		revision := revisionOf(index.Key())
		entry, whole := parseIndexValue(index.Value())
		if !whole {
			return damaged("index of stream %q, revision %d", stream, revision)
		}
		key = putEventKey(key[:0], entry.position)
		if !events.SeekGE(key) || positionOf(events.Key()) != entry.position {
			if err := events.Error(); err != nil {
				return err
			}
			return damaged("event %d of stream %q, position %d, is missing", revision, stream, entry.position)
		}
		r, whole := parseRecord(entry.position, events.Value())
		if !whole || r.Revision != revision || string(r.Stream) != stream {
			return damaged("event %d of stream %q, position %d", revision, stream, entry.position)
		}
		if r.Created < oldest {
			continue
		}
		if !visit(&r) {
			return nil
		}
	}
	return nil
}

// event visits the one event at a position.
func (j *Journal) event(position uint64, visit func(*Record)) error {
	value, closer, err := j.db.Get(putEventKey(nil, position))
	if errors.Is(err, pebble.ErrNotFound) {
		return damaged("event at position %d is missing", position)
	}
	if err != nil {
		return readError(fmt.Sprintf("read the event at position %d", position), err)
	}
	r, ok := parseRecord(position, value)
	if !ok {
		return errors.Join(damaged("event at position %d", position), closer.Close())
	}
	visit(&r)
	return closer.Close()
}
