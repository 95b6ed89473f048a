package readapi

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

// Answers about deliveries are written without such values in between, from what
// is stored (see appendDelivery); these types describe them, and a test holds
// the two together.

// DeliveryList is a page of deliveries.
type DeliveryList struct {
	Deliveries []Delivery `json:"deliveries"`
	Next       string     `json:"next,omitzero" doc:"Cursor of the next page. A search ends its page after so many deliveries read, found or not: a short or empty page with a cursor is not the last one."`
}

// Delivery is one delivery of a list.
type Delivery struct {
	ID             uuid.UUID  `json:"id"`
	DONumber       string     `json:"do_number"`
	Type           string     `json:"type" enum:"delivery,collection"`
	Date           string     `json:"date" doc:"A day of the organisation."`
	Attempt        int        `json:"attempt"`
	ItemCount      int        `json:"item_count"`
	Address        *string    `json:"address,omitzero" doc:"Null when it was erased, absent when not given."`
	Recipient      *string    `json:"recipient,omitzero"`
	Phone          *string    `json:"phone,omitzero"`
	Email          *string    `json:"email,omitzero"`
	Erased         []string   `json:"erased,omitempty" doc:"Names of the members that were erased."`
	Group          *uuid.UUID `json:"group" doc:"Null = in no group."`
	Status         string     `json:"status"`
	TrackingStatus string     `json:"tracking_status" enum:"Info received,Scheduled,Out for delivery,Completed,Partially completed,Failed,On hold,Return,Cancelled"`
	Vehicle        *uuid.UUID `json:"vehicle,omitzero" doc:"Where the caller sees it."`
	Mark           string     `json:"mark,omitzero" enum:"heading,arrived" doc:"Where the vehicle is with a dispatched delivery."`
	Eta            *time.Time `json:"eta,omitzero" doc:"When the drop is expected."`
	Revision       uint64     `json:"revision,string"`
	UpdatedAt      time.Time  `json:"updated_at"`
}

// DeliveryWhole is a delivery with its items and the end of its timeline.
type DeliveryWhole struct {
	Delivery `json:",inline"`
	Previous *uuid.UUID `json:"previous,omitzero" doc:"The attempt before, where the caller sees it."`
	Next     *uuid.UUID `json:"next,omitzero" doc:"The attempt after, where the caller sees it."`
	Items    []Item     `json:"items"`
	Timeline []Entry    `json:"timeline" doc:"The last 50 things that happened, in their order."`
	Earlier  string     `json:"earlier,omitzero" doc:"Cursor of /timeline for what happened before."`
}

// Item is one line of a delivery.
type Item struct {
	ID          string `json:"id"`
	SKU         string `json:"sku,omitzero"`
	Description string `json:"description,omitzero"`
	Quantity    int64  `json:"quantity,string"`
	Unit        string `json:"unit,omitzero"`
}

// Entry is one thing that happened to a delivery, as far as the caller may know.
type Entry struct {
	Type     string         `json:"type" doc:"Of the event."`
	At       time.Time      `json:"at"`
	Actor    string         `json:"actor" doc:"type:id; only the type for those whom the caller does not see."`
	From     *uuid.UUID     `json:"from_group,omitzero"`
	To       *uuid.UUID     `json:"to_group,omitzero"`
	Reason   string         `json:"reason,omitzero"`
	Detail   jsontext.Value `json:"detail,omitzero" doc:"What is special to the type: occurred_at, proof, rejected, vehicle, import, changed (names of members), was, status, date, eta."`
	Revision uint64         `json:"revision,string"`
}
