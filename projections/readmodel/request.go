package readmodel

import (
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/events"
)

// Statuses of a request for access.
const (
	requestOpen     = "open"
	requestApproved = "approved"
	requestDenied   = "denied"
)

// request is what a run does to a row of read.access_requests.
type request struct {
	place           // of the event that opened it, or that decided it when the row is there already
	id              uuid.UUID
	made            *events.GroupAccessRequested // nil: the row is there already
	at              time.Time
	by, reason      string
	status          string
	decidedAt       time.Time
	decidedBy       string
	decidedReason   string
	decidedPosition int64 // 0: not decided
}

type requests map[uuid.UUID]request

func (r requests) opened(at place, e events.Event, p *events.GroupAccessRequested) {
	r[p.Request] = request{
		place: at, id: p.Request, made: p, status: requestOpen,
		at: e.Metadata.RecordedAt, by: e.Metadata.Actor.String(), reason: e.Metadata.Reason,
	}
}

// decided ends a request with event e; of several decisions the first counts.
func (r requests) decided(at place, e events.Event, id uuid.UUID, status string) {
	row, ok := r[id]
	if ok && row.decidedPosition != 0 {
		return
	}
	if !ok {
		row.place, row.id = at, id
	}
	row.status, row.decidedPosition = status, at.position
	row.decidedAt, row.decidedBy, row.decidedReason = e.Metadata.RecordedAt, e.Metadata.Actor.String(), e.Metadata.Reason
	r[id] = row
}

const insertRequests = `
INSERT INTO read.access_requests (request_id, org_id, user_id, group_id, requested_at, requested_by, reason, expires_at,
                                  status, decided_at, decided_by, decided_reason, position, decided_position)
SELECT request_id, org_id, user_id, group_id, requested_at, requested_by, reason, expires_at,
       status, decided_at, decided_by, decided_reason, position, decided_position
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[], $6::text[], $7::text[], $8::bigint[],
            $9::uuid[], $10::timestamptz[], $11::text[], $12::text[], $13::timestamptz[], $14::bigint[])
    AS u (request_id, org_id, user_id, status, decided_at, decided_by, decided_reason, decided_position,
          group_id, requested_at, requested_by, reason, expires_at, position)
ON CONFLICT (request_id) DO UPDATE
SET group_id = excluded.group_id, requested_at = excluded.requested_at, requested_by = excluded.requested_by,
    reason = excluded.reason, expires_at = excluded.expires_at, status = excluded.status,
    decided_at = excluded.decided_at, decided_by = excluded.decided_by, decided_reason = excluded.decided_reason,
    position = excluded.position, decided_position = excluded.decided_position
WHERE access_requests.org_id = excluded.org_id AND access_requests.user_id = excluded.user_id
  AND access_requests.position < excluded.position`

const decideRequests = `
UPDATE read.access_requests r
SET status = u.status, decided_at = u.decided_at, decided_by = u.decided_by, decided_reason = u.decided_reason,
    decided_position = u.decided_position
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[], $6::text[], $7::text[], $8::bigint[])
    AS u (request_id, org_id, user_id, status, decided_at, decided_by, decided_reason, decided_position)
WHERE r.request_id = u.request_id AND r.org_id = u.org_id AND r.user_id = u.user_id
  AND r.decided_at IS NULL AND r.position < u.decided_position`

func (r requests) queue(b *pgx.Batch) {
	var made, over struct {
		request, org, user, group ids
		status, by, reason        texts
		decidedBy, decidedReason  texts
		at, expiresAt, decidedAt  times
		position, decidedPosition marks
	}
	for _, key := range sorted(r) {
		row := r[key]
		c := &over
		if p := row.made; p != nil {
			c = &made
			c.group = append(c.group, id(p.Group))
			c.at = append(c.at, recorded(row.at))
			c.by = append(c.by, text(row.by))
			c.reason = append(c.reason, text(row.reason))
			c.expiresAt = append(c.expiresAt, instant(p.ExpiresAt))
			c.position = append(c.position, mark(row.position))
		}
		decided := mark(row.decidedPosition)
		at, by, why := recorded(row.decidedAt), text(row.decidedBy), text(row.decidedReason)
		at.Valid, by.Valid, why.Valid = decided.Valid, decided.Valid, decided.Valid
		c.request = append(c.request, id(row.id))
		c.org = append(c.org, id(row.org))
		c.user = append(c.user, id(row.place.id))
		c.status = append(c.status, text(row.status))
		c.decidedAt = append(c.decidedAt, at)
		c.decidedBy = append(c.decidedBy, by)
		c.decidedReason = append(c.decidedReason, why)
		c.decidedPosition = append(c.decidedPosition, decided)
	}
	if c := made; len(c.request) > 0 {
		b.Queue(insertRequests, c.request, c.org, c.user, c.status, c.decidedAt, c.decidedBy, c.decidedReason, c.decidedPosition,
			c.group, c.at, c.by, c.reason, c.expiresAt, c.position)
	}
	if c := over; len(c.request) > 0 {
		b.Queue(decideRequests, c.request, c.org, c.user, c.status, c.decidedAt, c.decidedBy, c.decidedReason, c.decidedPosition)
	}
}
