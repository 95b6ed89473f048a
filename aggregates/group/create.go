package group

import (
	"github.com/google/uuid"

	"waybill/events"
	"waybill/events/fault"
)

// errAbandoned is what a creation gets whose name was given to somebody else
// while it stood still.
func errAbandoned() error {
	return fault.New(fault.Conflict, "creation-abandoned",
		"This creation was overtaken by another one before it was finished; send it again as a new request.")
}

// CreateOrganisation makes the ALL group, and with it the organisation.
type CreateOrganisation struct {
	Organisation events.Organisation
	Owner        uuid.UUID // the user who will be the first owner
}

// Decide gives GroupCreated and OwnerAdded.
func (c CreateOrganisation) Decide(s State) ([]events.Payload, error) {
	if s.Exists() {
		return nil, fault.New(fault.Conflict, "organisation-exists", "The organisation exists already.")
	}
	o := c.Organisation
	o.Name = Tidy(o.Name)
	if err := checkText("name", o.Name); err != nil {
		return nil, err
	}
	if o.Kind != events.OrganisationOperator && o.Kind != events.OrganisationIndependentDispatcher {
		return nil, fault.InvalidField("kind", "must be %q or %q", events.OrganisationOperator, events.OrganisationIndependentDispatcher)
	}
	if err := checkTimezone(o.Timezone); err != nil {
		return nil, err
	}
	return []events.Payload{
		&events.GroupCreated{Kind: events.GroupKindAll, Name: NameOfAll, Organisation: &o},
		&events.OwnerAdded{User: c.Owner},
	}, nil
}

// Create makes a group of kind standard, or of kind client when Client is set.
type Create struct {
	Name   string
	Client uuid.UUID
}

// Decide gives GroupCreated.
func (c Create) Decide(s State) ([]events.Payload, error) {
	switch {
	case s.Abandoned:
		return nil, errAbandoned()
	case s.Exists():
		return nil, fault.New(fault.Conflict, "group-exists", "The group exists already.")
	}
	if err := CheckName("name", c.Name); err != nil {
		return nil, err
	}
	kind := events.GroupKindStandard
	if c.Client != uuid.Nil {
		kind = events.GroupKindClient
	}
	return []events.Payload{&events.GroupCreated{Kind: kind, Name: Tidy(c.Name), Client: c.Client}}, nil
}
