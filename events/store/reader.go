package store

import (
	"context"
	"errors"
	"io"
	"math"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"

	"waybill/events"
)

// Direction says which way to read.
type Direction uint8

// The directions.
const (
	Forwards  Direction = iota // from old to new
	Backwards                  // from new to old
)

func (d Direction) proto() streams.ReadReq_Options_ReadDirection {
	if d == Backwards {
		return streams.ReadReq_Options_Backwards
	}
	return streams.ReadReq_Options_Forwards
}

// reader is one Read call: of a stream, of the log, or a subscription.
type reader struct {
	call  grpc.ClientStream
	frame frame
}

// read sends a request. Cancelling ctx ends the call.
func (l *link) read(ctx context.Context, o *streams.ReadReq_Options) (*reader, error) {
	o.UuidOption = &streams.ReadReq_Options_UUIDOption{
		Content: &streams.ReadReq_Options_UUIDOption_Structured{Structured: &shared.Empty{}},
	}
	if o.FilterOption == nil {
		o.FilterOption = &streams.ReadReq_Options_NoFilter{NoFilter: &shared.Empty{}}
	}
	call, err := l.cc.NewStream(ctx, &grpc.StreamDesc{StreamName: "Read", ServerStreams: true},
		streams.Streams_Read_FullMethodName, grpc.ForceCodecV2(readCodec{}))
	if err != nil {
		return nil, &rpcError{err: err}
	}
	r := &reader{call: call}
	if err := call.SendMsg(&streams.ReadReq{Options: o}); err != nil && !errors.Is(err, io.EOF) {
		return nil, r.fail(err)
	}
	if err := call.CloseSend(); err != nil {
		return nil, r.fail(err)
	}
	return r, nil
}

// next receives one message into r.frame; io.EOF at the end.
func (r *reader) next() error {
	err := r.call.RecvMsg(&r.frame)
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	if r.frame.bad != nil {
		return r.frame.bad
	}
	return r.fail(err)
}

func (r *reader) fail(err error) error { return &rpcError{err, r.call.Trailer()} }

// allOptions asks for the global log from a position: exclusive backwards,
// inclusive forwards, as the protocol has it. Zero is its start forwards and
// its end backwards.
func allOptions(from events.Position, d Direction, max uint64) *streams.ReadReq_Options {
	all := &streams.ReadReq_Options_AllOptions{}
	switch {
	case !from.IsZero():
		all.AllOption = &streams.ReadReq_Options_AllOptions_Position{
			Position: &streams.ReadReq_Options_Position{CommitPosition: from.Commit, PreparePosition: from.Prepare},
		}
	case d == Backwards:
		all.AllOption = &streams.ReadReq_Options_AllOptions_End{End: &shared.Empty{}}
	default:
		all.AllOption = &streams.ReadReq_Options_AllOptions_Start{Start: &shared.Empty{}}
	}
	return &streams.ReadReq_Options{
		StreamOption:  &streams.ReadReq_Options_All{All: all},
		ReadDirection: d.proto(),
		CountOption:   &streams.ReadReq_Options_Count{Count: min(max, math.MaxInt64)},
	}
}
