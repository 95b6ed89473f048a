package events

import (
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// The categories of streams: the four aggregates, the claims that keep names
// unique, and the trail of sign-ins and refusals that no aggregate loads.
const (
	CategoryUser          = "User"
	CategoryGroup         = "Group"
	CategoryClientAccount = "ClientAccount"
	CategoryDelivery      = "Delivery"
	CategoryClaim         = "Claim"
	CategoryTrail         = "Trail"
)

// AggregatePrefixes are the stream prefixes that read models subscribe to.
func AggregatePrefixes() []string {
	return []string{CategoryUser + "-", CategoryGroup + "-", CategoryClientAccount + "-", CategoryDelivery + "-"}
}

// StreamID names a stream: "<Category>-<org>.<id>".
type StreamID struct {
	Category string
	Org      uuid.UUID
	ID       string // an aggregate's UUID, or a claim's HMAC in hex
}

// Stream returns the id of an aggregate's stream.
func Stream(category string, org, id uuid.UUID) StreamID {
	return StreamID{Category: category, Org: org, ID: id.String()}
}

// String returns the name in the store.
func (s StreamID) String() string { return s.Category + "-" + s.Org.String() + "." + s.ID }

// UUID returns the aggregate's id; the zero UUID for a stream whose id is none.
func (s StreamID) UUID() uuid.UUID {
	id, err := uuid.Parse(s.ID)
	if err != nil {
		return uuid.Nil
	}
	return id
}

// ParseStream reads a stream's name.
func ParseStream(name string) (StreamID, error) {
	category, rest, ok := strings.Cut(name, "-")
	if !ok {
		return StreamID{}, fmt.Errorf("stream %q: want <Category>-<org>.<id>", name)
	}
	o, id, ok := strings.Cut(rest, ".")
	if !ok || id == "" {
		return StreamID{}, fmt.Errorf("stream %q: want <Category>-<org>.<id>", name)
	}
	org, err := uuid.Parse(o)
	if err != nil {
		return StreamID{}, fmt.Errorf("stream %q: organisation: %w", name, err)
	}
	return StreamID{Category: category, Org: org, ID: id}, nil
}
