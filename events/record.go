package events

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Position is a place in the event store's global log. Positions grow, have
// gaps, and are no count. The zero value is before the first event.
type Position struct {
	Commit  uint64 `json:"commit,string"`
	Prepare uint64 `json:"prepare,string"`
}

// Compare returns -1, 0 or +1 as p is before, at or after q.
func (p Position) Compare(q Position) int {
	if c := cmp.Compare(p.Commit, q.Commit); c != 0 {
		return c
	}
	return cmp.Compare(p.Prepare, q.Prepare)
}

// After reports whether p is strictly after q.
func (p Position) After(q Position) bool { return p.Compare(q) > 0 }

// IsZero reports whether p is the place before the first event.
func (p Position) IsZero() bool { return p == Position{} }

// String writes the position as "commit", or "commit/prepare" where they differ.
// [ParsePosition] reads it back.
func (p Position) String() string {
	if p.Commit == p.Prepare {
		return strconv.FormatUint(p.Commit, 10)
	}
	return strconv.FormatUint(p.Commit, 10) + "/" + strconv.FormatUint(p.Prepare, 10)
}

// ParsePosition reads what [Position.String] wrote.
func ParsePosition(s string) (Position, error) {
	c, pr, two := strings.Cut(s, "/")
	commit, err := strconv.ParseUint(c, 10, 64)
	if err != nil {
		return Position{}, fmt.Errorf("log position %q: want a whole number", s)
	}
	if !two {
		return Position{Commit: commit, Prepare: commit}, nil
	}
	prepare, err := strconv.ParseUint(pr, 10, 64)
	if err != nil {
		return Position{}, fmt.Errorf("log position %q: want commit/prepare", s)
	}
	return Position{Commit: commit, Prepare: prepare}, nil
}

// Record is one event as the store holds it, not yet decoded.
type Record struct {
	Stream   string
	Revision uint64 // 0-based place in the stream
	ID       uuid.UUID
	Type     string
	Position Position
	Created  time.Time // the store's own clock, UTC
	Metadata []byte    // JSON envelope; shared, do not modify
	Data     []byte    // JSON payload as stored, personal data sealed; shared, do not modify
}

// Proposed is one event on its way into the store.
type Proposed struct {
	ID       uuid.UUID
	Type     string
	Metadata []byte
	Data     []byte
}

// Expected is the revision that an append demands its stream to be at: the
// 0-based revision of the last event, or [NoStream]. There is no "any": every
// append of waybill names what it decided on.
type Expected int64

// NoStream demands that the stream has no event yet.
const NoStream Expected = -1

// Next is the revision that the first appended event will get.
func (e Expected) Next() uint64 { return uint64(e + 1) }
