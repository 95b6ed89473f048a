package node

import (
	"errors"
	"math"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"waybill/events/node/filter"
	"waybill/events/node/journal"
)

// allStream is the name of the whole log.
const allStream = "$all"

// reading is a Read request, understood.
type reading struct {
	stream    string // "" = the whole log
	revision  int64  // where to begin in a stream
	position  uint64 // where to begin in the log
	start     bool   // begin at the start
	end       bool   // begin at the end
	backwards bool
	live      bool // a subscription
	count     uint64
	links     bool // resolve links
	stringIDs bool
	filter    *filter.Filter
	interval  int // considered events between checkpoints of a filtered subscription
}

func parseRead(o *streams.ReadReq_Options) (r reading, err error) {
	r.backwards = o.GetReadDirection() == streams.ReadReq_Options_Backwards
	r.links = o.GetResolveLinks()
	_, r.stringIDs = o.GetUuidOption().GetContent().(*streams.ReadReq_Options_UUIDOption_String_)
	switch c := o.GetCountOption().(type) {
	case *streams.ReadReq_Options_Count:
		r.count = c.Count
	case *streams.ReadReq_Options_Subscription:
		r.live = true
	default:
		return r, invalid("read: neither a count nor a subscription was asked for")
	}
	if r.live && r.backwards {
		return r, invalid("read: a subscription goes forwards")
	}
	switch s := o.GetStreamOption().(type) {
	case *streams.ReadReq_Options_Stream:
		err = r.parseStream(s.Stream)
	case *streams.ReadReq_Options_All:
		err = r.parseAll(s.All)
	default:
		err = invalid("read: neither a stream nor $all was named")
	}
	if f := o.GetFilter(); f != nil && err == nil {
		if r.stream != "" {
			return r, invalid("read: a filter applies to $all only")
		}
		err = r.parseFilter(f)
	}
	return r, err
}

func (r *reading) parseStream(s *streams.ReadReq_Options_StreamOptions) error {
	if r.stream = string(s.GetStreamIdentifier().GetStreamName()); r.stream == "" {
		return invalid("read: no stream was named")
	}
	switch o := s.GetRevisionOption().(type) {
	case *streams.ReadReq_Options_StreamOptions_Revision:
		r.revision = int64(min(o.Revision, math.MaxInt64))
	case *streams.ReadReq_Options_StreamOptions_Start:
		r.start = true
	case *streams.ReadReq_Options_StreamOptions_End:
		r.end = true
	default:
		return invalid("read: no revision to begin at was given")
	}
	return nil
}

func (r *reading) parseAll(a *streams.ReadReq_Options_AllOptions) error {
	switch o := a.GetAllOption().(type) {
	case *streams.ReadReq_Options_AllOptions_Position:
		r.position = o.Position.GetCommitPosition()
	case *streams.ReadReq_Options_AllOptions_Start:
		r.start = true
	case *streams.ReadReq_Options_AllOptions_End:
		r.end = true
	default:
		return invalid("read: no position to begin at was given")
	}
	return nil
}

// defaultWindow is the search window of filters that name none.
const defaultWindow = 32

func (r *reading) parseFilter(f *streams.ReadReq_Options_FilterOptions) (err error) {
	window := uint64(defaultWindow)
	if m, ok := f.GetWindow().(*streams.ReadReq_Options_FilterOptions_Max); ok {
		if window = uint64(m.Max); window == 0 {
			return invalid("read: the filter's search window must be above zero")
		}
	}
	if r.live && f.GetCheckpointIntervalMultiplier() == 0 {
		return invalid("read: the filter's checkpoint interval must be above zero")
	}
	r.interval = int(min(window*uint64(f.GetCheckpointIntervalMultiplier()), math.MaxInt32))
	switch e := f.GetFilter().(type) {
	case *streams.ReadReq_Options_FilterOptions_EventType:
		r.filter, err = filter.New(true, e.EventType.GetPrefix(), e.EventType.GetRegex())
	case *streams.ReadReq_Options_FilterOptions_StreamIdentifier:
		r.filter, err = filter.New(false, e.StreamIdentifier.GetPrefix(), e.StreamIdentifier.GetRegex())
	default:
		err = filter.ErrEmpty
	}
	if err != nil {
		return invalid("read: %v", err)
	}
	return nil
}

// isLink tells whether a record points at another event.
func isLink(r *journal.Record) bool { return string(r.Type) == journal.TypeLink }

var errNotFound = errors.New("the link leads nowhere")
