package mail

import (
	"slices"

	"github.com/google/uuid"

	"waybill/aggregates/client"
	"waybill/aggregates/user"
	"waybill/events"
)

// Why a mail is dropped.
const (
	reasonExpired    = "expired"
	reasonSuperseded = "superseded"
	reasonAccepted   = "accepted"
	reasonRevoked    = "revoked"
	reasonDeclined   = "declined"
	reasonAccount    = "account created"
	reasonSet        = "password set"
	reasonBlocked    = "blocked"
	reasonUnblocked  = "unblocked"
	reasonBefore     = "blocked before"
	reasonRemoved    = "removed"
	reasonErased     = "address erased"
)

// overtaken returns what came after an event that makes its mail pointless; empty
// when nothing did.
func overtaken(kind string, after []events.Event) string {
	for _, e := range after {
		if reason := overtakes(kind, e.Payload); reason != "" {
			return reason
		}
	}
	return ""
}

func overtakes(kind string, p events.Payload) string {
	switch kind {
	case KindUserInvitation:
		switch p.(type) {
		case *events.UserInvited, *events.UserInvitationResent:
			return reasonSuperseded
		case *events.UserInvitationAccepted:
			return reasonAccepted
		case *events.UserInvitationRevoked:
			return reasonRevoked
		case *events.UserInvitationExpired:
			return reasonExpired
		}
	case KindPasswordReset:
		switch p.(type) {
		case *events.PasswordResetRequested:
			return reasonSuperseded
		case *events.PasswordSet:
			return reasonSet
		}
	case KindClientInvitation:
		switch p.(type) {
		case *events.ClientInvited, *events.ClientInvitationResent:
			return reasonSuperseded
		case *events.ClientInvitationAccepted:
			return reasonAccepted
		case *events.ClientInvitationDeclined:
			return reasonDeclined
		case *events.ClientInvitationRevoked:
			return reasonRevoked
		case *events.ClientInvitationExpired:
			return reasonExpired
		case *events.ClientAccountCreated:
			return reasonAccount
		}
	}
	return ""
}

// split divides a stream at an event; false when it is not there.
func split(history []events.Event, id uuid.UUID) (before []events.Event, at events.Event, after []events.Event, ok bool) {
	i := slices.IndexFunc(history, func(e events.Event) bool { return e.Record.ID == id })
	if i < 0 {
		return nil, events.Event{}, nil, false
	}
	return history[:i], history[i], history[i+1:], true
}

// person is a user as its mails need it.
type person struct {
	user.State
	name string // empty when erased
}

func personOf(history []events.Event) person {
	var p person
	for _, e := range history {
		p.State = user.Evolve(p.State, e.Payload)
		if added, ok := e.Payload.(*events.UserAdded); ok {
			p.name = added.Name.Text()
		}
	}
	return p
}

// over returns why the last invitation of an invited user lets nobody in any more,
// empty when it does.
func (p person) over(history []events.Event) string {
	last := 0
	for i, e := range history {
		if overtakes(KindUserInvitation, e.Payload) == reasonSuperseded { // it is one
			last = i
		}
	}
	return overtaken(KindUserInvitation, history[last+1:])
}

// userStanding returns why a mail about a user is pointless by now, empty when it
// is not. history is the user's whole stream, before its part until the event.
func userStanding(kind string, before, history []events.Event) string {
	now := personOf(history)
	switch {
	case now.Status == user.Removed:
		return reasonRemoved
	case kind != KindUserBlocked && now.Status == user.Blocked:
		return reasonBlocked
	case kind == KindUserBlocked && now.Status != user.Blocked:
		return reasonUnblocked
	case kind == KindUserBlocked && personOf(before).Status == user.Blocked:
		return reasonBefore
	}
	return ""
}

// account is a client as its mails need it.
type account struct {
	client.State
	business, contact, invited string // empty when erased
}

func accountOf(history []events.Event) account {
	var a account
	for _, e := range history {
		a.State = client.Evolve(a.State, e.Payload)
		switch p := e.Payload.(type) {
		case *events.ClientAdded:
			a.business, a.contact = p.BusinessName, p.Contact.Text()
		case *events.ClientDetailsChanged:
			a.business, a.contact = p.After.BusinessName, p.After.Contact.Text()
		case *events.ClientAccountCreated:
			a.business, a.contact = p.Details.BusinessName, p.Details.Contact.Text()
		case *events.ClientInvited:
			a.invited = p.Email.Text()
		}
	}
	return a
}
