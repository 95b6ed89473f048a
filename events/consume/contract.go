package consume

import (
	"context"
	"errors"

	"waybill/events"
)

// ErrFenced is returned by [Unit.Commit] when the checkpoint is not where the
// unit says it must be: somebody else owns this consumer's progress. Nothing of
// the unit was written. The consumer stops with this error.
var ErrFenced = errors.New("consumer fenced: another owner has moved its checkpoint")

// ErrPaused is returned by [Unit.Commit] when an operator has paused the consumer.
// Nothing of the unit was written. The consumer rests until Load names another
// state.
var ErrPaused = errors.New("consumer paused by an operator")

// State is what a consumer is doing, as operators see it.
type State string

// The states of a consumer.
const (
	Running    State = "running"    // consuming, nothing parked
	Paused     State = "paused"     // stopped by an operator; resumes only on their word, also after a restart
	Parked     State = "parked"     // consuming, while at least one stream is set aside
	Failed     State = "failed"     // stopped by an error that retrying did not cure; tried now and then
	Rebuilding State = "rebuilding" // replaying the log into fresh tables, until it is at the end of it
)

// Checkpoint is how far a consumer has come.
type Checkpoint struct {
	// Position is that of the last event whose effect is committed, or of a
	// later place with no event for this consumer before it. Zero: nothing yet.
	Position events.Position
	// Parked names the streams that have parked events. Later events of these
	// streams are parked too, unseen by the handler.
	Parked []string
	// State is what was recorded last; empty when nothing was.
	State State
}

// Log is where a consumer's progress lives. One Log serves one consumer; its
// methods are not called concurrently, but a unit may be committing meanwhile.
type Log interface {
	// Load returns the committed progress; the zero Checkpoint for a consumer
	// that never committed. It is called at the start and after every failed
	// commit, and now and then, and must read what is durable now.
	Load(ctx context.Context) (Checkpoint, error)

	// Begin returns a new, empty unit of work. It does no I/O.
	Begin() Unit

	// SetState records what the consumer is doing, why, and at which position. It
	// leaves a consumer paused that an operator has paused meanwhile. An error is
	// logged and otherwise ignored.
	SetState(ctx context.Context, state State, reason string, at events.Position) error
}

// Unit is the work of one run. A handler folds rows into it (through its own
// concrete type), the consumer commits it. It is used by one goroutine at a
// time.
type Unit interface {
	// Reset forgets everything folded and parked. It is called before every try
	// of a handler, the first included.
	Reset()

	// Park sets an event aside: Commit writes it to where parked events are
	// kept, with the cause, in the same transaction as everything else, and
	// from then on Load names its stream. It does no I/O.
	Park(rec events.Record, cause error)

	// Commit writes the rows, the parked events and the checkpoint `last` in
	// one transaction, provided that the durable checkpoint is exactly `after`
	// (zero: there is none yet); otherwise it writes nothing and returns
	// [ErrFenced], or [ErrPaused]. Any other error means that the outcome is unknown or that
	// nothing was written: the consumer drops the unit, loads the checkpoint and
	// starts again from there. An empty unit moves just the checkpoint.
	Commit(ctx context.Context, after, last events.Position) error
}
