package events

import (
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

// Delivery statuses, as domain events move them. The tracking status that
// people see is derived from them when read.
const (
	StatusInfoReceived       = "info_received"
	StatusInTransit          = "in_transit"
	StatusDispatched         = "dispatched"
	StatusOnHold             = "on_hold"
	StatusCompleted          = "completed"
	StatusCompletedPartially = "completed_partial"
	StatusFailed             = "failed"
	StatusReturned           = "returned"
	StatusCancelled          = "cancelled"
)

// Types of delivery.
const (
	TypeDelivery   = "delivery"
	TypeCollection = "collection"
)

// DeliveryCreated is the first event of a delivery; it carries the first group.
// Version 2 added Type; every delivery of version 1 was a delivery.
type DeliveryCreated struct {
	DONumber  string    `json:"do_number"`
	Type      string    `json:"type"`
	Date      string    `json:"date"`           // YYYY-MM-DD in the organisation's timezone
	Group     uuid.UUID `json:"group,omitzero"` // zero = untagged
	Address   Personal  `json:"address,omitzero"`
	Recipient Personal  `json:"recipient,omitzero"` // name
	Phone     Personal  `json:"phone,omitzero"`
	Email     Personal  `json:"email,omitzero"`
	Items     []Item    `json:"items,omitempty"`
	Vehicle   uuid.UUID `json:"vehicle,omitzero"`
	Attempt   int       `json:"attempt"`           // 1 for the first
	Import    *Import   `json:"import,omitempty"`  // nil = made by hand
	Previous  uuid.UUID `json:"previous,omitzero"` // the delivery that this one reattempts
}

// Item is one line of a delivery.
type Item struct {
	ID          string `json:"id"` // identity within the delivery: the source row's own id, or the line number
	SKU         string `json:"sku,omitzero"`
	Description string `json:"description,omitzero"`
	Quantity    int64  `json:"quantity,string"`
	Unit        string `json:"unit,omitzero"`
}

// Import says which import brought a delivery.
type Import struct {
	ID   uuid.UUID `json:"id"`
	File string    `json:"file"` // base name
	Row  int       `json:"row"`  // 1-based line of the first item, header included
}

// DeliveryTagged moves the delivery to a group.
type DeliveryTagged struct {
	FromGroup uuid.UUID `json:"from_group,omitzero"` // zero = it was untagged
	Group     uuid.UUID `json:"group"`
}

// DeliveryUntagged takes the delivery out of its group: only ALL users see it.
type DeliveryUntagged struct {
	FromGroup uuid.UUID `json:"from_group"`
}

// DeliveryAssigned puts the delivery on a vehicle.
type DeliveryAssigned struct {
	Vehicle uuid.UUID `json:"vehicle"`
}

// DeliveryDispatched says that the delivery was given out to be delivered.
type DeliveryDispatched struct {
	OccurredAt time.Time `json:"occurred_at,omitzero"`
}

// DeliveryCompleted says that everything was handed over.
type DeliveryCompleted struct {
	OccurredAt time.Time `json:"occurred_at,omitzero"`
	Proof      []Proof   `json:"proof,omitempty"`
}

// Proof is one piece of proof of delivery: a reference and what it hashes to.
type Proof struct {
	Reference string `json:"reference"`
	SHA256    string `json:"sha256"` // lower-case hex
}

// DeliveryFailed says that nothing was handed over, and why (in the metadata's
// reason).
type DeliveryFailed struct {
	OccurredAt time.Time `json:"occurred_at,omitzero"`
}

func (e *DeliveryCreated) personal() []*Personal {
	return []*Personal{&e.Address, &e.Recipient, &e.Phone, &e.Email}
}

// deliveryCreatedV2 adds the type.
func deliveryCreatedV2(old jsontext.Value) (jsontext.Value, error) {
	var fields map[string]jsontext.Value
	if err := json.Unmarshal(old, &fields); err != nil {
		return nil, err
	}
	fields["type"] = jsontext.Value(`"` + TypeDelivery + `"`)
	return json.Marshal(fields, json.Deterministic(true))
}

// EventType implements Payload.
func (*DeliveryCreated) EventType() string { return "DeliveryCreated" }

// EventType implements Payload.
func (*DeliveryTagged) EventType() string { return "DeliveryTagged" }

// EventType implements Payload.
func (*DeliveryUntagged) EventType() string { return "DeliveryUntagged" }

// EventType implements Payload.
func (*DeliveryAssigned) EventType() string { return "DeliveryAssigned" }

// EventType implements Payload.
func (*DeliveryDispatched) EventType() string { return "DeliveryDispatched" }

// EventType implements Payload.
func (*DeliveryCompleted) EventType() string { return "DeliveryCompleted" }

// EventType implements Payload.
func (*DeliveryFailed) EventType() string { return "DeliveryFailed" }
