package journal

import (
	"context"
	"errors"
	"math"

	"github.com/cockroachdb/pebble/v2"
)

// Scavenged says what a scavenge reclaimed.
type Scavenged struct {
	Streams int   // streams that lost events
	Events  int64 // events removed
}

// reclaimAtOnce bounds how many events are removed in one transaction.
const reclaimAtOnce = 1000

// Scavenge removes the events that no stream read shows any more, because of metadata or deletion, and gives their space
// back. Positions and revisions of all others stay. It may run beside everything else, and may be ended by ctx at any
// time: what was removed until then stays removed. Reads of the whole log no longer show what was removed.
func (j *Journal) Scavenge(ctx context.Context) (Scavenged, error) {
	var done Scavenged
	err := j.eachHead(ctx, func(stream string, h Head) error {
		events, err := j.reclaim(ctx, stream)
		if done.Events += events; events > 0 {
			done.Streams++
		}
		return err
	})
	if err != nil || done.Events == 0 {
		return done, err
	}
	release, err := j.reading()
	if err != nil {
		return done, err
	}
	defer release()
	return done, errors.Join(
		j.db.Compact(ctx, []byte{kindEvent}, []byte{kindEvent + 1}, false),
		j.db.Compact(ctx, []byte{kindIndex}, []byte{kindIndex + 1}, false),
	)
}

// eachHead visits every stream, without holding a view of the store while visit works.
func (j *Journal) eachHead(ctx context.Context, visit func(stream string, h Head) error) error {
	type entry struct {
		stream string
		head   Head
	}
	for from := []byte{kindHead}; from != nil; {
		var page []entry
		next, err := j.scanHeads(from, func(stream string, h Head) bool {
			page = append(page, entry{stream, h})
			return len(page) < 1000
		})
		if err != nil {
			return err
		}
		for _, e := range page {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := visit(e.stream, e.head); err != nil {
				return err
			}
		}
		from = next
	}
	return nil
}

// scanHeads visits heads from a key on until visit has enough; next is where to go on, nil at the end.
func (j *Journal) scanHeads(from []byte, visit func(stream string, h Head) bool) (next []byte, err error) {
	release, err := j.reading()
	if err != nil {
		return nil, err
	}
	defer release()
	it, err := j.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: []byte{kindHead + 1}})
	if err != nil {
		return nil, readError("read the heads", err)
	}
	var fault error
	for ok := it.First(); ok; ok = it.Next() {
		stream := string(it.Key()[1:])
		h, whole := parseHead(it.Value())
		if !whole {
			fault = damaged("the head of stream %q is not what was written", stream)
			break
		}
		if !visit(stream, h) {
			next = append(putHeadKey(nil, stream), 0)
			break
		}
	}
	return next, j.endScan(it, fault, "read the heads")
}

// reclaim removes what of one stream is out of sight.
func (j *Journal) reclaim(ctx context.Context, stream string) (removed int64, err error) {
	for {
		h, err := j.Head(ctx, stream)
		if err != nil {
			return removed, err
		}
		below, err := j.outOfSight(stream, h)
		if err != nil || below <= h.Reclaimed {
			return removed, err
		}
		var now int64
		err = j.change(ctx, func(b *builder) error {
			now, err = b.reclaim(stream, below)
			return err
		})
		if removed += now; err != nil || now == 0 {
			return removed, err
		}
	}
}

// outOfSight is the revision below which no event of the stream can be seen, at most reclaimAtOnce above what is
// reclaimed already.
func (j *Journal) outOfSight(stream string, h Head) (int64, error) {
	most := min(h.Reclaimed+reclaimAtOnce, h.Last+1)
	if h.Tombstoned {
		return most, nil
	}
	below := min(h.First(), most)
	oldest := j.oldest(h.Limits.MaxAge)
	if oldest == math.MinInt64 || below == most {
		return below, nil
	}
	// Age goes event by event; only a prefix is removed, so that what is left has no holes.
	aged := h
	aged.Limits = Limits{}
	err := j.Stream(stream, aged, max(below, h.Reclaimed), false, func(r *Record) bool {
		if r.Revision >= most || r.Created >= oldest {
			return false
		}
		below = r.Revision + 1
		return true
	})
	return below, err
}

// reclaim removes events below a revision, unless the stream changed so that they are to be seen again. The last event of
// the log stays: it is how the end of the log is known to be whole.
func (b *builder) reclaim(stream string, below int64) (removed int64, err error) {
	b.settle()
	h, err := b.head(stream)
	if err != nil {
		return 0, err
	}
	if limits := h.withImplied(stream); !h.Tombstoned && h.Limits.MaxAge == 0 {
		below = min(below, limits.First())
	}
	if h.ID == 0 || below <= h.Reclaimed {
		return 0, nil
	}
	it, err := b.j.db.NewIter(&pebble.IterOptions{
		LowerBound: putIndexKey(nil, h.ID, h.Reclaimed), UpperBound: putIndexKey(nil, h.ID, below),
	})
	if err != nil {
		return 0, readError("read the index", err)
	}
	batch := b.j.db.NewBatch()
	for ok := it.First(); ok && err == nil; ok = it.Next() {
		entry, whole := parseIndexValue(it.Value())
		if !whole {
			err = damaged("index of stream %q, revision %d", stream, revisionOf(it.Key()))
			break
		}
		if entry.position == b.tail.last {
			break
		}
		h.Reclaimed = revisionOf(it.Key()) + 1
		removed++
		err = errors.Join(batch.Delete(putEventKey(nil, entry.position), nil), batch.Delete(it.Key(), nil))
	}
	if err = b.j.endScan(it, err, "reclaim"); err != nil || removed == 0 {
		return 0, errors.Join(err, batch.Close())
	}
	b.batch = batch
	b.pending[stream] = &h
	return removed, nil
}
