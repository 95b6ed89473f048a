// Package client decides about the clients of an organisation.
//
// It is pure: no clock, no I/O, no ids made inside. Who may do it, and whether
// the group, the dispatcher and the person it names exist, is decided around it.
package client

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"waybill/events"
	"waybill/events/fault"
)

// The rules of a client.
//
//   - added -> (invited ->) active <-> approval_withdrawn; any of them ->
//     removed -> reinstated, which is the state before.
//   - Adding a client puts it into the list; it is not an account yet. A
//     dispatcher may be named at once; without one the owners look after it.
//   - It is linked to exactly one group, which is linked to no other client.
//   - It becomes an account once: made on its behalf, without its approval, or
//     by its own acceptance of an invitation, which is its approval.
//   - One invitation is open at a time, until its time is over, even when nobody
//     records that. It is bound to the e-mail it was made for; whoever comes with
//     another one is refused, and it stays open. An account made on the client's
//     behalf closes it.
//   - The client withdraws its approval and grants it again. Withdrawn or
//     removed, nobody manages its deliveries.
//   - Removed, its people keep reading what is theirs, or their logins end.

// Statuses of a client.
const (
	Added     = "added"
	Invited   = "invited"
	Active    = "active"
	Withdrawn = "approval_withdrawn"
	Removed   = "removed"
)

// State is what a client has become. The zero value is a client that does not
// exist yet. It holds no personal data. Its slices are shared between states: do
// not modify them.
type State struct {
	added      bool
	Events     uint64   // how many there were
	Told       []string // kinds of notice that the client got
	Dispatcher uuid.UUID
	Group      uuid.UUID
	GroupName  string // the name its group was linked with

	Mode     string    // empty = not an account
	Approval string    // of an account
	User     uuid.UUID // of the account's contact
	Identity uuid.UUID // of the account's contact

	Invitation    uuid.UUID // the last one
	Open          bool      // the last invitation was not answered, withdrawn or recorded as expired
	InvitationEnd time.Time
	Accepted      uuid.UUID // the invitation that was accepted
	PasswordSet   bool      // a password came with the acceptance
	Refused       int       // attempts to accept the last invitation that were turned away

	IsRemoved bool
	Fate      string // of a removed client

	// Where in the client's stream it stands what a state leaves out: the number
	// of an event, from 1; zero = there is none.
	Details  uint64   // the last event that said who the client is
	Invited  uint64   // the last invitation
	Assigned uint64   // the last naming of a dispatcher
	Approved []uint64 // the last approvals, the oldest first, at most ApprovalsKept
	Entitled uint64   // since which event [State.EntitledTo] has its answer
}

// ApprovalsKept is of how many approvals a state knows where they stand.
const ApprovalsKept = 5

// Exists reports whether the client was added.
func (s State) Exists() bool { return s.added }

// Status returns one of the statuses; empty for a client that does not exist.
func (s State) Status() string {
	switch {
	case !s.added:
		return ""
	case s.IsRemoved:
		return Removed
	case s.Mode != "" && s.Approval == events.ApprovalWithdrawn:
		return Withdrawn
	case s.Mode != "":
		return Active
	case s.Open:
		return Invited
	default:
		return Added
	}
}

// Manageable reports whether the organisation may work on the client's
// deliveries. It may for one that is only in the list.
func (s State) Manageable() bool {
	status := s.Status()
	return status != Removed && status != Withdrawn
}

// EntitledTo returns the user who looks after the client and may see what is in
// its group: the dispatcher of an active account. The zero id is nobody.
func (s State) EntitledTo() uuid.UUID {
	if s.Status() != Active || s.Group == uuid.Nil {
		return uuid.Nil
	}
	return s.Dispatcher
}

// Evolve returns the state after an event.
func Evolve(s State, p events.Payload) State {
	was := s.EntitledTo()
	s = evolve(s, p)
	s.Events++
	switch p.(type) {
	case *events.ClientAdded, *events.ClientDetailsChanged, *events.ClientAccountCreated:
		s.Details = s.Events
	case *events.ClientInvited:
		s.Invited = s.Events
	case *events.DispatcherAssigned:
		s.Assigned = s.Events
	case *events.ClientApprovalGranted:
		s.Approved = append(slices.Clone(s.Approved[max(0, len(s.Approved)-ApprovalsKept+1):]), s.Events)
	}
	if s.EntitledTo() != was {
		s.Entitled = s.Events
	}
	return s
}

func evolve(s State, p events.Payload) State {
	switch e := p.(type) {
	case *events.ClientAdded:
		s.added = true
	case *events.DispatcherAssigned:
		s.Dispatcher = e.To
	case *events.DispatcherUnassigned:
		s.Dispatcher = uuid.Nil
	case *events.ClientGroupLinked:
		s.Group, s.GroupName = e.Group, e.GroupName
	case *events.ClientAccountCreated:
		s.Mode, s.Approval, s.User, s.Identity = e.Mode, e.Approval, e.User, e.Identity
	case *events.ClientNotified:
		s.Told = append(slices.Clip(s.Told), e.Kind)
	case *events.ClientInvited:
		s.Invitation, s.InvitationEnd, s.Open, s.Refused = e.Invitation, e.ExpiresAt, true, 0
	case *events.ClientInvitationResent:
		s.InvitationEnd = e.ExpiresAt
	case *events.ClientInvitationAccepted:
		s.Open, s.Accepted, s.PasswordSet = false, e.Invitation, e.PasswordSet
	case *events.ClientInvitationRevoked, *events.ClientInvitationExpired, *events.ClientInvitationDeclined:
		s.Open = false
	case *events.ClientInvitationAcceptanceRefused:
		s.Refused++
	case *events.ClientApprovalGranted:
		s.Approval = events.ApprovalGranted
	case *events.ClientApprovalWithdrawn:
		s.Approval = events.ApprovalWithdrawn
	case *events.ClientRemoved:
		s.IsRemoved, s.Fate = true, e.Fate
	case *events.ClientReinstated:
		s.IsRemoved, s.Fate = false, ""
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

// None is the answer about a client that does not exist, or not for the caller.
func None() error { return fault.New(fault.NotFound, "client-not-found", "There is no such client.") }

// Present refuses a client that does not exist or was removed.
func (s State) Present() error {
	switch {
	case !s.added:
		return None()
	case s.IsRemoved:
		return fault.New(fault.Conflict, "client-removed", "The client was removed; reinstate it first.")
	}
	return nil
}

// account refuses a client that is no account, or was removed.
func (s State) account() error {
	if err := s.Present(); err != nil {
		return err
	}
	if s.Mode == "" {
		return fault.New(fault.Conflict, "client-has-no-account", "The client is in the list, and has no account yet.")
	}
	return nil
}
