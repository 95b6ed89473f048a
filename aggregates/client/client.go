// Package client decides about the clients of an organisation.
//
// It is pure: no clock, no I/O, no ids made inside. Who may do it, and whether
// the group and the dispatcher it names exist, is decided around it.
package client

import (
	"strings"

	"github.com/google/uuid"

	"waybill/events"
	"waybill/events/fault"
)

// The rules of a client.
//
//   - Adding a client puts it into the list; it is not an account yet. A
//     dispatcher may be named at once; without one the owners look after it.
//   - It is linked to exactly one group, which is linked to no other client.

// Added is the status of a client in the list.
const Added = "added"

// State is what a client has become. The zero value is a client that does not
// exist yet.
type State struct {
	Status     string // empty = does not exist
	Dispatcher uuid.UUID
	Group      uuid.UUID
	GroupName  string // the name its group was linked with
}

// Exists reports whether the client was added.
func (s State) Exists() bool { return s.Status != "" }

// Evolve returns the state after an event.
func Evolve(s State, p events.Payload) State {
	switch e := p.(type) {
	case *events.ClientAdded:
		s.Status = Added
	case *events.DispatcherAssigned:
		s.Dispatcher = e.To
	case *events.ClientGroupLinked:
		s.Group, s.GroupName = e.Group, e.GroupName
	}
	return s
}

// Touches returns the groups that an event of the client touches.
func Touches(_ uuid.UUID, s State, p events.Payload) []uuid.UUID {
	if e, ok := p.(*events.ClientGroupLinked); ok {
		return []uuid.UUID{e.Group}
	}
	if s.Group != uuid.Nil {
		return []uuid.UUID{s.Group}
	}
	return nil
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
	name := strings.Join(strings.Fields(c.BusinessName), " ")
	switch {
	case name == "":
		return nil, fault.InvalidField("business_name", "is required")
	case len([]rune(name)) > 200:
		return nil, fault.InvalidField("business_name", "must have at most 200 characters")
	case c.Email == "":
		return nil, fault.InvalidField("email", "is required")
	}
	evs := []events.Payload{&events.ClientAdded{
		BusinessName: name,
		Contact:      events.PersonalText(c.Client, strings.TrimSpace(c.Contact)),
		Email:        events.PersonalText(c.Client, c.Email),
	}}
	if c.Dispatcher != uuid.Nil {
		evs = append(evs, &events.DispatcherAssigned{To: c.Dispatcher})
	}
	return evs, nil
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
		return nil, fault.New(fault.NotFound, "client-not-found", "There is no such client.")
	case s.Group == c.Group:
		return nil, nil
	case s.Group != uuid.Nil:
		return nil, fault.New(fault.Conflict, "client-has-group", "The client is linked to the group %q already.", s.GroupName)
	}
	return []events.Payload{&events.ClientGroupLinked{Group: c.Group, GroupName: c.Name}}, nil
}
