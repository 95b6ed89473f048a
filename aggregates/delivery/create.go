package delivery

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"

	"waybill/events"
	"waybill/events/fault"
)

// Limits of a delivery.
const (
	maxNumber = 100   // characters of a D.O. number
	maxText   = 1_000 // characters of any other text
	maxItems  = 2_000 // keeps an event below what the store takes at once
)

// NormalNumber returns the form in which D.O. numbers are kept and compared:
// Unicode NFKC, no blanks around it, single spaces within. Case matters.
func NormalNumber(n string) string { return strings.Join(strings.Fields(norm.NFKC.String(n)), " ") }

// Create makes a delivery.
type Create struct {
	Delivery                         uuid.UUID // the subject of its personal data
	DONumber                         string
	Type                             string // empty = events.TypeDelivery
	Date                             string // YYYY-MM-DD
	Group                            uuid.UUID
	Address, Recipient, Phone, Email string
	Items                            []events.Item
	Vehicle                          uuid.UUID
	Import                           *events.Import
	Attempt                          int       // zero = the first
	Previous                         uuid.UUID // the delivery that it attempts again
}

// Key returns the key that the delivery will have.
func (c Create) Key() Key {
	return Key{Group: c.Group, Type: c.kind(), DONumber: NormalNumber(c.DONumber), Date: c.Date}
}

func (c Create) kind() string {
	if c.Type == "" {
		return events.TypeDelivery
	}
	return c.Type
}

// Decide gives DeliveryCreated.
func (c Create) Decide(s State) ([]events.Payload, error) {
	switch {
	case s.Abandoned:
		return nil, fault.New(fault.Conflict, "creation-abandoned",
			"This creation was overtaken by another one before it was finished; send it again as a new request.")
	case s.Born():
		return nil, fault.New(fault.Conflict, "delivery-exists", "The delivery exists already.")
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	k := c.Key()
	return []events.Payload{&events.DeliveryCreated{
		DONumber: k.DONumber, Type: k.Type, Date: k.Date, Group: k.Group,
		Address:   events.PersonalText(c.Delivery, strings.TrimSpace(c.Address)),
		Recipient: events.PersonalText(c.Delivery, strings.TrimSpace(c.Recipient)),
		Phone:     events.PersonalText(c.Delivery, strings.TrimSpace(c.Phone)),
		Email:     events.PersonalText(c.Delivery, strings.TrimSpace(c.Email)),
		Items:     c.Items, Vehicle: c.Vehicle, Attempt: max(c.Attempt, 1), Import: c.Import, Previous: c.Previous,
	}}, nil
}

func (c Create) check() error {
	number := NormalNumber(c.DONumber)
	switch {
	case number == "":
		return fault.InvalidField("do_number", "is required")
	case len([]rune(number)) > maxNumber:
		return fault.InvalidField("do_number", "must have at most %d characters", maxNumber)
	case hasControl(number) || !utf8.ValidString(number):
		return fault.InvalidField("do_number", "must hold no control characters")
	case c.kind() != events.TypeDelivery && c.kind() != events.TypeCollection:
		return fault.InvalidField("type", "must be %q or %q", events.TypeDelivery, events.TypeCollection)
	}
	if err := checkDate(c.Date); err != nil {
		return err
	}
	for _, f := range [...]struct{ name, text string }{
		{"address", c.Address}, {"recipient", c.Recipient}, {"phone", c.Phone}, {"email", c.Email},
	} {
		if len([]rune(f.text)) > maxText {
			return fault.InvalidField(f.name, "must have at most %d characters", maxText)
		}
	}
	return checkItems(c.Items)
}

func checkDate(date string) error {
	if d, err := time.Parse(time.DateOnly, date); err != nil || d.Year() < 1900 || d.Year() > 2200 {
		return fault.InvalidField("date", "must be a date such as 2026-03-01, between 1900 and 2200")
	}
	return nil
}

func checkItems(items []events.Item) error {
	if len(items) > maxItems {
		return fault.InvalidField("items", "there must be at most %d, and there are %d", maxItems, len(items))
	}
	seen := make(map[string]struct{}, len(items))
	for i, it := range items {
		field := func(name string) string { return fmt.Sprintf("items[%d].%s", i, name) }
		if it.ID == "" {
			return fault.InvalidField(field("id"), "is required")
		}
		if _, dup := seen[it.ID]; dup {
			return fault.InvalidField(field("id"), "must be another one than that of the items before it")
		}
		seen[it.ID] = struct{}{}
		if it.Quantity < 0 {
			return fault.InvalidField(field("quantity"), "must not be negative")
		}
		for _, f := range [...]struct{ name, text string }{{"id", it.ID}, {"sku", it.SKU}, {"description", it.Description}, {"unit", it.Unit}} {
			if len([]rune(f.text)) > maxText {
				return fault.InvalidField(field(f.name), "must have at most %d characters", maxText)
			}
			if !utf8.ValidString(f.text) {
				return fault.InvalidField(field(f.name), "must be Unicode text")
			}
		}
	}
	return nil
}

func hasControl(s string) bool { return strings.ContainsFunc(s, unicode.IsControl) }
