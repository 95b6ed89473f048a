package journal

import (
	"context"
	"time"
)

// Append is one transaction on one stream.
type Append struct {
	Stream   string
	Expected int64 // a revision, or NoStream, Any, StreamExists
	Events   []Event
	Deadline time.Time // not written when taken up later than this, by Options.Now; zero = none
}

// Written is the answer to an append that holds.
type Written struct {
	Revision int64  // of the stream's last event as of this append; -1 = none
	Position uint64 // of the last event of this append; 0 = it had none
}

// kind is what a request asks for.
type kind uint8

const (
	kindAppend kind = iota
	kindDelete
	kindTombstone
	kindWrite // see change
)

type request struct {
	ctx    context.Context // of who waits; nil = nobody does
	kind   kind
	append Append
	apply  func(*builder) error // kindWrite
	answer func(Written, error)

	// The outcome, kept until the group is on disk.
	written Written
	err     error
}

// Append appends and waits until the events are on disk. The errors it names: *WrongExpected, *Deleted, ErrTimeout,
// ErrClosed, ErrFailed, ErrDamaged. When ctx ends first the outcome is unknown; appending the same events with the
// same expected revision again settles it.
func (j *Journal) Append(ctx context.Context, a Append) (Written, error) {
	return j.wait(ctx, &request{append: a})
}

// Delete soft-deletes a stream: its events are no longer read, its numbering goes on with the next append.
func (j *Journal) Delete(ctx context.Context, stream string, expected int64) (Written, error) {
	return j.wait(ctx, &request{kind: kindDelete, append: Append{Stream: stream, Expected: expected}})
}

// Tombstone deletes a stream for ever.
func (j *Journal) Tombstone(ctx context.Context, stream string, expected int64) (Written, error) {
	return j.wait(ctx, &request{kind: kindTombstone, append: Append{Stream: stream, Expected: expected}})
}

// Submit appends and calls answer once, from another goroutine, when the outcome is on disk; answer must not block.
// Submit itself waits only while too many appends are queued, and returns an error when nothing was submitted.
func (j *Journal) Submit(ctx context.Context, a Append, answer func(Written, error)) error {
	return j.submit(ctx, &request{append: a, answer: answer})
}

func (j *Journal) wait(ctx context.Context, r *request) (Written, error) {
	r.ctx = ctx
	answered := make(chan struct{})
	r.answer = func(Written, error) { close(answered) }
	if err := j.submit(ctx, r); err != nil {
		return Written{}, err
	}
	select {
	case <-answered:
		return r.written, r.err
	case <-ctx.Done():
		return Written{}, ctx.Err()
	}
}

func (j *Journal) submit(ctx context.Context, r *request) error {
	select {
	case <-j.stop:
		return ErrClosed
	default:
	}
	select {
	case j.queue <- r:
		// Close may have begun in between: then the committer is draining, or has drained, the queue.
		select {
		case <-j.done:
			j.refuseQueued()
		default:
		}
		return nil
	case <-j.stop:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// refuseQueued answers what was queued too late to be taken up.
func (j *Journal) refuseQueued() {
	for {
		select {
		case r := <-j.queue:
			r.err = ErrClosed
			r.answer(r.written, r.err)
		default:
			return
		}
	}
}
