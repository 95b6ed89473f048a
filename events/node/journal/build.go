package journal

import (
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// builder decides requests and collects what they write into the current group. Only the committer uses it.
type builder struct {
	j       *Journal
	tail    tail
	recent  *recent
	batch   *pebble.Batch
	pending map[string]*Head // heads that the current group changed
	group   *group
	key     []byte
}

func newBuilder(j *Journal, t tail) *builder {
	return &builder{j: j, tail: t, recent: newRecent(), pending: make(map[string]*Head), group: &group{}}
}

func (b *builder) full() bool {
	return len(b.group.requests) >= maxGroupRequests || b.batch != nil && b.batch.Len() >= maxGroupBytes
}

// take decides one request; its answer waits for the group.
func (b *builder) take(r *request) {
	if err := b.j.Err(); err != nil {
		r.err = err
	} else if r.late(b.j.opts.Now) {
		r.err = ErrTimeout
	} else {
		r.written, r.err = b.decide(r)
	}
	b.group.requests = append(b.group.requests, r)
}

// late tells whether nobody wants the request any more.
func (r *request) late(now func() time.Time) bool {
	return r.ctx != nil && r.ctx.Err() != nil || !r.append.Deadline.IsZero() && now().After(r.append.Deadline)
}

// flush sends the group on its way to the disk and begins the next.
func (b *builder) flush() {
	g := b.group
	if len(g.requests) == 0 && b.batch == nil {
		return
	}
	if b.batch != nil {
		for stream, head := range b.pending {
			b.key = putHeadKey(b.key[:0], stream)
			op := b.batch.SetDeferred(len(b.key), headSize)
			copy(op.Key, b.key)
			head.put(op.Value)
			b.finish(op)
		}
		op := b.batch.SetDeferred(len(tailKey), 16)
		copy(op.Key, tailKey)
		b.tail.put(op.Value)
		b.finish(op)
		g.batch = b.batch
		if err := b.j.applyBatch(g.batch); err != nil {
			b.j.fail(err)
			g.err = b.j.Err()
		}
		for stream, head := range b.pending {
			b.j.heads.Add(stream, *head)
		}
		clear(b.pending)
		b.batch = nil
	}
	g.last = b.tail.last
	b.group = &group{}
	b.j.settleGroup(g)
}

func (b *builder) finish(op *pebble.DeferredBatchOp) {
	if err := op.Finish(); err != nil { // only ever a batch of another kind
		b.j.fail(err)
	}
}

// head gives the stream's head as the requests before left it.
func (b *builder) head(stream string) (Head, error) {
	if h, ok := b.pending[stream]; ok {
		return *h, nil
	}
	if h, ok := b.j.heads.Get(stream); ok {
		return h, nil
	}
	b.key = putHeadKey(b.key[:0], stream)
	return b.j.loadHead(b.key)
}

func (j *Journal) loadHead(key []byte) (Head, error) {
	value, closer, err := j.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return noHead(), nil
	}
	if err != nil {
		return Head{}, readError(fmt.Sprintf("read the head of stream %q", key[1:]), err)
	}
	h, ok := parseHead(value)
	if !ok {
		err = damaged("the head of stream %q is not what was written", key[1:])
	}
	return h, errors.Join(err, closer.Close())
}

// settle makes what the group wrote readable through the engine; the fsync is still to come.
func (b *builder) settle() {
	if b.batch != nil {
		b.flush()
	}
}

// write adds events to the end of a stream.
func (b *builder) write(stream string, h *Head, now time.Time, events []Event) Written {
	created := now.UnixNano() / 100
	for i := range events {
		e := &events[i]
		revision := h.Last + 1
		position := b.put(stream, revision, created, e)
		if h.ID == 0 {
			h.ID = position
		}
		op := b.batch.SetDeferred(indexKey, indexValue)
		putIndexKey(op.Key[:0], h.ID, revision)
		putIndexValue(op.Value, indexEntry{position: position, id: e.ID})
		b.finish(op)
		h.Last, h.LastAt, h.Changed = revision, position, position
		b.recent.add(h.ID, e.ID, indexAt{revision, position})
	}
	b.pending[stream] = h
	return Written{Revision: h.Last, Position: h.LastAt}
}

// put adds one event to the end of the log.
func (b *builder) put(stream string, revision, created int64, e *Event) (position uint64) {
	if b.batch == nil {
		b.batch = b.j.db.NewBatch()
	}
	position = b.tail.next
	size := recordSize(stream, revision, e)
	op := b.batch.SetDeferred(eventKey, size)
	putEventKey(op.Key[:0], position)
	putRecord(op.Value, position, stream, revision, created, e)
	b.finish(op)
	b.tail = tail{last: position, next: position + uint64(size)}
	return position
}
