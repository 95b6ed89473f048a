package delivery

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"waybill/events"
	"waybill/events/fault"
)

// Details returns the details that an event sets, and whether it sets them.
func Details(p events.Payload) (events.DeliveryDetails, bool) {
	switch e := p.(type) {
	case *events.DeliveryCreated:
		return events.DeliveryDetails{DONumber: e.DONumber, Date: e.Date, Address: e.Address, Recipient: e.Recipient,
			Phone: e.Phone, Email: e.Email, Items: e.Items}, true
	case *events.DeliveryChanged:
		return e.After, true
	}
	return events.DeliveryDetails{}, false
}

// Change changes the details of a delivery. What is nil stays.
type Change struct {
	Delivery uuid.UUID              // the subject of its personal data
	Known    events.DeliveryDetails // as they are, personal data opened

	DONumber, Date                   *string
	Address, Recipient, Phone, Email *string // empty: no longer given
	Items                            *[]events.Item
}

// Key returns the key that a delivery has after the change.
func (c Change) Key(k Key) Key {
	if c.DONumber != nil {
		k.DONumber = NormalNumber(*c.DONumber)
	}
	if c.Date != nil {
		k.Date = *c.Date
	}
	return k
}

// Decide gives DeliveryChanged; nothing when nothing differs.
func (c Change) Decide(s State) ([]events.Payload, error) {
	if err := s.open("changed"); err != nil {
		return nil, err
	}
	if c.erased() {
		return nil, fault.New(fault.Conflict, "delivery-erased", "The personal data of this delivery was erased; it takes no new.")
	}
	key := c.Key(s.Key)
	before := forgotten(c.Known)
	after := before
	after.DONumber, after.Date = key.DONumber, key.Date
	for _, f := range [...]struct {
		of *events.Personal
		to *string
	}{{&after.Address, c.Address}, {&after.Recipient, c.Recipient}, {&after.Phone, c.Phone}, {&after.Email, c.Email}} {
		if f.to != nil {
			*f.of = events.PersonalText(c.Delivery, strings.TrimSpace(*f.to))
		}
	}
	if c.Items != nil {
		after.Items = *c.Items
	}
	check := Create{DONumber: after.DONumber, Type: s.Key.Type, Date: after.Date, Items: after.Items,
		Address: after.Address.Text(), Recipient: after.Recipient.Text(), Phone: after.Phone.Text(), Email: after.Email.Text()}
	if err := check.check(); err != nil {
		return nil, err
	}
	if same(before, after) {
		return nil, nil
	}
	return []events.Payload{&events.DeliveryChanged{Before: before, After: after}}, nil
}

// erased reports whether the change would seal something new for a subject whose
// key is gone: with a new key, what was sealed before would no longer read as
// erased but as broken.
func (c Change) erased() bool {
	k := c.Known
	gone := k.Address.Erased() || k.Recipient.Erased() || k.Phone.Erased() || k.Email.Erased()
	return gone && (c.Address != nil || c.Recipient != nil || c.Phone != nil || c.Email != nil)
}

// forgotten returns details without what was erased, which cannot be sealed
// again.
func forgotten(d events.DeliveryDetails) events.DeliveryDetails {
	for _, p := range [...]*events.Personal{&d.Address, &d.Recipient, &d.Phone, &d.Email} {
		if p.Erased() {
			*p = events.Personal{}
		}
	}
	return d
}

func same(a, b events.DeliveryDetails) bool {
	return a.DONumber == b.DONumber && a.Date == b.Date && a.Address.Text() == b.Address.Text() &&
		a.Recipient.Text() == b.Recipient.Text() && a.Phone.Text() == b.Phone.Text() && a.Email.Text() == b.Email.Text() &&
		slices.Equal(a.Items, b.Items)
}

// Again returns the creation of the next attempt at a delivery with these
// details. Of a partial completion only what was rejected is attempted again.
func (s State) Again(previous uuid.UUID, date string, known events.DeliveryDetails) Create {
	known = forgotten(known)
	c := Create{Delivery: s.Next, DONumber: s.Key.DONumber, Type: s.Key.Type, Date: date, Group: s.Key.Group,
		Address: known.Address.Text(), Recipient: known.Recipient.Text(), Phone: known.Phone.Text(), Email: known.Email.Text(),
		Items: known.Items, Attempt: s.Attempt + 1, Previous: previous}
	if len(s.Rejected) == 0 {
		return c
	}
	c.Items = nil
	for _, it := range known.Items {
		for _, r := range s.Rejected {
			if r.Item == it.ID {
				it.Quantity = r.Quantity
				c.Items = append(c.Items, it)
			}
		}
	}
	return c
}
