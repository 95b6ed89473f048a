package consume

import (
	"context"

	"github.com/ThreeDotsLabs/watermill/message"

	"waybill/events"
)

// Run is a stretch of the log: consecutive events for one consumer, carried by
// one Watermill message.
type Run struct {
	// Records are the events to handle, in the order of the log; shared, do not
	// modify. Events of parked streams are not among them.
	Records []events.Record

	// The run covers the positions in (After, Last]: committing it moves the
	// checkpoint from After to Last.
	After, Last events.Position

	// Unit takes the work. It is empty whenever a handler is called.
	Unit Unit

	parked  []events.Record // of streams that are parked already
	culprit bool            // its one event was parked just now
	cause   error           // why it failed last
	outage  bool            // and whether that was something being away
}

// split halves a run of several events.
func (r *Run) split() (left, right *Run) {
	half := len(r.Records) / 2
	middle := r.Records[half-1].Position
	left = &Run{Records: r.Records[:half:half], After: r.After, Last: middle}
	right = &Run{Records: r.Records[half:], After: middle, Last: r.Last}
	for _, rec := range r.parked {
		if rec.Position.After(middle) {
			right.parked = append(right.parked, rec)
		} else {
			left.parked = append(left.parked, rec)
		}
	}
	return left, right
}

// setAside moves the events of parked streams out of the handler's sight.
func (r *Run) setAside(parked map[string]struct{}) {
	if len(parked) == 0 {
		return
	}
	var rest []events.Record
	for i, rec := range r.Records {
		if _, is := parked[rec.Stream]; !is {
			if rest != nil {
				rest = append(rest, rec)
			}
			continue
		}
		if rest == nil {
			rest = append(make([]events.Record, 0, len(r.Records)), r.Records[:i]...)
		}
		r.parked = append(r.parked, rec)
	}
	if rest != nil {
		r.Records = rest
	}
}

type runKey struct{}

// RunOf returns the run that a message of a [Consumer] carries; nil for any
// other message.
func RunOf(msg *message.Message) *Run {
	run, _ := msg.Context().Value(runKey{}).(*Run)
	return run
}

func withRun(ctx context.Context, run *Run) context.Context {
	return context.WithValue(ctx, runKey{}, run)
}
