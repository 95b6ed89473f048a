package client

import (
	"strings"

	"github.com/google/uuid"

	"waybill/events"
	"waybill/events/fault"
)

// Details are what is known of a client, in the clear.
type Details struct {
	BusinessName   string
	Contact, Phone string // may be empty
	Email          string // in its normal form
}

// Lengths of what is known of a client, in characters.
const (
	maxName  = 200
	maxPhone = 50
)

// Tidy returns the details without needless blanks.
func (d Details) Tidy() Details {
	d.BusinessName = strings.Join(strings.Fields(d.BusinessName), " ")
	d.Contact, d.Phone = strings.TrimSpace(d.Contact), strings.TrimSpace(d.Phone)
	return d
}

// Check refuses details that are missing or too long.
func (d Details) Check() error {
	switch {
	case d.BusinessName == "":
		return fault.InvalidField("business_name", "is required")
	case len([]rune(d.BusinessName)) > maxName:
		return fault.InvalidField("business_name", "must have at most %d characters", maxName)
	case len([]rune(d.Contact)) > maxName:
		return fault.InvalidField("contact", "must have at most %d characters", maxName)
	case len([]rune(d.Phone)) > maxPhone:
		return fault.InvalidField("phone", "must have at most %d characters", maxPhone)
	case d.Email == "":
		return fault.InvalidField("email", "is required")
	}
	return nil
}

// about returns the details as an event about the client holds them.
func (d Details) about(client uuid.UUID) events.ClientDetails {
	return events.ClientDetails{
		BusinessName: d.BusinessName, Contact: events.PersonalText(client, d.Contact),
		Email: events.PersonalText(client, d.Email), Phone: events.PersonalText(client, d.Phone),
	}
}

// Add puts a client into the list.
type Add struct {
	Client         uuid.UUID // the subject of its personal data
	BusinessName   string
	Contact, Email string    // Email in its normal form
	Dispatcher     uuid.UUID // zero = none
}

// Decide gives ClientAdded, and DispatcherAssigned when there is one.
func (c Add) Decide(s State) ([]events.Payload, error) {
	if s.Exists() {
		return nil, fault.New(fault.Conflict, "client-exists", "The client exists already.")
	}
	d := Details{BusinessName: c.BusinessName, Contact: c.Contact, Email: c.Email}.Tidy()
	if err := d.Check(); err != nil {
		return nil, err
	}
	said := d.about(c.Client)
	evs := []events.Payload{&events.ClientAdded{BusinessName: said.BusinessName, Contact: said.Contact, Email: said.Email}}
	if c.Dispatcher != uuid.Nil {
		evs = append(evs, &events.DispatcherAssigned{To: c.Dispatcher})
	}
	return evs, nil
}

// ChangeDetails replaces what is known of the client.
type ChangeDetails struct {
	Client        uuid.UUID
	Before, After Details // Before is what the state's events say
}

// Decide gives ClientDetailsChanged; nothing when they are so already.
func (c ChangeDetails) Decide(s State) ([]events.Payload, error) {
	if err := s.Present(); err != nil {
		return nil, err
	}
	after := c.After.Tidy()
	if err := after.Check(); err != nil {
		return nil, err
	}
	if after == c.Before {
		return nil, nil
	}
	return []events.Payload{&events.ClientDetailsChanged{Before: c.Before.about(c.Client), After: after.about(c.Client)}}, nil
}

// LinkGroup ties the client to its group, which exists already.
type LinkGroup struct {
	Group uuid.UUID
	Name  string
}

// Decide gives ClientGroupLinked; nothing when it is linked to it already.
func (c LinkGroup) Decide(s State) ([]events.Payload, error) {
	switch {
	case !s.Exists():
		return nil, None()
	case s.Group == c.Group:
		return nil, nil
	case s.Group != uuid.Nil:
		return nil, fault.New(fault.Conflict, "client-has-group", "The client has a group already.")
	}
	return []events.Payload{&events.ClientGroupLinked{Group: c.Group, GroupName: c.Name}}, nil
}
