package events

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
)

// Actor types.
const (
	ActorUser     = "user"     // a User of the organisation, by its id
	ActorIdentity = "identity" // the person behind an e-mail, before it is a User here
	ActorAPIKey   = "api_key"  // a machine
	ActorSystem   = "system"   // waybill itself: policies, clocks, set-up
)

// Actor is who did it. ID is opaque: never an e-mail.
type Actor struct {
	Type string `json:"type"`
	ID   string `json:"id,omitzero"` // empty for the system
}

// String returns "type:id".
func (a Actor) String() string { return a.Type + ":" + a.ID }

// Approval is on whose approval it was done. The zero value is "none needed or
// none given". All but the reference is what waybill itself knows: that very user
// has approved here. The reference is what the actor says.
type Approval struct {
	By          string `json:"by,omitzero"`
	RequestedBy string `json:"requested_by,omitzero"`
	Request     string `json:"request,omitzero"`
	Reference   string `json:"reference,omitzero"` // a ticket or letter outside waybill
}

// Source is where the command came in.
type Source struct {
	IP        string `json:"ip,omitzero"`
	UserAgent string `json:"user_agent,omitzero"`
	Portal    string `json:"portal,omitzero"`
}

// Metadata is the envelope of every event. Event id and type stand in the
// store's own record and are not repeated here.
type Metadata struct {
	SchemaVersion int         `json:"schema_version"`
	Org           uuid.UUID   `json:"org"`
	Actor         Actor       `json:"actor"`
	OnBehalfOf    string      `json:"on_behalf_of,omitzero"`
	CommandID     uuid.UUID   `json:"command_id"`
	CorrelationID uuid.UUID   `json:"correlation_id"`
	CausationID   uuid.UUID   `json:"causation_id"` // the causing event, or the command when a person caused it
	RecordedAt    time.Time   `json:"recorded_at"`  // UTC, microseconds
	Reason        string      `json:"reason,omitzero"`
	Approval      Approval    `json:"approval,omitzero"`
	Source        Source      `json:"source,omitzero"`
	Groups        []uuid.UUID `json:"groups,omitempty"` // the groups that the event touches
}

// GroupsOf returns the groups that an event touches, without decoding the rest of
// it.
func GroupsOf(r Record) ([]uuid.UUID, error) {
	var m struct {
		Groups []uuid.UUID `json:"groups"`
	}
	if err := json.Unmarshal(r.Metadata, &m); err != nil {
		return nil, fmt.Errorf("groups of %s@%d: %w", r.Stream, r.Revision, err)
	}
	return m.Groups, nil
}

// EventID returns the id of the index-th event that a command appends to a
// stream: UUIDv5 (RFC 9562) in the organisation's namespace. A blind retry
// repeats it; another tenant's or actor's command never collides with it.
func EventID(org uuid.UUID, actor Actor, command uuid.UUID, stream string, index int) uuid.UUID {
	name := make([]byte, 0, 128)
	for _, part := range [...]string{actor.Type, actor.ID, stream} {
		name = binary.BigEndian.AppendUint32(name, uint32(len(part)))
		name = append(name, part...)
	}
	name = append(name, command[:]...)
	name = binary.BigEndian.AppendUint32(name, uint32(index))
	return uuid.NewSHA1(org, name)
}
