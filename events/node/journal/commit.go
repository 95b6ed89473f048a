package journal

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// Appends are decided and written by one goroutine, in groups: whatever is queued while the disk works becomes the next
// group. Under load groups overlap: while one is on its way to the disk the next is decided, seeing the heads that the one
// before leaves. Without load the committer waits for the disk itself, which saves waking another goroutine. Answers go
// out in order, each group's after its fsync; if that fails, nothing behind it is answered as written.

// The size of a group, beyond which it goes to disk as it is.
const (
	maxGroupBytes    = 4 << 20
	maxGroupRequests = 2048
)

// group is what shares one fsync.
type group struct {
	batch    *pebble.Batch // nil = nothing to write
	requests []*request
	last     uint64 // position of the log's last event behind this group
	err      error
}

func (j *Journal) commitLoop(t tail) {
	defer close(j.syncing)
	b := newBuilder(j, t)
	for {
		select {
		case r := <-j.queue:
			b.take(r)
		case <-j.stop:
			for {
				select {
				case r := <-j.queue:
					b.take(r)
					continue
				default:
				}
				b.flush()
				return
			}
		}
	gather:
		for !b.full() {
			select {
			case r := <-j.queue:
				b.take(r)
			default:
				break gather
			}
		}
		b.flush()
	}
}

// settleGroup sees a group to the disk: behind those that are under way, or at once when there are none and nothing else
// is waiting.
func (j *Journal) settleGroup(g *group) {
	if j.onWay.Load() == 0 && len(j.queue) == 0 {
		j.finish(g)
		return
	}
	j.onWay.Add(1)
	j.syncing <- g
}

func (j *Journal) syncLoop() {
	for g := range j.syncing {
		j.finish(g)
		j.onWay.Add(-1)
	}
	close(j.done)
	j.refuseQueued()
}

// finish waits for the disk, shows the group to readers, and answers.
func (j *Journal) finish(g *group) {
	if g.err == nil && j.Err() != nil {
		g.err = j.Err()
	}
	if g.batch != nil && g.err == nil {
		if err := g.batch.SyncWait(); err != nil {
			j.fail(err)
			g.err = j.Err()
		} else {
			_ = g.batch.Close() // a batch that failed may still be referred to by the engine
		}
	}
	if g.err == nil && g.last > j.durable.Load() {
		j.durable.Store(g.last)
		j.wake()
	}
	for _, r := range g.requests {
		if g.err != nil {
			r.written, r.err = Written{}, g.err
		}
		r.answer(r.written, r.err)
	}
}

// applyBatch hands the batch to the engine without waiting for the disk. The engine panics on a log that failed before.
func (j *Journal) applyBatch(batch *pebble.Batch) (err error) {
	defer func() {
		if p := recover(); p != nil {
			j.stuck.Store(true)
			err = fmt.Errorf("write the log: %v", p)
		}
	}()
	return j.db.ApplyNoSyncWait(batch, pebble.Sync)
}
