package store

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/emptypb"

	"waybill/events"
	"waybill/events/fault"
)

func batchRequest(id uint64, stream string, expected events.Expected, evs []events.Proposed, deadline time.Duration) *streams.BatchAppendReq {
	o := &streams.BatchAppendReq_Options{
		StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(stream)},
		DeadlineOption:   &streams.BatchAppendReq_Options_Deadline{Deadline: durationpb.New(deadline)},
	}
	if expected == events.NoStream {
		o.ExpectedStreamPosition = &streams.BatchAppendReq_Options_NoStream{NoStream: &emptypb.Empty{}}
	} else {
		o.ExpectedStreamPosition = &streams.BatchAppendReq_Options_StreamPosition{StreamPosition: uint64(expected)}
	}
	messages := make([]*streams.BatchAppendReq_ProposedMessage, len(evs))
	for i, e := range evs {
		messages[i] = &streams.BatchAppendReq_ProposedMessage{
			Id: protoUUID(e.ID), Metadata: properties(e), CustomMetadata: bytesOf(e.Metadata), Data: bytesOf(e.Data),
		}
	}
	return &streams.BatchAppendReq{
		CorrelationId: &shared.UUID{Value: &shared.UUID_Structured_{Structured: &shared.UUID_Structured{LeastSignificantBits: int64(id)}}},
		Options:       o, ProposedMessages: messages, IsFinal: true,
	}
}

// correlation returns the id of the request that an answer belongs to.
func correlation(id *shared.UUID) uint64 {
	if s := id.GetString_(); s != "" {
		if u, err := uuid.Parse(s); err == nil {
			return binary.BigEndian.Uint64(u[8:])
		}
	}
	return uint64(id.GetStructured().GetLeastSignificantBits())
}

// batchOutcome reads the answer to one append.
func batchOutcome(resp *streams.BatchAppendResp, stream string, expected events.Expected) (events.Position, error) {
	if ok := resp.GetSuccess(); ok != nil {
		return events.Position{Commit: ok.GetPosition().GetCommitPosition(), Prepare: ok.GetPosition().GetPreparePosition()}, nil
	}
	failed := resp.GetError()
	if failed == nil {
		return events.Position{}, malformed("an append's answer says neither success nor failure")
	}
	cause := fmt.Errorf("append to stream %s: %s: %s", stream, codes.Code(failed.GetCode()), failed.GetMessage())
	for _, d := range failed.GetDetails() {
		detail, err := d.UnmarshalNew()
		if err != nil {
			return events.Position{}, fmt.Errorf("%w (%v)", cause, err)
		}
		switch detail := detail.(type) {
		case *shared.WrongExpectedVersion:
			actual := events.NoStream
			if w, ok := detail.GetCurrentStreamRevisionOption().(*shared.WrongExpectedVersion_CurrentStreamRevision); ok {
				actual = events.Expected(w.CurrentStreamRevision)
			}
			return events.Position{}, &ConflictError{Stream: stream, Expected: expected, Actual: actual}
		case *shared.StreamDeleted:
			return events.Position{}, fault.Wrap(cause, fault.NotFound, "stream-deleted", "The stream was deleted for good.")
		case *shared.MaximumAppendSizeExceeded:
			return events.Position{}, fault.Wrap(cause, fault.Invalid, "append-too-large", "These events together are larger than the event store takes at once.")
		case *shared.AccessDenied, *shared.BadRequest, *shared.InvalidTransaction:
			return events.Position{}, cause
		case *shared.Timeout:
			return events.Position{}, unavailable(stream, cause)
		}
	}
	switch codes.Code(failed.GetCode()) {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Aborted, codes.ResourceExhausted, codes.Canceled:
		return events.Position{}, unavailable(stream, cause)
	}
	return events.Position{}, cause
}

func unavailable(stream string, cause error) error {
	return &UnknownOutcomeError{Stream: stream, Err: cause}
}
