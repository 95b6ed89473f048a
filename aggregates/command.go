package aggregates

import (
	"time"

	"github.com/google/uuid"

	"waybill/events"
)

// Command is what every command carries, whatever it asks for: the envelope
// that its events get.
type Command struct {
	ID            uuid.UUID // a retry repeats it
	Org           uuid.UUID
	Actor         events.Actor
	OnBehalfOf    string
	CorrelationID uuid.UUID // zero: ID
	CausationID   uuid.UUID // the event it reacts to; zero: ID
	Reason        string
	Approval      events.Approval
	Source        events.Source
	At            time.Time // recorded_at; zero: the executor's clock

	// Expected is the revision at which the stream must be for the command to
	// be executed; nil: any.
	Expected *uint64
}

// Result says where a command's events went.
type Result struct {
	Stream   events.StreamID
	Revision uint64          // of the last event
	Position events.Position // of the last event
	Events   int             // 0: nothing had to change; Revision and Position are then those of the stream's last event
}

// Later returns whichever of two results has the later position.
func (r Result) Later(o Result) Result {
	if o.Position.After(r.Position) {
		return o
	}
	return r
}

// Kind is how to make an aggregate's state from its events.
type Kind[S any] struct {
	// Category of the aggregate's streams.
	Category string
	// Evolve returns the state after an event. It must not modify what the
	// given state refers to: states are shared.
	Evolve func(S, events.Payload) S
	// Touches returns the groups that an event of the aggregate id touches, the
	// state being that before the event.
	Touches func(id uuid.UUID, before S, p events.Payload) []uuid.UUID
}

// metadata returns the envelope of the command's events.
func (c Command) metadata(at time.Time, groups []uuid.UUID) events.Metadata {
	m := events.Metadata{
		Org: c.Org, Actor: c.Actor, OnBehalfOf: c.OnBehalfOf,
		CommandID: c.ID, CorrelationID: c.CorrelationID, CausationID: c.CausationID,
		RecordedAt: at, Reason: c.Reason, Approval: c.Approval, Source: c.Source, Groups: groups,
	}
	if m.CorrelationID == uuid.Nil {
		m.CorrelationID = c.ID
	}
	if m.CausationID == uuid.Nil {
		m.CausationID = c.ID
	}
	return m
}

// Derive returns the id that a command gives to something it makes: UUIDv5 of
// the actor, the command and a label in the organisation's namespace. A retry
// derives the same one and so meets what it made before.
func (c Command) Derive(label string) uuid.UUID {
	return events.EventID(c.Org, c.Actor, c.ID, label, 0)
}

// Then returns a command that this one entails, with an id derived from it, so
// that a repetition entails the same.
func (c Command) Then(label string) Command {
	if c.CorrelationID == uuid.Nil {
		c.CorrelationID = c.ID
	}
	c.CausationID = c.ID
	c.ID = c.Derive(label)
	c.Expected = nil // of another command's stream
	return c
}
