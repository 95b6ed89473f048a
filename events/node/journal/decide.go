package journal

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// decide applies the rules of expected revisions and writes what may be written.
func (b *builder) decide(r *request) (Written, error) {
	if r.kind == kindWrite {
		if b.batch == nil {
			b.batch = b.j.db.NewBatch()
		}
		return Written{}, r.apply(b)
	}
	a := &r.append
	h, err := b.head(a.Stream)
	if err != nil {
		return Written{}, err
	}
	if h.Tombstoned {
		return Written{}, &Deleted{a.Stream}
	}
	done, already, err := b.check(a, &h)
	if err != nil || already {
		return done, err
	}
	switch r.kind {
	case kindDelete:
		return b.softDelete(a.Stream)
	case kindTombstone:
		return b.tombstone(a.Stream, &h), nil
	}
	if len(a.Events) == 0 {
		return Written{Revision: h.Last}, nil
	}
	if described, ok := metadataOf(a.Stream); ok {
		if _, err := b.head(described); err != nil { // while nothing is written yet
			return Written{}, err
		}
	}
	now := b.j.opts.Now()
	if h.SoftDeleted() {
		if err := b.undelete(a.Stream, &h); err != nil {
			return Written{}, err
		}
	}
	written := b.write(a.Stream, &h, now, a.Events)
	return written, b.followMetadata(a.Stream, a.Events)
}

// check compares the expected revision with the stream; already means that these very events were appended before, and
// done is what was answered then.
func (b *builder) check(a *Append, h *Head) (done Written, already bool, err error) {
	wrong := &WrongExpected{Stream: a.Stream, Expected: a.Expected, Current: h.Last}
	switch {
	case a.Expected == StreamExists && h.SoftDeleted():
		return done, false, &Deleted{a.Stream}
	case a.Expected == StreamExists && h.Last < 0 && !h.HasMeta:
		return done, false, wrong
	case a.Expected == Any || a.Expected == StreamExists:
		return b.checkRecent(a, h, wrong)
	case a.Expected < NoStream || a.Expected > h.Last:
		return done, false, wrong
	case a.Expected == h.Last:
		return done, false, nil
	}
	// The stream is further than expected: either these events are there already, or somebody else's are.
	if _, unsettled := b.pending[a.Stream]; unsettled {
		b.settle()
	}
	first, last, same, err := b.sameEvents(a, h)
	switch {
	case err != nil:
		return done, false, err
	case same:
		return Written{Revision: a.Expected + int64(len(a.Events)), Position: last}, true, nil
	case first && a.Expected == NoStream && h.SoftDeleted():
		return done, false, nil
	}
	return done, false, wrong
}

// checkRecent is the best-effort idempotency of appends that name no revision.
func (b *builder) checkRecent(a *Append, h *Head, wrong error) (done Written, already bool, err error) {
	if h.ID == 0 || len(a.Events) == 0 {
		return done, false, nil
	}
	for i := range a.Events {
		at, known := b.recent.find(h.ID, a.Events[i].ID)
		switch {
		case !known && i == 0:
			return done, false, nil
		case !known:
			return done, false, wrong
		}
		done = Written{Revision: at.revision, Position: at.position}
	}
	return done, true, nil
}

// sameEvents compares ids with the events behind the expected revision. first tells that already the first one differs
// (or that there is nothing to compare); last is the position of the last one compared.
func (b *builder) sameEvents(a *Append, h *Head) (first bool, last uint64, same bool, err error) {
	it, err := b.j.db.NewIter(&pebble.IterOptions{
		LowerBound: putIndexKey(nil, h.ID, a.Expected+1),
		UpperBound: putIndexKey(nil, h.ID, a.Expected+1+int64(len(a.Events))),
	})
	if err != nil {
		return false, 0, false, readError("read the index", err)
	}
	n, ok := 0, it.First()
	for ; ok && n < len(a.Events); n, ok = n+1, it.Next() {
		entry, whole := parseIndexValue(it.Value())
		if !whole {
			err = damaged("index of stream %q, revision %d", a.Stream, revisionOf(it.Key()))
			break
		}
		if entry.id != a.Events[n].ID || revisionOf(it.Key()) != a.Expected+1+int64(n) {
			break
		}
		last = entry.position
	}
	if err == nil {
		err = it.Error()
	}
	if closeErr := it.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return false, 0, false, readError(fmt.Sprintf("compare with stream %q", a.Stream), err)
	}
	return n == 0, last, n > 0 && n == len(a.Events), nil
}
