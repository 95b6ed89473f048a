package node

import (
	"context"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"waybill/events/node/journal"
)

// Delete hides a stream's events; the next append goes on with its numbering.
func (s *streamsService) Delete(ctx context.Context, req *streams.DeleteReq) (*streams.DeleteResp, error) {
	var e expectation
	switch r := req.GetOptions().GetExpectedStreamRevision().(type) {
	case *streams.DeleteReq_Options_Revision:
		e = revision(r.Revision)
	case *streams.DeleteReq_Options_NoStream:
		e = word(journal.NoStream)
	case *streams.DeleteReq_Options_Any:
		e = word(journal.Any)
	case *streams.DeleteReq_Options_StreamExists:
		e = word(journal.StreamExists)
	}
	stream, expected, err := e.parse("delete", req.GetOptions().GetStreamIdentifier())
	if err != nil {
		return nil, err
	}
	written, err := s.node.journal.Delete(ctx, stream, expected)
	if err != nil {
		return nil, refuse(unaryTrailers{ctx}, err)
	}
	return &streams.DeleteResp{PositionOption: &streams.DeleteResp_Position_{
		Position: &streams.DeleteResp_Position{CommitPosition: written.Position, PreparePosition: written.Position},
	}}, nil
}

// Tombstone ends a stream for ever.
func (s *streamsService) Tombstone(ctx context.Context, req *streams.TombstoneReq) (*streams.TombstoneResp, error) {
	var e expectation
	switch r := req.GetOptions().GetExpectedStreamRevision().(type) {
	case *streams.TombstoneReq_Options_Revision:
		e = revision(r.Revision)
	case *streams.TombstoneReq_Options_NoStream:
		e = word(journal.NoStream)
	case *streams.TombstoneReq_Options_Any:
		e = word(journal.Any)
	case *streams.TombstoneReq_Options_StreamExists:
		e = word(journal.StreamExists)
	}
	stream, expected, err := e.parse("tombstone", req.GetOptions().GetStreamIdentifier())
	if err != nil {
		return nil, err
	}
	written, err := s.node.journal.Tombstone(ctx, stream, expected)
	if err != nil {
		return nil, refuse(unaryTrailers{ctx}, err)
	}
	return &streams.TombstoneResp{PositionOption: &streams.TombstoneResp_Position_{
		Position: &streams.TombstoneResp_Position{CommitPosition: written.Position, PreparePosition: written.Position},
	}}, nil
}
