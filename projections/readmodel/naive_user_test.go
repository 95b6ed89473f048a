package readmodel_test

import (
	"context"

	"github.com/google/uuid"

	"waybill/events"
)

// access takes what happens to users and to their access.
func (n naive) access(ctx context.Context, e events.Event) error {
	id, org, m := e.Stream.UUID().String(), e.Stream.Org.String(), e.Metadata
	switch p := e.Payload.(type) {
	case *events.GroupAccessRevoked:
		return n.ended(ctx, e, p.Grant, p.Cause)
	case *events.AllGroupsAccessRevoked:
		return n.ended(ctx, e, p.Grant, p.Cause)
	case *events.GroupAccessExpired:
		return n.ended(ctx, e, p.Grant, "expired")
	case *events.UserRemoved:
		return n.do(ctx, `UPDATE read.users SET removed = true WHERE user_id = $1`, id)
	case *events.UserRoleChanged:
		return n.do(ctx, `UPDATE read.users SET role = $2 WHERE user_id = $1`, id, p.To)
	case *events.GroupAccessRequested:
		var expires any
		if !p.ExpiresAt.IsZero() {
			expires = p.ExpiresAt
		}
		if err := n.do(ctx, `DELETE FROM read.access_requests WHERE request_id = $1`, p.Request.String()); err != nil {
			return err
		}
		return n.do(ctx, `INSERT INTO read.access_requests VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'open', NULL, NULL, NULL, $9, NULL)`,
			p.Request.String(), org, id, p.Group.String(), m.RecordedAt, m.Actor.String(), m.Reason, expires, int64(e.Record.Position.Commit))
	case *events.GroupAccessRequestApproved:
		return n.decided(ctx, e, p.Request, "approved")
	case *events.GroupAccessRequestDenied:
		return n.decided(ctx, e, p.Request, "denied")
	}
	return nil
}

func (n naive) ended(ctx context.Context, e events.Event, grant uuid.UUID, cause string) error {
	m := e.Metadata
	return n.do(ctx, `UPDATE read.grants SET ended_at = $2, ended_by = $3, ended_position = $4, ended_reason = $5, ended_cause = $6
		WHERE grant_id = $1 AND ended_at IS NULL`,
		grant.String(), m.RecordedAt, m.Actor.String(), int64(e.Record.Position.Commit), m.Reason, cause)
}

func (n naive) decided(ctx context.Context, e events.Event, request uuid.UUID, status string) error {
	m := e.Metadata
	return n.do(ctx, `UPDATE read.access_requests
		SET status = $2, decided_at = $3, decided_by = $4, decided_reason = $5, decided_position = $6
		WHERE request_id = $1 AND decided_at IS NULL`,
		request.String(), status, m.RecordedAt, m.Actor.String(), m.Reason, int64(e.Record.Position.Commit))
}
