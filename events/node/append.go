package node

import (
	"encoding/binary"
	"errors"
	"io"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"

	"waybill/events/node/journal"
)

// streamsService is the protocol's service of streams.
type streamsService struct {
	streams.UnimplementedStreamsServer
	node *Node
}

// Append takes one transaction. Whatever is wrong with it, the request is read to its end before the answer: a client
// that is answered while it still sends learns nothing but "EOF".
func (s *streamsService) Append(call streams.Streams_AppendServer) error {
	a, err := s.receiveAppend(call)
	if err != nil {
		return err
	}
	written, err := s.node.journal.Append(call.Context(), a)
	var wrong *journal.WrongExpected
	if errors.As(err, &wrong) {
		return call.SendAndClose(&streams.AppendResp{Result: wrongExpected(wrong)})
	}
	if err != nil {
		return refuse(call, err)
	}
	return call.SendAndClose(&streams.AppendResp{Result: appended(written)})
}

func (s *streamsService) receiveAppend(call streams.Streams_AppendServer) (journal.Append, error) {
	var a journal.Append
	var refusal error
	for first, size := true, 0; ; first = false {
		req, err := call.Recv()
		if errors.Is(err, io.EOF) {
			if first {
				refusal = invalid("append: no options were sent")
			}
			return a, refusal
		}
		if err != nil {
			return a, err
		}
		if refusal != nil {
			continue
		}
		if first {
			if a, refusal = appendOptions(req.GetOptions()); a.Stream == allStream {
				refusal = accessDenied(call)
			}
			continue
		}
		m := req.GetProposedMessage()
		if m == nil {
			refusal = invalid("append: options were sent twice")
			continue
		}
		var e journal.Event
		if e, refusal = proposed(call, m); refusal != nil {
			continue
		}
		if size += e.Size(); size > s.node.cfg.MaxAppendSize {
			refusal, a.Events = tooLarge(call, s.node.cfg.MaxAppendSize), nil
			continue
		}
		a.Events = append(a.Events, e)
	}
}

func appendOptions(o *streams.AppendReq_Options) (a journal.Append, err error) {
	var e expectation
	switch r := o.GetExpectedStreamRevision().(type) {
	case *streams.AppendReq_Options_Revision:
		e = revision(r.Revision)
	case *streams.AppendReq_Options_NoStream:
		e = word(journal.NoStream)
	case *streams.AppendReq_Options_Any:
		e = word(journal.Any)
	case *streams.AppendReq_Options_StreamExists:
		e = word(journal.StreamExists)
	}
	a.Stream, a.Expected, err = e.parse("append", o.GetStreamIdentifier())
	return a, err
}

// proposal is what the two append calls have in common.
type proposal interface {
	GetId() *shared.UUID
	GetMetadata() map[string]string
	GetCustomMetadata() []byte
	GetData() []byte
}

func proposed(to trailers, m proposal) (e journal.Event, err error) {
	meta := m.GetMetadata()
	eventType, ok := meta[metadataType]
	if !ok {
		return e, missingMetadata(to, metadataType)
	}
	contentType, ok := meta[metadataContent]
	if !ok {
		return e, missingMetadata(to, metadataContent)
	}
	id, err := idOf(m.GetId())
	if err != nil {
		return e, err
	}
	return journal.Event{
		ID: id, Type: eventType, JSON: contentType == contentTypeJSON, Data: m.GetData(), Metadata: m.GetCustomMetadata(),
	}, nil
}

func idOf(id *shared.UUID) (out uuid.UUID, err error) {
	switch v := id.GetValue().(type) {
	case *shared.UUID_Structured_:
		binary.BigEndian.PutUint64(out[:8], uint64(v.Structured.GetMostSignificantBits()))
		binary.BigEndian.PutUint64(out[8:], uint64(v.Structured.GetLeastSignificantBits()))
		return out, nil
	case *shared.UUID_String_:
		if out, err = uuid.Parse(v.String_); err != nil {
			return out, invalid("event id %q is no UUID", v.String_)
		}
		return out, nil
	}
	return out, invalid("an event has no id")
}

func appended(w journal.Written) *streams.AppendResp_Success_ {
	success := &streams.AppendResp_Success{
		CurrentRevisionOption: &streams.AppendResp_Success_NoStream{NoStream: &shared.Empty{}},
		PositionOption:        &streams.AppendResp_Success_NoPosition{NoPosition: &shared.Empty{}},
	}
	if w.Revision >= 0 {
		success.CurrentRevisionOption = &streams.AppendResp_Success_CurrentRevision{CurrentRevision: uint64(w.Revision)}
	}
	if w.Position > 0 {
		success.PositionOption = &streams.AppendResp_Success_Position{
			Position: &streams.AppendResp_Position{CommitPosition: w.Position, PreparePosition: w.Position},
		}
	}
	return &streams.AppendResp_Success_{Success: success}
}

// wrongExpected fills the fields of today's clients and those of the oldest ones.
func wrongExpected(w *journal.WrongExpected) *streams.AppendResp_WrongExpectedVersion_ {
	out := &streams.AppendResp_WrongExpectedVersion{}
	if w.Current >= 0 {
		current := uint64(w.Current)
		out.CurrentRevisionOption = &streams.AppendResp_WrongExpectedVersion_CurrentRevision{CurrentRevision: current}
		out.CurrentRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_CurrentRevision_20_6_0{CurrentRevision_20_6_0: current}
	} else {
		out.CurrentRevisionOption = &streams.AppendResp_WrongExpectedVersion_CurrentNoStream{CurrentNoStream: &shared.Empty{}}
		out.CurrentRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_NoStream_20_6_0{NoStream_20_6_0: &shared.Empty{}}
	}
	switch w.Expected {
	case journal.Any:
		out.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedAny{ExpectedAny: &shared.Empty{}}
		out.ExpectedRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_Any_20_6_0{Any_20_6_0: &shared.Empty{}}
	case journal.StreamExists:
		out.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedStreamExists{ExpectedStreamExists: &shared.Empty{}}
		out.ExpectedRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_StreamExists_20_6_0{StreamExists_20_6_0: &shared.Empty{}}
	case journal.NoStream:
		out.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedNoStream{ExpectedNoStream: &shared.Empty{}}
	default:
		out.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedRevision{ExpectedRevision: uint64(w.Expected)}
		out.ExpectedRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_ExpectedRevision_20_6_0{ExpectedRevision_20_6_0: uint64(w.Expected)}
	}
	return &streams.AppendResp_WrongExpectedVersion_{WrongExpectedVersion: out}
}
