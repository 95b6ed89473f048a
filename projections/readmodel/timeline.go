package readmodel

import (
	"fmt"
	"slices"
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
		err = s.put(detail{Vehicle: p.Vehicle, Import: p.Import})
	case *events.DeliveryChanged:
		err = s.put(detail{Changed: differing(&p.Before, &p.After)})
	case *events.DeliveryTagged:
		s.from, s.to = p.FromGroup, p.Group
	case *events.DeliveryUntagged:
		s.from = p.FromGroup
	case *events.DeliveryAssigned:
		err = s.put(detail{Vehicle: p.Vehicle})
	case *events.DeliveryUnassigned:
		err = s.put(detail{Vehicle: p.Vehicle})
	case *events.DeliveryGoodsReceived:
		err = s.put(detail{OccurredAt: p.OccurredAt})
	case *events.DeliveryDispatched:
		err = s.put(detail{OccurredAt: p.OccurredAt})
	case *events.DeliveryHeadingStarted:
		err = s.put(detail{OccurredAt: p.OccurredAt})
	case *events.DeliveryArrived:
		err = s.put(detail{OccurredAt: p.OccurredAt})
	case *events.DeliveryCompleted:
		err = s.put(detail{OccurredAt: p.OccurredAt, Proof: p.Proof})
	case *events.DeliveryPartiallyCompleted:
		err = s.put(detail{OccurredAt: p.OccurredAt, Proof: p.Proof, Rejected: p.Rejected})
	case *events.DeliveryFailed:
		err = s.put(detail{OccurredAt: p.OccurredAt})
	case *events.DeliveryReturned:
		err = s.put(detail{OccurredAt: p.OccurredAt})
	case *events.DeliveryReleased:
		err = s.put(detail{Status: p.To})
	case *events.DeliveryReattempted:
		err = s.put(detail{Date: p.Date})
	case *events.DeliveryEtaRevised:
		err = s.put(detail{Eta: p.Eta})
	case *events.DeliveryOutcomeCorrected:
		err = s.put(detail{Was: p.From, Status: p.To, Rejected: p.Rejected})
	}
	return s, err
}

// detail is what is special to a kind of step. It names no other delivery, and
// nothing personal.
type detail struct {
	Vehicle    uuid.UUID             `json:"vehicle,omitzero"`
	Import     *events.Import        `json:"import,omitempty"`
	Changed    []string              `json:"changed,omitempty"` // names of members
	OccurredAt time.Time             `json:"occurred_at,omitzero"`
	Proof      []events.Proof        `json:"proof,omitempty"`
	Rejected   []events.RejectedItem `json:"rejected,omitempty"`
	Was        string                `json:"was,omitzero"`    // status
	Status     string                `json:"status,omitzero"` // where it goes
	Date       string                `json:"date,omitzero"`   // of the next attempt
	Eta        time.Time             `json:"eta,omitzero"`
}

// put sets the step's detail; an empty one is none.
func (s *step) put(d detail) error {
	d.OccurredAt, d.Eta = d.OccurredAt.UTC(), d.Eta.UTC()
	text, err := marshal(d)
	if text != "{}" {
		s.detail = text
	}
	return err
}

// differing names what a change changed. What was erased since cannot be told.
func differing(a, b *events.DeliveryDetails) []string {
	var names []string
	for _, f := range [...]struct {
		name string
		same bool
	}{
		{"do_number", a.DONumber == b.DONumber}, {"date", a.Date == b.Date}, {"address", a.Address.Text() == b.Address.Text()},
		{"recipient", a.Recipient.Text() == b.Recipient.Text()}, {"phone", a.Phone.Text() == b.Phone.Text()},
		{"email", a.Email.Text() == b.Email.Text()}, {"items", slices.Equal(a.Items, b.Items)},
	} {
		if !f.same {
			names = append(names, f.name)
		}
	}
	return names
}

func marshal(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("timeline: %w", err)
	}
	return jsonText(b), nil
}
