package journal

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// The reasons for which a journal does not open, or stops.
var (
	// ErrInUse means another process, or another journal of this process, has the directory open.
	ErrInUse = errors.New("event store directory is in use")
	// ErrVersion means the directory was written by another format version.
	ErrVersion = errors.New("event store directory has another format version")
	// ErrDamaged means that stored data is not what was written.
	ErrDamaged = errors.New("event store is damaged")
	// ErrClosed means the journal was closed.
	ErrClosed = errors.New("event store is closed")
	// ErrFailed means the disk refused a write; the journal takes no more appends until it is opened again.
	ErrFailed = errors.New("event store failed to write")
	// ErrTimeout means the deadline of an append passed before it was taken up; nothing was written.
	ErrTimeout = errors.New("append timed out before it was written")
)

// The expected revisions that are not numbers.
const (
	NoStream     int64 = -1
	Any          int64 = -2
	StreamExists int64 = -4
)

// WrongExpected is the answer to an append whose expected revision is not the stream's.
type WrongExpected struct {
	Stream   string
	Expected int64
	Current  int64 // -1 = the stream has no event
}

func (e *WrongExpected) Error() string {
	return fmt.Sprintf("append to %q: expected revision %d, stream is at %d", e.Stream, e.Expected, e.Current)
}

// Deleted is the answer about a stream that is deleted: for ever, or softly where only an existing stream will do.
type Deleted struct{ Stream string }

func (e *Deleted) Error() string { return fmt.Sprintf("stream %q is deleted", e.Stream) }

// damaged names the thing that is not what was written.
func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, args...))
}

// readError marks an error of the storage engine as damage where it is.
func readError(doing string, err error) error {
	if pebble.IsCorruptionError(err) {
		return fmt.Errorf("%w: %s: %v", ErrDamaged, doing, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}
