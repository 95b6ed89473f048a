package events

import (
	"time"

	"github.com/google/uuid"
)

// DeliveryDetails are what can be changed of a delivery before it is completed.
type DeliveryDetails struct {
	DONumber  string   `json:"do_number"`
	Date      string   `json:"date"` // YYYY-MM-DD
	Address   Personal `json:"address,omitzero"`
	Recipient Personal `json:"recipient,omitzero"`
	Phone     Personal `json:"phone,omitzero"`
	Email     Personal `json:"email,omitzero"`
	Items     []Item   `json:"items,omitempty"`
}

func (d *DeliveryDetails) fields() []*Personal {
	return []*Personal{&d.Address, &d.Recipient, &d.Phone, &d.Email}
}

// DeliveryChanged records the details before and after.
type DeliveryChanged struct {
	Before DeliveryDetails `json:"before"`
	After  DeliveryDetails `json:"after"`
}

func (e *DeliveryChanged) personal() []*Personal {
	return append(e.Before.fields(), e.After.fields()...)
}

// DeliveryUnassigned takes the delivery off its vehicle.
type DeliveryUnassigned struct {
	Vehicle uuid.UUID `json:"vehicle"`
}

// DeliveryGoodsReceived says that the goods are at the depot.
type DeliveryGoodsReceived struct {
	OccurredAt time.Time `json:"occurred_at,omitzero"`
}

// DeliveryHeadingStarted marks that the vehicle is on its way to this drop.
type DeliveryHeadingStarted struct {
	OccurredAt time.Time `json:"occurred_at,omitzero"`
}

// DeliveryArrived marks that the vehicle is there.
type DeliveryArrived struct {
	OccurredAt time.Time `json:"occurred_at,omitzero"`
}

// DeliveryPartiallyCompleted says that some of the goods were rejected.
type DeliveryPartiallyCompleted struct {
	OccurredAt time.Time      `json:"occurred_at,omitzero"`
	Rejected   []RejectedItem `json:"rejected"`
	Proof      []Proof        `json:"proof,omitempty"`
}

// RejectedItem is how much of an item was not taken.
type RejectedItem struct {
	Item     string `json:"item"` // the item's id
	Quantity int64  `json:"quantity,string"`
}

// DeliveryPutOnHold stops the delivery until it is released.
type DeliveryPutOnHold struct{}

// DeliveryReleased brings it back to the status before.
type DeliveryReleased struct {
	To string `json:"to"`
}

// DeliveryReturned says that the goods went back.
type DeliveryReturned struct {
	OccurredAt time.Time `json:"occurred_at,omitzero"`
}

// DeliveryCancelled ends a delivery that will not be made.
type DeliveryCancelled struct{}

// DeliveryReattempted records, on a failed or partial delivery, that another
// attempt was planned as a delivery of its own.
type DeliveryReattempted struct {
	Date string    `json:"date"` // YYYY-MM-DD
	Next uuid.UUID `json:"next"` // the id that the new delivery gets
}

// DeliveryEtaRevised records when the drop is now expected.
type DeliveryEtaRevised struct {
	Eta time.Time `json:"eta"`
}

// DeliveryOutcomeCorrected replaces a wrongly recorded outcome.
type DeliveryOutcomeCorrected struct {
	From     string         `json:"from"`
	To       string         `json:"to"`
	Rejected []RejectedItem `json:"rejected,omitempty"` // of a partial completion
}

// DeliveryDeleted takes a delivery that never had an outcome out of sight.
type DeliveryDeleted struct{}

// EventType implements Payload.
func (*DeliveryChanged) EventType() string { return "DeliveryChanged" }

// EventType implements Payload.
func (*DeliveryUnassigned) EventType() string { return "DeliveryUnassigned" }

// EventType implements Payload.
func (*DeliveryGoodsReceived) EventType() string { return "DeliveryGoodsReceived" }

// EventType implements Payload.
func (*DeliveryHeadingStarted) EventType() string { return "DeliveryHeadingStarted" }

// EventType implements Payload.
func (*DeliveryArrived) EventType() string { return "DeliveryArrived" }

// EventType implements Payload.
func (*DeliveryPartiallyCompleted) EventType() string { return "DeliveryPartiallyCompleted" }

// EventType implements Payload.
func (*DeliveryPutOnHold) EventType() string { return "DeliveryPutOnHold" }

// EventType implements Payload.
func (*DeliveryReleased) EventType() string { return "DeliveryReleased" }

// EventType implements Payload.
func (*DeliveryReturned) EventType() string { return "DeliveryReturned" }

// EventType implements Payload.
func (*DeliveryCancelled) EventType() string { return "DeliveryCancelled" }

// EventType implements Payload.
func (*DeliveryReattempted) EventType() string { return "DeliveryReattempted" }

// EventType implements Payload.
func (*DeliveryEtaRevised) EventType() string { return "DeliveryEtaRevised" }

// EventType implements Payload.
func (*DeliveryOutcomeCorrected) EventType() string { return "DeliveryOutcomeCorrected" }

// EventType implements Payload.
func (*DeliveryDeleted) EventType() string { return "DeliveryDeleted" }
