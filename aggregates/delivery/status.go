package delivery

import (
	"slices"
	"strings"
	"time"

	"waybill/events"
	"waybill/events/fault"
)

// mayMove is the table of statuses: whether what is in one moves to another by
// an ordinary command. Corrections, and what is released from hold, have rules
// of their own.
func mayMove(from, to string) bool {
	switch from {
	case events.StatusInfoReceived:
		return oneOf(to, events.StatusInTransit, events.StatusDispatched, events.StatusOnHold, events.StatusCancelled)
	case events.StatusInTransit:
		return oneOf(to, events.StatusDispatched, events.StatusOnHold, events.StatusReturned, events.StatusCancelled)
	case events.StatusDispatched:
		return oneOf(to, events.StatusCompleted, events.StatusCompletedPartially, events.StatusFailed,
			events.StatusOnHold, events.StatusReturned, events.StatusCancelled)
	case events.StatusOnHold:
		return oneOf(to, events.StatusReturned, events.StatusCancelled)
	case events.StatusFailed:
		return to == events.StatusReturned
	default: // completed, completed_partial; returned and cancelled are the end
		return false
	}
}

func oneOf(s string, of ...string) bool { return slices.Contains(of, s) }

// outcome reports whether a status says how an attempt ended.
func outcome(status string) bool {
	return oneOf(status, events.StatusCompleted, events.StatusCompletedPartially, events.StatusFailed)
}

// move refuses a delivery that does not move to a status; done is the move in
// words.
func (s State) move(to, done string) error {
	switch {
	case !s.Exists():
		return None()
	case !mayMove(s.Status, to):
		return errStatus(s.Status, done)
	}
	return nil
}

// open refuses a delivery that is not still to be made.
func (s State) open(done string) error {
	switch {
	case !s.Exists():
		return None()
	case !oneOf(s.Status, events.StatusInfoReceived, events.StatusInTransit, events.StatusDispatched, events.StatusOnHold):
		return errStatus(s.Status, done)
	}
	return nil
}

// errStatus says that the delivery does not move so from where it is.
func errStatus(status, move string) error {
	return fault.New(fault.Conflict, "delivery-status", "A delivery that is %s cannot be %s.", strings.ReplaceAll(status, "_", " "), move)
}

// moment is a time as events hold it.
func moment(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Microsecond)
}
