package client

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"waybill/events"
	"waybill/events/fault"
)

// CreateAccount makes the client an account, on its behalf.
type CreateAccount struct {
	Client         uuid.UUID
	Details        Details
	User, Identity uuid.UUID // of the contact
	At             time.Time
}

// Decide gives ClientAccountCreated; before it the end of an invitation that is
// open.
func (c CreateAccount) Decide(s State) ([]events.Payload, error) {
	if err := s.toBeAccount(); err != nil {
		return nil, err
	}
	details := c.Details.Tidy()
	if err := details.Check(); err != nil {
		return nil, err
	}
	return append(s.closing(c.At), &events.ClientAccountCreated{
		Mode: events.ModeOnBehalf, Approval: events.ApprovalNotRequired, Details: details.about(c.Client),
		User: c.User, Identity: c.Identity,
	}), nil
}

// toBeAccount refuses a client that cannot become an account.
func (s State) toBeAccount() error {
	if err := s.Present(); err != nil {
		return err
	}
	switch {
	case s.Mode != "":
		return hasAccount()
	case s.Group == uuid.Nil:
		return fault.New(fault.Conflict, "client-has-no-group", "The client has no group yet, which its account would see; make it first.")
	}
	return nil
}

func hasAccount() error {
	return fault.New(fault.Conflict, "client-has-account", "The client has an account already.")
}

// Notify records that the client was told.
type Notify struct{ Kind string }

// Decide gives ClientNotified; nothing when it was told so already.
func (c Notify) Decide(s State) ([]events.Payload, error) {
	if !s.Exists() {
		return nil, None()
	}
	if slices.Contains(s.Told, c.Kind) {
		return nil, nil
	}
	return []events.Payload{&events.ClientNotified{Kind: c.Kind}}, nil
}

// WithdrawApproval ends that the organisation manages the client's deliveries.
type WithdrawApproval struct{}

// Decide gives ClientApprovalWithdrawn; nothing when it is so already.
func (WithdrawApproval) Decide(s State) ([]events.Payload, error) {
	if err := s.account(); err != nil || s.Approval == events.ApprovalWithdrawn {
		return nil, err
	}
	return []events.Payload{&events.ClientApprovalWithdrawn{}}, nil
}

// GrantApproval lets the organisation manage the client's deliveries.
type GrantApproval struct{}

// Decide gives ClientApprovalGranted; nothing when the client approves already,
// or was never asked and has not withdrawn.
func (GrantApproval) Decide(s State) ([]events.Payload, error) {
	if err := s.account(); err != nil || s.Approval != events.ApprovalWithdrawn {
		return nil, err
	}
	return []events.Payload{&events.ClientApprovalGranted{Scope: events.ScopeManageDispatches}}, nil
}

// AssignDispatcher names the user who looks after the client.
type AssignDispatcher struct{ To uuid.UUID }

// Decide gives DispatcherAssigned; nothing when it is so already.
func (c AssignDispatcher) Decide(s State) ([]events.Payload, error) {
	if err := s.Present(); err != nil || s.Dispatcher == c.To {
		return nil, err
	}
	return []events.Payload{&events.DispatcherAssigned{From: s.Dispatcher, To: c.To}}, nil
}

// UnassignDispatcher leaves the client to the owners.
type UnassignDispatcher struct{ From uuid.UUID } // zero: whoever it is

// Decide gives DispatcherUnassigned; nothing when nobody, or somebody else, looks
// after the client.
func (c UnassignDispatcher) Decide(s State) ([]events.Payload, error) {
	switch {
	case !s.Exists():
		return nil, None()
	case s.Dispatcher == uuid.Nil, c.From != uuid.Nil && c.From != s.Dispatcher:
		return nil, nil
	}
	return []events.Payload{&events.DispatcherUnassigned{From: s.Dispatcher}}, nil
}

// Remove takes the client out of the list.
type Remove struct{ Fate string } // empty = as the account came to be

// Decide gives ClientRemoved. Without a fate, the people of an account made by
// invitation keep reading, those of one made on the client's behalf do not.
func (c Remove) Decide(s State) ([]events.Payload, error) {
	switch {
	case !s.Exists():
		return nil, None()
	case c.Fate != "" && c.Fate != events.FateEnded && c.Fate != events.FateKeptByClient:
		return nil, fault.InvalidField("fate", "must be %q or %q, or left out", events.FateKeptByClient, events.FateEnded)
	case c.Fate == events.FateKeptByClient && s.Mode == "":
		return nil, fault.InvalidField("fate", "can only be %q for a client without an account", events.FateEnded)
	case s.IsRemoved && (c.Fate == "" || c.Fate == s.Fate):
		return nil, nil
	case s.IsRemoved:
		return nil, fault.New(fault.Conflict, "client-removed", "The client was removed already, in another way; reinstate it first.")
	}
	if c.Fate == "" {
		c.Fate = events.FateEnded
		if s.Mode == events.ModeInvited {
			c.Fate = events.FateKeptByClient
		}
	}
	return []events.Payload{&events.ClientRemoved{Fate: c.Fate}}, nil
}

// Reinstate brings a removed client back to the state before.
type Reinstate struct{}

// Decide gives ClientReinstated; nothing when it was not removed.
func (Reinstate) Decide(s State) ([]events.Payload, error) {
	switch {
	case !s.Exists():
		return nil, None()
	case !s.IsRemoved:
		return nil, nil
	}
	return []events.Payload{&events.ClientReinstated{}}, nil
}
