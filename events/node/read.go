package node

import (
	"math"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"waybill/events/node/journal"
)

// Read reads a stream or the whole log, once or as a subscription.
func (s *streamsService) Read(req *streams.ReadReq, call streams.Streams_ReadServer) error {
	r, err := parseRead(req.GetOptions())
	if err != nil {
		return err
	}
	switch {
	case r.live:
		err = s.subscribe(&r, call)
	case r.stream == "" || r.stream == allStream:
		err = s.readAll(&r, call)
	default:
		err = s.readStream(&r, call)
	}
	return refuse(call, err)
}

func (s *streamsService) page(r *reading) *page {
	return &page{encoder: encoder{stringIDs: r.stringIDs}, links: r.links}
}

// readAll sends events of the log up to what was its end when the call began.
func (s *streamsService) readAll(r *reading, call streams.Streams_ReadServer) error {
	end, _ := s.node.journal.Durable()
	from := r.position
	switch {
	case r.start:
		from = 0
	case r.end && r.backwards:
		from = math.MaxUint64
	case r.end:
		return nil
	}
	left := r.count
	p := s.page(r)
	for left > 0 {
		p.reset()
		more := false
		err := s.node.journal.All(from, r.backwards, func(rec *journal.Record) bool {
			if rec.Position > end {
				return r.backwards
			}
			if p.full() {
				more = true
				return false
			}
			if from = rec.Position; !r.backwards {
				from++
			}
			p.considered++
			if r.filter.Match(rec.Stream, rec.Type) {
				p.add(rec)
				left--
			}
			return left > 0
		})
		if err != nil {
			return err
		}
		if err := p.send(call, s.node.journal); err != nil {
			return err
		}
		if !more {
			return nil
		}
	}
	return nil
}

// readStream sends events of one stream up to what was its end when the call began.
func (s *streamsService) readStream(r *reading, call streams.Streams_ReadServer) error {
	head, err := s.node.journal.Head(call.Context(), r.stream)
	if err != nil {
		return err
	}
	if head.Tombstoned {
		return &journal.Deleted{Stream: r.stream}
	}
	if head.Last < 0 || head.SoftDeleted() {
		return call.Send(&streams.ReadResp{Content: &streams.ReadResp_StreamNotFound_{
			StreamNotFound: &streams.ReadResp_StreamNotFound{
				StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(r.stream)},
			},
		}})
	}
	from := r.revision
	switch {
	case r.end && !r.backwards:
		return nil
	case r.end:
		from = head.Last
	case r.start:
		from = 0
	}
	left := r.count
	p := s.page(r)
	for left > 0 {
		p.reset()
		more := false
		err := s.node.journal.Stream(r.stream, head, from, r.backwards, func(rec *journal.Record) bool {
			if p.full() {
				more = true
				return false
			}
			if from = rec.Revision + 1; r.backwards {
				from = rec.Revision - 1
			}
			p.add(rec)
			left--
			return left > 0
		})
		if err != nil {
			return err
		}
		if err := p.send(call, s.node.journal); err != nil {
			return err
		}
		if !more || from < 0 {
			return nil
		}
	}
	return nil
}
