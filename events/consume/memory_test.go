package consume_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"waybill/events"
	"waybill/events/consume"
	"waybill/events/store/storetest"
)

// memoryLog is a Log that lives as long as its test and keeps the contract to
// the letter, with switches for what a database does on a bad day.
type memoryLog struct {
	mu      sync.Mutex
	at      events.Position
	rows    []events.Record // committed, in order
	parked  []parkedEvent
	states  []consume.State
	reason  string
	commits int

	away       bool // nothing works
	loseAnswer bool // the next commit is done, and says it failed
	refuses    bool // commits are refused for what they hold
	committing int  // now

	changed chan struct{} // gets a token after each commit
}

type parkedEvent struct {
	record events.Record
	cause  error
}

var (
	errAway    = errors.New("the database is away")
	errRefused = errors.New("the database refuses a row")
)

func newMemoryLog() *memoryLog { return &memoryLog{changed: make(chan struct{}, 1)} }

func (l *memoryLog) Load(context.Context) (consume.Checkpoint, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.away {
		return consume.Checkpoint{}, errAway
	}
	c := consume.Checkpoint{Position: l.at, State: l.state()}
	for _, p := range l.parked {
		if !slices.Contains(c.Parked, p.record.Stream) {
			c.Parked = append(c.Parked, p.record.Stream)
		}
	}
	return c, nil
}

func (l *memoryLog) Begin() consume.Unit { return &memoryUnit{log: l} }

func (l *memoryLog) SetState(_ context.Context, s consume.State, reason string, _ events.Position) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state() != consume.Paused {
		l.says(s, reason)
	}
	return nil
}

// state is what was said last.
func (l *memoryLog) state() consume.State {
	if len(l.states) == 0 {
		return ""
	}
	return l.states[len(l.states)-1]
}

// says records a state, as an operator would.
func (l *memoryLog) says(s consume.State, reason string) {
	l.states, l.reason = append(l.states, s), reason
	l.tell()
}

func (l *memoryLog) tell() {
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

func (l *memoryLog) set(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
}

// until waits for a commit, or a state, after which the condition holds.
func (l *memoryLog) until(t testing.TB, holds func() bool) {
	t.Helper()
	patience := time.NewTimer(storetest.Patience)
	defer patience.Stop()
	for {
		var ok bool
		l.set(func() { ok = holds() })
		if ok {
			return
		}
		select {
		case <-l.changed:
		case <-patience.C:
			t.Fatalf("waited in vain: at %v after %d commits, %d rows, %d parked", l.at, l.commits, len(l.rows), len(l.parked))
		}
	}
}

type memoryUnit struct {
	log    *memoryLog
	rows   []events.Record
	parked []parkedEvent
}

func (u *memoryUnit) Reset() { u.rows, u.parked = nil, nil }

func (u *memoryUnit) Park(rec events.Record, cause error) {
	u.parked = append(u.parked, parkedEvent{rec, cause})
}

func (u *memoryUnit) Commit(_ context.Context, after, last events.Position) error {
	l := u.log
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.committing++; l.committing > 1 {
		panic("two commits at a time")
	}
	defer func() { l.committing-- }()
	if l.away {
		return errAway
	}
	if l.refuses {
		return errRefused
	}
	if l.state() == consume.Paused {
		return consume.ErrPaused
	}
	if l.at != after {
		return consume.ErrFenced
	}
	if !last.After(after) {
		panic("a commit that moves nothing")
	}
	l.at, l.commits = last, l.commits+1
	l.rows, l.parked = append(l.rows, u.rows...), append(l.parked, u.parked...)
	l.tell()
	if l.loseAnswer {
		l.loseAnswer = false
		return errors.New("connection lost while committing")
	}
	return nil
}

// foldAll is the handler that takes every event.
func foldAll(_ context.Context, run *consume.Run) error {
	u := run.Unit.(*memoryUnit)
	u.rows = append(u.rows, run.Records...)
	return nil
}
