package store

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/google/uuid"
	"google.golang.org/grpc"
)

// maxReason is how many bytes of the reason for a refusal the server gets.
const maxReason = 1000

// membership is one call on which a member gets events and says what came of
// them. It outlives the member's context for as long as leaving takes.
type membership struct {
	reader   *reader
	incoming chan incoming
	held     context.Context // ends when the member's does, or the connection
	lose     context.CancelCauseFunc
	hang     context.CancelCauseFunc // ends the call at once
	ended    chan struct{}           // closed when nothing more comes
}

// incoming is an event as it came.
type incoming struct {
	Delivery
	id   uuid.UUID // under which the server knows it
	gone bool      // it is a link to an event that is no more
}

// join asks to be let in and waits for the confirmation.
func (m *member) join(ctx context.Context, l *link) (*membership, error) {
	rpc, hang := context.WithCancelCause(context.WithoutCancel(m.store.outgoing(ctx)))
	detach := context.AfterFunc(ctx, func() { hang(context.Cause(ctx)) })
	r, err := l.joinGroup(rpc, m.cfg)
	if err == nil {
		err = endOfCall(r.next())
	}
	if err == nil && r.frame.kind != frameConfirmation {
		err = malformed("a member of a group that is not let in first")
	}
	if err == nil && !detach() {
		err = context.Cause(ctx)
	}
	if err != nil {
		hang(nil)
		return nil, err
	}
	c := &membership{reader: r, hang: hang, incoming: make(chan incoming, 1), ended: make(chan struct{})}
	c.held, c.lose = context.WithCancelCause(ctx)
	if !m.store.start(func() { c.receive(rpc) }) {
		c.lose(nil)
		hang(nil)
		return nil, ErrClosed
	}
	return c, nil
}

func (l *link) joinGroup(ctx context.Context, cfg GroupConfig) (*reader, error) {
	call, err := l.cc.NewStream(ctx, &grpc.StreamDesc{StreamName: "Read", ServerStreams: true, ClientStreams: true},
		persistent.PersistentSubscriptions_Read_FullMethodName, grpc.ForceCodecV2(readCodec{}))
	if err != nil {
		return nil, &rpcError{err: err}
	}
	r := &reader{call: call}
	err = call.SendMsg(&persistent.ReadReq{Content: &persistent.ReadReq_Options_{Options: &persistent.ReadReq_Options{
		StreamOption: &persistent.ReadReq_Options_StreamIdentifier{StreamIdentifier: cfg.streamIdentifier()},
		GroupName:    cfg.Name,
		BufferSize:   1,
		UuidOption: &persistent.ReadReq_Options_UUIDOption{
			Content: &persistent.ReadReq_Options_UUIDOption_Structured{Structured: &shared.Empty{}},
		},
	}}})
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, r.fail(err)
	}
	return r, nil
}

// receive takes what the server sends, until the call ends.
func (c *membership) receive(rpc context.Context) {
	defer close(c.ended)
	for {
		if err := c.reader.next(); err != nil {
			c.lose(endOfCall(err))
			return
		}
		f := &c.reader.frame
		if f.kind != frameEvent {
			continue
		}
		in := incoming{Delivery: Delivery{Record: f.record, Retries: int(f.retries), Replayed: f.linked}, id: f.record.ID, gone: f.gone}
		if f.linked {
			in.id = f.link
		}
		select {
		case c.incoming <- in:
		case <-rpc.Done():
			return
		}
	}
}

// accept tells the server that an event is dealt with.
func (c *membership) accept(in incoming) {
	c.say(&persistent.ReadReq{Content: &persistent.ReadReq_Ack_{
		Ack: &persistent.ReadReq_Ack{Ids: []*shared.UUID{protoUUID(in.id)}},
	}})
}

// refuse tells the server to park an event or to hand it out again.
func (c *membership) refuse(in incoming, err error) {
	action := persistent.ReadReq_Nack_Retry
	if errors.Is(err, ErrPark) {
		action = persistent.ReadReq_Nack_Park
	}
	reason := err.Error()
	reason = strings.ToValidUTF8(reason[:min(len(reason), maxReason)], "")
	c.say(&persistent.ReadReq{Content: &persistent.ReadReq_Nack_{Nack: &persistent.ReadReq_Nack{
		Ids: []*shared.UUID{protoUUID(in.id)}, Action: action, Reason: reason,
	}}})
}

// say sends a word about an event. When it does not get through the event is the
// server's again, and the call is of no more use.
func (c *membership) say(word *persistent.ReadReq) {
	err := c.reader.call.SendMsg(word)
	if err != nil && !errors.Is(err, io.EOF) { // after io.EOF the receiver learns why
		c.lose(&rpcError{err: err})
	}
}

// leave ends the call in order and waits, so long at most, until the server has
// heard all that was said: what is on its way when a call is cut off is lost.
func (c *membership) leave(patience time.Duration) {
	if c.reader.call.CloseSend() != nil {
		return
	}
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case <-c.ended:
	case <-limit.C:
	}
}

// close ends the call at once.
func (c *membership) close() {
	c.lose(nil)
	c.hang(nil)
	<-c.ended
}
