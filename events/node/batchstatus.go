package node

import (
	"errors"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/genproto/googleapis/rpc/code"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/emptypb"

	"waybill/events/node/journal"
)

// batchStatus is how a BatchAppend answer says what went wrong: each append has its own, the call goes on.
type batchStatus = rpcstatus.Status

func newBatchStatus(c code.Code, message string, details proto.Message) *batchStatus {
	s := &batchStatus{Code: int32(c), Message: message}
	if packed, err := anypb.New(details); err == nil {
		s.Details = []*anypb.Any{packed}
	}
	return s
}

func badRequest(message string) *batchStatus {
	return newBatchStatus(code.Code_INVALID_ARGUMENT, "BadRequest", &shared.BadRequest{Message: message})
}

func batchTimeout() *batchStatus {
	return newBatchStatus(code.Code_DEADLINE_EXCEEDED, "Timeout", &shared.Timeout{})
}

func batchTooLarge(limit int) *batchStatus {
	return newBatchStatus(code.Code_INVALID_ARGUMENT, "MaximumAppendSizeExceeded",
		&shared.MaximumAppendSizeExceeded{MaxAppendSize: uint32(limit)})
}

func batchError(o *openBatch, err error) *batchStatus {
	var wrong *journal.WrongExpected
	var deleted *journal.Deleted
	switch {
	case errors.As(err, &wrong):
		return newBatchStatus(code.Code_ALREADY_EXISTS, "WrongExpectedVersion", batchWrongExpected(wrong))
	case errors.As(err, &deleted):
		return newBatchStatus(code.Code_NOT_FOUND, "StreamDeleted", &shared.StreamDeleted{StreamIdentifier: o.options.GetStreamIdentifier()})
	case errors.Is(err, journal.ErrTimeout):
		return batchTimeout()
	case errors.Is(err, journal.ErrDamaged):
		return newBatchStatus(code.Code_DATA_LOSS, err.Error(), &shared.Unknown{})
	case errors.Is(err, journal.ErrClosed), errors.Is(err, journal.ErrFailed):
		return newBatchStatus(code.Code_UNAVAILABLE, err.Error(), &shared.Unknown{})
	}
	return newBatchStatus(code.Code_UNKNOWN, "Unknown", &shared.Unknown{})
}

func batchWrongExpected(w *journal.WrongExpected) *shared.WrongExpectedVersion {
	out := &shared.WrongExpectedVersion{
		CurrentStreamRevisionOption: &shared.WrongExpectedVersion_CurrentNoStream{CurrentNoStream: &emptypb.Empty{}},
	}
	if w.Current >= 0 {
		out.CurrentStreamRevisionOption = &shared.WrongExpectedVersion_CurrentStreamRevision{CurrentStreamRevision: uint64(w.Current)}
	}
	switch w.Expected {
	case journal.Any:
		out.ExpectedStreamPositionOption = &shared.WrongExpectedVersion_ExpectedAny{ExpectedAny: &emptypb.Empty{}}
	case journal.StreamExists:
		out.ExpectedStreamPositionOption = &shared.WrongExpectedVersion_ExpectedStreamExists{ExpectedStreamExists: &emptypb.Empty{}}
	case journal.NoStream:
		out.ExpectedStreamPositionOption = &shared.WrongExpectedVersion_ExpectedNoStream{ExpectedNoStream: &emptypb.Empty{}}
	default:
		out.ExpectedStreamPositionOption = &shared.WrongExpectedVersion_ExpectedStreamPosition{ExpectedStreamPosition: uint64(w.Expected)}
	}
	return out
}

// batchAnswer says how an append ended, repeating what it was about.
func batchAnswer(o *openBatch, w journal.Written, err error) *streams.BatchAppendResp {
	answer := &streams.BatchAppendResp{CorrelationId: o.id, StreamIdentifier: o.options.GetStreamIdentifier()}
	switch e := o.options.GetExpectedStreamPosition().(type) {
	case *streams.BatchAppendReq_Options_StreamPosition:
		answer.ExpectedStreamPosition = &streams.BatchAppendResp_StreamPosition{StreamPosition: e.StreamPosition}
	case *streams.BatchAppendReq_Options_NoStream:
		answer.ExpectedStreamPosition = &streams.BatchAppendResp_NoStream{NoStream: &emptypb.Empty{}}
	case *streams.BatchAppendReq_Options_Any:
		answer.ExpectedStreamPosition = &streams.BatchAppendResp_Any{Any: &emptypb.Empty{}}
	case *streams.BatchAppendReq_Options_StreamExists:
		answer.ExpectedStreamPosition = &streams.BatchAppendResp_StreamExists{StreamExists: &emptypb.Empty{}}
	}
	if err != nil {
		answer.Result = &streams.BatchAppendResp_Error{Error: batchError(o, err)}
		return answer
	}
	success := &streams.BatchAppendResp_Success{
		CurrentRevisionOption: &streams.BatchAppendResp_Success_NoStream{NoStream: &emptypb.Empty{}},
		PositionOption:        &streams.BatchAppendResp_Success_NoPosition{NoPosition: &emptypb.Empty{}},
	}
	if w.Revision >= 0 {
		success.CurrentRevisionOption = &streams.BatchAppendResp_Success_CurrentRevision{CurrentRevision: uint64(w.Revision)}
	}
	if w.Position > 0 {
		success.PositionOption = &streams.BatchAppendResp_Success_Position{
			Position: &shared.AllStreamPosition{CommitPosition: w.Position, PreparePosition: w.Position},
		}
	}
	answer.Result = &streams.BatchAppendResp_Success_{Success: success}
	return answer
}
