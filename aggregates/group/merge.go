package group

import (
	"github.com/google/uuid"

	"waybill/events"
	"waybill/events/fault"
)

// Merge ends the group for good; its deliveries move to another one.
type Merge struct {
	Source uuid.UUID // the group itself
	Into   uuid.UUID
	Target State // what Into has become

	// Widened are the users who gain sight of the group's deliveries, and
	// Deliveries is how many these are.
	Widened    []uuid.UUID
	Deliveries int64

	// Acknowledged says that the caller knows who gains sight of what.
	Acknowledged bool
}

// Decide gives GroupMerged; nothing when it was merged into that group already.
func (c Merge) Decide(s State) ([]events.Payload, error) {
	if err := s.ordinary(); err != nil {
		return nil, err
	}
	switch {
	case s.Status == Merged && s.Into == c.Into:
		return nil, nil
	case c.Source == c.Into:
		return nil, fault.InvalidField("into", "must be another group")
	}
	if err := s.Usable(); err != nil {
		return nil, err
	}
	if err := c.Target.Usable(); err != nil {
		return nil, err
	}
	switch {
	case s.Client != uuid.Nil && c.Target.Client != uuid.Nil && s.Client != c.Target.Client:
		return nil, fault.New(fault.Conflict, "groups-of-different-clients", "The groups %q and %q belong to different clients, so they are never merged.", s.Name, c.Target.Name)
	case s.Client != uuid.Nil:
		return nil, fault.New(fault.Conflict, "group-of-client", "The group %q is a client's own and stays; merge %q into it instead.", s.Name, c.Target.Name)
	case len(c.Widened) > 0 && c.Deliveries > 0 && !c.Acknowledged:
		return nil, fault.New(fault.Conflict, "widening-not-acknowledged",
			"Users of the group %q would gain sight of deliveries of %q. Look at who gains what with dry_run=true, then say acknowledge_widening.", c.Target.Name, s.Name)
	}
	return []events.Payload{&events.GroupMerged{Into: c.Into, Widened: c.Widened}}, nil
}
