package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"

	"waybill/events"
	"waybill/events/fault"
)

// Append writes events to a stream in one transaction, provided that the stream
// is at the expected revision, and returns the position of the last one.
//
// An answer that got lost is asked for again with the same event ids as long as
// the context and Config.Timeout allow; the server recognises the repetition.
// Errors: [*ConflictError] when the stream is elsewhere; [*UnknownOutcomeError]
// when it was sent and no answer came; fault.Unavailable when it could not even
// be sent; fault.Invalid for no events or too much data; fault.NotFound for a
// stream that was deleted for good.
func (s *Store) Append(ctx context.Context, stream string, expected events.Expected, evs []events.Proposed) (events.Position, error) {
	op := "append to stream " + stream
	if len(evs) == 0 {
		return events.Position{}, fmt.Errorf("%s: %w", op, fault.New(fault.Invalid, "no-events", "There is nothing to append."))
	}
	var at events.Position
	var sent bool
	err := s.call(ctx, op, func(ctx context.Context, l *link) error {
		var err error
		at, err = l.append(ctx, stream, expected, evs, &sent)
		return err
	})
	if err != nil && sent && (fault.Is(err, fault.Unavailable) || errors.Is(err, context.Canceled) || errors.Is(err, ErrClosed)) {
		return events.Position{}, &UnknownOutcomeError{Stream: stream, Err: err}
	}
	return at, err
}

// append makes one try. *sent becomes true before the first byte leaves.
func (l *link) append(ctx context.Context, stream string, expected events.Expected, evs []events.Proposed, sent *bool) (events.Position, error) {
	call, err := l.api.Append(ctx)
	if err != nil {
		return events.Position{}, &rpcError{err: err}
	}
	*sent = true
	err = call.Send(appendHeader(stream, expected))
	for i := 0; i < len(evs) && err == nil; i++ {
		err = call.Send(&streams.AppendReq{Content: &streams.AppendReq_ProposedMessage_{ProposedMessage: &streams.AppendReq_ProposedMessage{
			Id: protoUUID(evs[i].ID), Metadata: properties(evs[i]), CustomMetadata: bytesOf(evs[i].Metadata), Data: bytesOf(evs[i].Data),
		}}})
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return events.Position{}, &rpcError{err: err}
	}
	// io.EOF from Send: the call has ended before everything was sent, and what
	// was answered, or why it ended, is there to be received. It must not be
	// closed for sending then: that would make the part a whole.
	if err == nil {
		if err = call.CloseSend(); err != nil {
			return events.Position{}, &rpcError{err: err}
		}
	}
	resp := new(streams.AppendResp)
	if err := call.RecvMsg(resp); err != nil {
		return events.Position{}, &rpcError{err, call.Trailer()}
	}
	switch r := resp.GetResult().(type) {
	case *streams.AppendResp_Success_:
		p := r.Success.GetPosition()
		return events.Position{Commit: p.GetCommitPosition(), Prepare: p.GetPreparePosition()}, nil
	case *streams.AppendResp_WrongExpectedVersion_:
		actual := events.NoStream
		if w, ok := r.WrongExpectedVersion.GetCurrentRevisionOption().(*streams.AppendResp_WrongExpectedVersion_CurrentRevision); ok {
			actual = events.Expected(w.CurrentRevision)
		}
		return events.Position{}, &ConflictError{Stream: stream, Expected: expected, Actual: actual}
	default:
		return events.Position{}, malformed("an append's answer says neither success nor conflict")
	}
}

func appendHeader(stream string, expected events.Expected) *streams.AppendReq {
	o := &streams.AppendReq_Options{StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(stream)}}
	if expected == events.NoStream {
		o.ExpectedStreamRevision = &streams.AppendReq_Options_NoStream{NoStream: &shared.Empty{}}
	} else {
		o.ExpectedStreamRevision = &streams.AppendReq_Options_Revision{Revision: uint64(expected)}
	}
	return &streams.AppendReq{Content: &streams.AppendReq_Options_{Options: o}}
}

// properties are what the store itself keeps about an event.
func properties(e events.Proposed) map[string]string {
	return map[string]string{"type": e.Type, "content-type": "application/json"}
}

func protoUUID(id uuid.UUID) *shared.UUID {
	return &shared.UUID{Value: &shared.UUID_Structured_{Structured: &shared.UUID_Structured{
		MostSignificantBits:  int64(binary.BigEndian.Uint64(id[:8])),
		LeastSignificantBits: int64(binary.BigEndian.Uint64(id[8:])),
	}}}
}

func bytesOf(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
