package events

import (
	"time"

	"github.com/google/uuid"
)

// SignedIn records a session's start, on a trail stream that no aggregate loads.
type SignedIn struct {
	User    uuid.UUID `json:"user"`
	Session uuid.UUID `json:"session"` // opaque id, not the token
}

// SignInRefused records a sign-in that failed. It names no e-mail: strangers
// can drive it.
type SignInRefused struct {
	Cause string `json:"cause"`
}

// CommandRefused records who was refused which command, and why.
type CommandRefused struct {
	Command string `json:"command"`
	Cause   string `json:"cause"` // the problem's code
	Target  string `json:"target,omitzero"`
}

// FactsDropped records that facts about an actor were not recorded, because they
// came faster than its share, or than they could be written.
type FactsDropped struct {
	Facts int64     `json:"facts,string"` // how many
	Since time.Time `json:"since"`        // the first of them
}

// EventType implements Payload.
func (*SignedIn) EventType() string { return "SignedIn" }

// EventType implements Payload.
func (*SignInRefused) EventType() string { return "SignInRefused" }

// EventType implements Payload.
func (*CommandRefused) EventType() string { return "CommandRefused" }

// EventType implements Payload.
func (*FactsDropped) EventType() string { return "FactsDropped" }
