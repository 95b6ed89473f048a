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

	parked []events.Record // of streams that are parked already
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
