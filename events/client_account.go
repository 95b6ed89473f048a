package events

import "github.com/google/uuid"

// ClientAdded puts a client in the organisation's list; it is not yet an account.
type ClientAdded struct {
	BusinessName string   `json:"business_name"`
	Contact      Personal `json:"contact,omitzero"` // name of the person
	Email        Personal `json:"email"`
}

// DispatcherAssigned names the user who looks after the client.
type DispatcherAssigned struct {
	From uuid.UUID `json:"from,omitzero"` // the dispatcher before; zero = none, the owners looked after it
	To   uuid.UUID `json:"to"`
}

// ClientGroupLinked ties the client to its group, one to one.
type ClientGroupLinked struct {
	Group     uuid.UUID `json:"group"`
	GroupName string    `json:"group_name"` // the name its group is created with
}

func (e *ClientAdded) personal() []*Personal { return []*Personal{&e.Contact, &e.Email} }

// EventType implements Payload.
func (*ClientAdded) EventType() string { return "ClientAdded" }

// EventType implements Payload.
func (*DispatcherAssigned) EventType() string { return "DispatcherAssigned" }

// EventType implements Payload.
func (*ClientGroupLinked) EventType() string { return "ClientGroupLinked" }
