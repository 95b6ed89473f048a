package delivery

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"waybill/events"
	"waybill/events/fault"
)

// Complete says that everything was handed over.
type Complete struct {
	OccurredAt time.Time
	Proof      []events.Proof
}

// Decide gives DeliveryCompleted.
func (c Complete) Decide(s State) ([]events.Payload, error) {
	if err := s.move(events.StatusCompleted, "completed"); err != nil {
		return nil, err
	}
	if err := checkProof(c.Proof); err != nil {
		return nil, err
	}
	return []events.Payload{&events.DeliveryCompleted{OccurredAt: moment(c.OccurredAt), Proof: c.Proof}}, nil
}

// CompletePartially says that some of the goods were rejected.
type CompletePartially struct {
	OccurredAt time.Time
	Rejected   []events.RejectedItem // at least one
	Proof      []events.Proof
}

// Decide gives DeliveryPartiallyCompleted.
func (c CompletePartially) Decide(s State) ([]events.Payload, error) {
	if err := s.move(events.StatusCompletedPartially, "completed partially"); err != nil {
		return nil, err
	}
	if err := s.checkRejected(c.Rejected); err != nil {
		return nil, err
	}
	if err := checkProof(c.Proof); err != nil {
		return nil, err
	}
	return []events.Payload{&events.DeliveryPartiallyCompleted{OccurredAt: moment(c.OccurredAt), Rejected: c.Rejected, Proof: c.Proof}}, nil
}

// Fail says that nothing was handed over, and why.
type Fail struct {
	OccurredAt time.Time
	Reason     string
}

// Decide gives DeliveryFailed.
func (c Fail) Decide(s State) ([]events.Payload, error) {
	if err := s.move(events.StatusFailed, "failed"); err != nil {
		return nil, err
	}
	if strings.TrimSpace(c.Reason) == "" {
		return nil, fault.InvalidField("reason", "is required to fail a delivery")
	}
	return []events.Payload{&events.DeliveryFailed{OccurredAt: moment(c.OccurredAt)}}, nil
}

// Correct replaces an outcome that was recorded wrongly.
type Correct struct {
	To       string                // one of the three outcomes
	Rejected []events.RejectedItem // of a partial completion only
	Reason   string
}

// Decide gives DeliveryOutcomeCorrected; nothing when that is the outcome.
func (c Correct) Decide(s State) ([]events.Payload, error) {
	switch {
	case !s.Exists():
		return nil, None()
	case !outcome(s.Status):
		return nil, errStatus(s.Status, "corrected: it has no outcome")
	case !outcome(c.To):
		return nil, fault.InvalidField("to", "must be %q, %q or %q", events.StatusCompleted, events.StatusCompletedPartially, events.StatusFailed)
	case strings.TrimSpace(c.Reason) == "":
		return nil, fault.InvalidField("reason", "is required to correct an outcome")
	case c.To != events.StatusCompletedPartially && len(c.Rejected) > 0:
		return nil, fault.InvalidField("items", "are for a partial completion only")
	case c.To == s.Status && len(c.Rejected) == 0:
		return nil, nil
	}
	if c.To == events.StatusCompletedPartially {
		if err := s.checkRejected(c.Rejected); err != nil {
			return nil, err
		}
	}
	return []events.Payload{&events.DeliveryOutcomeCorrected{From: s.Status, To: c.To, Rejected: c.Rejected}}, nil
}

// Reattempt plans another attempt, as a delivery of its own.
type Reattempt struct {
	Date string    // YYYY-MM-DD
	Next uuid.UUID // the id that the new delivery gets
}

// Decide gives DeliveryReattempted.
func (c Reattempt) Decide(s State) ([]events.Payload, error) {
	switch {
	case !s.Exists():
		return nil, None()
	case s.Next != uuid.Nil:
		return nil, fault.New(fault.Conflict, "delivery-reattempted", "Another attempt was planned already.")
	case s.Status != events.StatusFailed && s.Status != events.StatusCompletedPartially:
		return nil, errStatus(s.Status, "attempted again")
	}
	if err := checkDate(c.Date); err != nil {
		return nil, err
	}
	return []events.Payload{&events.DeliveryReattempted{Date: c.Date, Next: c.Next}}, nil
}

// checkRejected refuses what cannot have been rejected.
func (s State) checkRejected(rejected []events.RejectedItem) error {
	if len(rejected) == 0 {
		return fault.InvalidField("items", "must name an item of which some was rejected; otherwise it is completed")
	}
	left := make(map[string]int64, len(s.Lines))
	for _, l := range s.Lines {
		left[l.Item] = l.Quantity
	}
	for i, r := range rejected {
		field := func(name string) string { return fmt.Sprintf("items[%d].%s", i, name) }
		most, ok := left[r.Item]
		switch {
		case !ok:
			return fault.InvalidField(field("id"), "must be an item of the delivery, named once")
		case r.Quantity < 1 || r.Quantity > most:
			return fault.InvalidField(field("rejected"), "must be from 1 to the quantity of the item, %d", most)
		}
		delete(left, r.Item)
	}
	return nil
}

func checkProof(proof []events.Proof) error {
	for i, p := range proof {
		sum, err := hex.DecodeString(p.SHA256)
		if p.Reference == "" {
			return fault.InvalidField(fmt.Sprintf("proof[%d].reference", i), "is required")
		}
		if err != nil || len(sum) != 32 || strings.ToLower(p.SHA256) != p.SHA256 {
			return fault.InvalidField(fmt.Sprintf("proof[%d].sha256", i), "must be 64 lower-case hexadecimal digits")
		}
	}
	return nil
}
