package readmodel_test

import (
	"context"

	"waybill/events"
)

// client takes an event of a client.
func (n naive) client(ctx context.Context, e events.Event) error {
	id, m := e.Stream.UUID().String(), e.Metadata
	set := func(assignments string, args ...any) error {
		return n.do(ctx, `UPDATE read.clients SET `+assignments+` WHERE client_id = $1`, append([]any{id}, args...)...)
	}
	details := func(d events.ClientDetails) error {
		return set(`business_name = $2, contact = $3, email = $4, phone = $5`, d.BusinessName, plain(d.Contact), plain(d.Email), plain(d.Phone))
	}
	switch p := e.Payload.(type) {
	case *events.ClientAdded:
		return n.do(ctx, `INSERT INTO read.clients (client_id, org_id, business_name, contact, email, phone, created_at, revision, position)
			VALUES ($1, $2, $3, $4, $5, '', $6, 0, 0)`, id, e.Stream.Org.String(), p.BusinessName, plain(p.Contact), plain(p.Email), m.RecordedAt)
	case *events.ClientDetailsChanged:
		return details(p.After)
	case *events.ClientAccountCreated:
		if err := details(p.Details); err != nil {
			return err
		}
		return set(`mode = $2, approval = $3, user_id = $4`, p.Mode, p.Approval, null(p.User))
	case *events.DispatcherAssigned:
		return set(`dispatcher_id = $2`, null(p.To))
	case *events.DispatcherUnassigned:
		return set(`dispatcher_id = NULL`)
	case *events.ClientGroupLinked:
		return set(`group_id = $2`, null(p.Group))
	case *events.ClientInvited:
		return set(`invitation_id = $2, invitation_state = 'open', invitation_expires_at = $3`, null(p.Invitation), p.ExpiresAt)
	case *events.ClientInvitationResent:
		return set(`invitation_expires_at = $2`, p.ExpiresAt)
	case *events.ClientInvitationAccepted:
		return set(`invitation_state = 'accepted'`)
	case *events.ClientInvitationDeclined:
		return set(`invitation_state = 'declined'`)
	case *events.ClientInvitationRevoked:
		return set(`invitation_state = 'revoked'`)
	case *events.ClientInvitationExpired:
		return set(`invitation_state = 'expired'`)
	case *events.ClientApprovalGranted:
		return set(`approval = 'granted'`)
	case *events.ClientApprovalWithdrawn:
		return set(`approval = 'withdrawn'`)
	case *events.ClientRemoved:
		return set(`removed = true, fate = $2`, p.Fate)
	case *events.ClientReinstated:
		return set(`removed = false, fate = ''`)
	}
	return nil
}
