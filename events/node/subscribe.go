package node

import (
	"context"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"waybill/events/node/journal"
)

// subscribe sends what there is, says that the caller has caught up, and goes on with what comes. It reads the store at
// the pace of the receiver: who is slow falls behind and reads from disk again, and is told when he has caught up again.
func (s *streamsService) subscribe(r *reading, call streams.Streams_ReadServer) error {
	confirmation := &streams.ReadResp{Content: &streams.ReadResp_Confirmation{
		Confirmation: &streams.ReadResp_SubscriptionConfirmation{SubscriptionId: s.node.cfg.NewID().String()},
	}}
	var source feed
	if r.stream == "" || r.stream == allStream {
		source = newAllFeed(s.node.journal, r)
	} else {
		f, err := newStreamFeed(call.Context(), s.node.journal, r)
		if err != nil {
			return err
		}
		source = f
	}
	if err := call.Send(confirmation); err != nil {
		return err
	}
	return s.follow(call, s.page(r), source)
}

// feed is where a subscription gets its events from.
type feed interface {
	// fill adds what follows to the page; more tells that the page was full before the end was reached.
	fill(ctx context.Context, p *page) (more bool, err error)
	// caughtUp adds what is to be said besides when the end is reached.
	caughtUp(p *page)
}

func (s *streamsService) follow(call streams.Streams_ReadServer, p *page, source feed) error {
	j := s.node.journal
	for live := false; ; {
		_, changed := j.Durable()
		p.reset()
		more, err := source.fill(call.Context(), p)
		if err != nil {
			return err
		}
		if more {
			live = false
		} else if !live {
			live = true
			source.caughtUp(p)
			p.items = append(p.items, &streams.ReadResp{Content: &streams.ReadResp_CaughtUp_{CaughtUp: &streams.ReadResp_CaughtUp{}}})
		}
		if err := p.send(call, j); err != nil {
			return err
		}
		if more {
			continue
		}
		select {
		case <-changed:
		case <-s.node.stopping:
			return errStopping
		case <-call.Context().Done():
			return call.Context().Err()
		}
	}
}

// allFeed follows the log.
type allFeed struct {
	journal    *journal.Journal
	reading    *reading
	after      uint64 // position of the last event considered
	considered int    // since the last checkpoint
	checkpoint uint64 // the last one sent
}

func newAllFeed(j *journal.Journal, r *reading) *allFeed {
	f := &allFeed{journal: j, reading: r}
	switch {
	case r.end:
		f.after, _ = j.Durable()
	case !r.start:
		f.after = r.position
	}
	f.checkpoint = f.after
	return f
}

func (f *allFeed) fill(_ context.Context, p *page) (more bool, err error) {
	err = f.journal.All(f.after+1, false, func(rec *journal.Record) bool {
		if p.full() {
			more = true
			return false
		}
		f.after = rec.Position
		p.considered++
		f.considered++
		if f.reading.filter.Match(rec.Stream, rec.Type) {
			p.add(rec)
		}
		if f.reading.filter != nil && f.considered >= f.reading.interval {
			f.addCheckpoint(p)
		}
		return true
	})
	return more, err
}

func (f *allFeed) caughtUp(p *page) {
	if f.reading.filter != nil && f.after > f.checkpoint {
		f.addCheckpoint(p)
	}
}

// addCheckpoint says that nothing up to here needs to be looked at again.
func (f *allFeed) addCheckpoint(p *page) {
	p.items = append(p.items, &streams.ReadResp{Content: &streams.ReadResp_Checkpoint_{
		Checkpoint: &streams.ReadResp_Checkpoint{CommitPosition: f.after, PreparePosition: f.after},
	}})
	f.checkpoint, f.considered = f.after, 0
}

// streamFeed follows one stream, which need not exist yet.
type streamFeed struct {
	journal *journal.Journal
	stream  string
	after   int64 // revision of the last event sent
}

func newStreamFeed(ctx context.Context, j *journal.Journal, r *reading) (*streamFeed, error) {
	f := &streamFeed{journal: j, stream: r.stream, after: -1}
	head, err := j.Head(ctx, r.stream)
	if err != nil {
		return nil, err
	}
	if head.Tombstoned {
		return nil, &journal.Deleted{Stream: r.stream}
	}
	switch {
	case r.end:
		f.after = head.Last
	case !r.start:
		f.after = r.revision
	}
	return f, nil
}

func (f *streamFeed) fill(ctx context.Context, p *page) (more bool, err error) {
	head, err := f.journal.Head(ctx, f.stream)
	if err != nil {
		return false, err
	}
	if head.Tombstoned {
		return false, &journal.Deleted{Stream: f.stream}
	}
	if head.Last <= f.after || head.SoftDeleted() {
		return false, nil
	}
	err = f.journal.Stream(f.stream, head, f.after+1, false, func(rec *journal.Record) bool {
		if p.full() {
			more = true
			return false
		}
		f.after = rec.Revision
		p.add(rec)
		return true
	})
	return more, err
}

func (f *streamFeed) caughtUp(*page) {}
