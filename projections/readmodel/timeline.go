package readmodel

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"waybill/events"
)

// step is a row of read.delivery_timeline.
type step struct {
	place
	kind     string // the event's type
	at       time.Time
	actor    string
	reason   string
	from, to uuid.UUID // groups
	detail   string    // JSON of what is special to the kind; may be empty
}

// stepOf describes an event for the timeline of its delivery.
func stepOf(at place, e events.Event) (step, error) {
	s := step{
		place: at, kind: e.Record.Type, at: e.Metadata.RecordedAt,
		actor: e.Metadata.Actor.String(), reason: e.Metadata.Reason,
	}
	var err error
	switch p := e.Payload.(type) {
	case *events.DeliveryCreated:
		s.to = p.Group
		if p.Vehicle != uuid.Nil || p.Import != nil {
			s.detail, err = marshal(struct {
				Vehicle uuid.UUID      `json:"vehicle,omitzero"`
				Import  *events.Import `json:"import,omitempty"`
			}{p.Vehicle, p.Import})
		}
	case *events.DeliveryTagged:
		s.from, s.to = p.FromGroup, p.Group
	case *events.DeliveryUntagged:
		s.from = p.FromGroup
	case *events.DeliveryAssigned:
		s.detail = `{"vehicle":"` + p.Vehicle.String() + `"}`
	case *events.DeliveryDispatched:
		s.detail, err = outcome(p.OccurredAt, nil)
	case *events.DeliveryCompleted:
		s.detail, err = outcome(p.OccurredAt, p.Proof)
	case *events.DeliveryFailed:
		s.detail, err = outcome(p.OccurredAt, nil)
	}
	return s, err
}

// outcome is when it happened, as far as that was told, and the proof of it.
func outcome(occurredAt time.Time, proof []events.Proof) (string, error) {
	if occurredAt.IsZero() && len(proof) == 0 {
		return "", nil
	}
	return marshal(struct {
		OccurredAt time.Time      `json:"occurred_at,omitzero"`
		Proof      []events.Proof `json:"proof,omitempty"`
	}{occurredAt.UTC(), proof})
}

func marshal(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("timeline: %w", err)
	}
	return jsonText(b), nil
}
