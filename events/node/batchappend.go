package node

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/grpc/metadata"

	"waybill/events/node/journal"
)

// A call may have this many appends, and this many bytes of them, unanswered; then the node stops reading from it.
const (
	batchOutstanding = 4096
	batchBytes       = 32 << 20
)

// BatchAppend takes any number of appends over one call. Each may come in several parts, told apart by correlation id;
// each is a transaction of its own, and they are answered as they are done.
func (s *streamsService) BatchAppend(call streams.Streams_BatchAppendServer) error {
	b := &batchCall{
		service: s, call: call, open: map[uuid.UUID]*openBatch{},
		answers: make(chan batchReply, batchOutstanding),
	}
	b.room.L = &b.mu
	ctx, cancel := context.WithCancelCause(call.Context())
	defer cancel(nil)
	stop := context.AfterFunc(ctx, b.room.Broadcast)
	defer stop()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for answer := range b.answers {
			if ctx.Err() == nil {
				if err := call.Send(answer.resp); err != nil {
					cancel(err)
				}
			}
			b.give(answer.size)
		}
	}()
	err := b.receive(ctx)
	b.wait()
	close(b.answers)
	<-sent
	if err == nil {
		err = context.Cause(ctx)
	}
	return refuse(call, err)
}

// batchCall is the state of one call.
type batchCall struct {
	service *streamsService
	call    streams.Streams_BatchAppendServer
	open    map[uuid.UUID]*openBatch // appends whose last part has not come
	answers chan batchReply          // never full: it has room for all that may be outstanding

	mu          sync.Mutex
	room        sync.Cond
	outstanding int
	bytes       int
}

// batchReply is an answer, and the bytes it makes room for.
type batchReply struct {
	resp *streams.BatchAppendResp
	size int
}

// openBatch is an append of which parts have come.
type openBatch struct {
	append  journal.Append
	options *streams.BatchAppendReq_Options
	id      *shared.UUID
	size    int
}

func (b *batchCall) receive(ctx context.Context) error {
	for {
		req, err := b.call.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		o, refusal := b.collect(req)
		if refusal != nil {
			b.reply(ctx, &streams.BatchAppendResp{
				CorrelationId: req.GetCorrelationId(), StreamIdentifier: o.options.GetStreamIdentifier(),
				Result: &streams.BatchAppendResp_Error{Error: refusal},
			})
			continue
		}
		if o != nil {
			if err := b.submit(ctx, o); err != nil {
				return err
			}
		}
	}
}

func (b *batchCall) submit(ctx context.Context, o *openBatch) error {
	if err := b.take(ctx, o.size); err != nil {
		return err
	}
	err := b.service.node.journal.Submit(ctx, o.append, func(w journal.Written, err error) {
		b.answers <- batchReply{batchAnswer(o, w, err), o.size}
	})
	if err != nil {
		b.give(o.size)
	}
	return err
}

// reply answers what never became an append. It takes a place like one, so that answers cannot pile up.
func (b *batchCall) reply(ctx context.Context, answer *streams.BatchAppendResp) {
	if b.take(ctx, 0) == nil {
		b.answers <- batchReply{answer, 0}
	}
}

func (b *batchCall) take(ctx context.Context, size int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.outstanding >= batchOutstanding || b.bytes > 0 && b.bytes+size > batchBytes {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		b.room.Wait()
	}
	b.outstanding++
	b.bytes += size
	return nil
}

// give makes room when an answer is sent.
func (b *batchCall) give(size int) {
	b.mu.Lock()
	b.outstanding--
	b.bytes -= size
	b.mu.Unlock()
	b.room.Broadcast()
}

// wait returns when all answers are sent.
func (b *batchCall) wait() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.outstanding > 0 {
		b.room.Wait()
	}
}

// collect adds a part to its append; it gives the append when it is whole, and a refusal when it cannot be taken.
func (b *batchCall) collect(req *streams.BatchAppendReq) (*openBatch, *batchStatus) {
	id, err := idOf(req.GetCorrelationId())
	if err != nil {
		return &openBatch{options: req.GetOptions()}, badRequest("the correlation id is missing or no UUID")
	}
	o := b.open[id]
	if o == nil {
		if req.GetOptions() == nil {
			return nil, nil // a later part of what was refused already
		}
		o = &openBatch{options: req.GetOptions(), id: req.GetCorrelationId()}
		if refusal := o.begin(b.service.node.cfg.Now()); refusal != nil {
			return o, refusal
		}
		b.open[id] = o
	}
	for _, m := range req.GetProposedMessages() {
		e, err := proposed(noTrailers{}, m)
		if err != nil {
			delete(b.open, id)
			return o, badRequest(err.Error())
		}
		if o.size += e.Size(); o.size > b.service.node.cfg.MaxAppendSize {
			delete(b.open, id)
			return o, batchTooLarge(b.service.node.cfg.MaxAppendSize)
		}
		o.append.Events = append(o.append.Events, e)
	}
	if !req.GetIsFinal() {
		return nil, nil
	}
	delete(b.open, id)
	return o, nil
}

// begin reads the options of an append.
func (o *openBatch) begin(now time.Time) *batchStatus {
	var e expectation
	switch r := o.options.GetExpectedStreamPosition().(type) {
	case *streams.BatchAppendReq_Options_StreamPosition:
		e = revision(r.StreamPosition)
	case *streams.BatchAppendReq_Options_NoStream:
		e = word(journal.NoStream)
	case *streams.BatchAppendReq_Options_Any:
		e = word(journal.Any)
	case *streams.BatchAppendReq_Options_StreamExists:
		e = word(journal.StreamExists)
	}
	var err error
	if o.append.Stream, o.append.Expected, err = e.parse("batch append", o.options.GetStreamIdentifier()); err != nil {
		return badRequest(err.Error())
	}
	switch d := o.options.GetDeadlineOption().(type) {
	case *streams.BatchAppendReq_Options_Deadline:
		o.append.Deadline = now.Add(d.Deadline.AsDuration())
	case *streams.BatchAppendReq_Options_Deadline_21_10_0:
		o.append.Deadline = d.Deadline_21_10_0.AsTime()
	}
	if !o.append.Deadline.IsZero() && !now.Before(o.append.Deadline) {
		return batchTimeout()
	}
	return nil
}

// noTrailers is for answers that say everything in their body.
type noTrailers struct{}

func (noTrailers) SetTrailer(metadata.MD) {}
