package readmodel

import (
	"time"

	"github.com/google/uuid"

	"waybill/events"
)

// States of a client's last invitation.
const (
	invitationOpen     = "open"
	invitationAccepted = "accepted"
	invitationDeclined = "declined"
	invitationRevoked  = "revoked"
	invitationExpired  = "expired"
)

// client is what a run does to a row of read.clients.
type client struct {
	place
	made              bool // false: the row is there already
	createdAt         time.Time
	details           *events.ClientDetails // nil: unchanged
	dispatcher, group *uuid.UUID            // nil: unchanged
	mode, approval    string                // empty: unchanged
	user              uuid.UUID             // zero: unchanged
	invitation        uuid.UUID             // zero: unchanged
	invitationState   string                // empty: unchanged
	invitationEnd     time.Time             // zero: unchanged
	removed           *bool                 // nil: unchanged
	fate              string                // with removed
}

type clients map[uuid.UUID]client

// client folds an event of a ClientAccount's stream.
func (f *fold) client(at place, e events.Event) error {
	row := f.clients[at.id]
	row.place = at
	switch p := e.Payload.(type) {
	case *events.ClientAdded:
		row = client{place: at, made: true, createdAt: e.Metadata.RecordedAt,
			details: &events.ClientDetails{BusinessName: p.BusinessName, Contact: p.Contact, Email: p.Email}}
	case *events.ClientDetailsChanged:
		row.details = &p.After
	case *events.ClientAccountCreated:
		row.details, row.mode, row.approval, row.user = &p.Details, p.Mode, p.Approval, p.User
	case *events.DispatcherAssigned:
		row.dispatcher = &p.To
	case *events.DispatcherUnassigned:
		row.dispatcher = &uuid.UUID{}
	case *events.ClientGroupLinked:
		row.group = &p.Group
	case *events.ClientApprovalGranted:
		row.approval = events.ApprovalGranted
	case *events.ClientApprovalWithdrawn:
		row.approval = events.ApprovalWithdrawn
	case *events.ClientRemoved:
		row.removed, row.fate = new(true), p.Fate
	case *events.ClientReinstated:
		row.removed, row.fate = new(false), ""
	case *events.ClientNotified, *events.ClientInvitationAcceptanceRefused, *events.CreationAbandoned:
	default:
		if !row.invited(e.Payload) {
			return unexpected(e)
		}
	}
	if row.details != nil {
		if err := key("business_name", row.details.BusinessName); err != nil {
			return err
		}
	}
	f.clients[at.id] = row
	return nil
}

// invited folds what happens to an invitation, and reports whether it was that.
func (c *client) invited(p events.Payload) bool {
	switch p := p.(type) {
	case *events.ClientInvited:
		c.invitation, c.invitationState, c.invitationEnd = p.Invitation, invitationOpen, p.ExpiresAt
	case *events.ClientInvitationResent:
		c.invitationEnd = p.ExpiresAt
	case *events.ClientInvitationAccepted:
		c.invitationState = invitationAccepted
	case *events.ClientInvitationDeclined:
		c.invitationState = invitationDeclined
	case *events.ClientInvitationRevoked:
		c.invitationState = invitationRevoked
	case *events.ClientInvitationExpired:
		c.invitationState = invitationExpired
	default:
		return false
	}
	return true
}
