package store

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"waybill/events"
	"waybill/events/fault"
)

// Read returns at most max events of a stream, starting with revision from, in
// one round trip. Past the end of the stream it returns none: reading on from
// the revision after the last known one tells cheaply whether there is
// something new. Fewer than max means that the end was reached.
//
// Errors: fault.NotFound when there is no such stream; fault.Unavailable.
func (s *Store) Read(ctx context.Context, stream string, from uint64, max int) ([]events.Record, error) {
	o := &streams.ReadReq_Options{
		StreamOption: &streams.ReadReq_Options_Stream{Stream: &streams.ReadReq_Options_StreamOptions{
			StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(stream)},
			RevisionOption:   &streams.ReadReq_Options_StreamOptions_Revision{Revision: from},
		}},
		CountOption: &streams.ReadReq_Options_Count{Count: uint64(max)},
	}
	return s.page(ctx, fmt.Sprintf("read stream %s from revision %d", stream, from), o)
}

// Head returns the position of the last event of the log, of whatever stream;
// zero when there is none.
func (s *Store) Head(ctx context.Context) (events.Position, error) {
	var head events.Position
	err := s.call(ctx, "read the head of the log", func(ctx context.Context, l *link) error {
		var err error
		head, err = l.head(ctx)
		return err
	})
	return head, err
}

func (l *link) head(ctx context.Context) (events.Position, error) {
	records, err := l.page(ctx, allOptions(events.Position{}, Backwards, 1))
	if err != nil || len(records) == 0 {
		return events.Position{}, err
	}
	return records[0].Position, nil
}

// page is a bounded read, retried as a whole.
func (s *Store) page(ctx context.Context, op string, o *streams.ReadReq_Options) ([]events.Record, error) {
	var records []events.Record
	err := s.call(ctx, op, func(ctx context.Context, l *link) error {
		var err error
		records, err = l.page(ctx, o)
		return err
	})
	if err != nil {
		return nil, err
	}
	return records, nil
}

func (l *link) page(ctx context.Context, o *streams.ReadReq_Options) ([]events.Record, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r, err := l.read(ctx, o)
	if err != nil {
		return nil, err
	}
	var records []events.Record
	for {
		if err := r.next(); errors.Is(err, io.EOF) {
			return records, nil
		} else if err != nil {
			return nil, err
		}
		switch r.frame.kind {
		case frameEvent:
			records = append(records, r.frame.record)
		case frameNoStream:
			return nil, fault.New(fault.NotFound, "no-stream", "There is no such stream.")
		}
	}
}
