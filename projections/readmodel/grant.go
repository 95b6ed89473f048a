package readmodel

import (
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/events"
)

// grant is what a run does to a row of read.grants.
type grant struct {
	place         // of the event that opened it, or that ended it when the row is there already
	id, group     uuid.UUID
	basis, source string
	expiresAt     time.Time
	at            time.Time
	by, reason    string
	approval      string // JSON
	made          bool   // false: the row is there already
	endedAt       time.Time
	endedBy       string
	endedReason   string // what was said
	endedCause    string // what else it was part of
	endedPosition int64  // 0: not ended
}

type grants map[uuid.UUID]grant

// opened takes a grant that begins with event e, also one that begins again.
func (g grants) opened(at place, e events.Event, row grant) {
	row.place, row.made = at, true
	row.at, row.by, row.reason = e.Metadata.RecordedAt, e.Metadata.Actor.String(), e.Metadata.Reason
	row.approval = approval(e.Metadata.Approval)
	g[row.id] = row
}

// causeExpired is the cause of the end of a grant whose time is over.
const causeExpired = "expired"

// ended ends a grant with event e; of several ends the first counts.
func (g grants) ended(at place, e events.Event, grant uuid.UUID, cause string) {
	row, ok := g[grant]
	if ok && row.endedPosition != 0 {
		return
	}
	if !ok {
		row.place, row.id = at, grant
	}
	row.endedAt, row.endedBy, row.endedPosition = e.Metadata.RecordedAt, e.Metadata.Actor.String(), at.position
	row.endedReason, row.endedCause = e.Metadata.Reason, cause
	g[grant] = row
}

func approval(a events.Approval) string {
	if a == (events.Approval{}) {
		return ""
	}
	b, err := json.Marshal(a)
	if err != nil {
		return "" // four strings that were read from JSON
	}
	return jsonText(b)
}

const insertGrants = `
INSERT INTO read.grants (grant_id, org_id, user_id, group_id, basis, source, granted_at, granted_by, reason,
                         approval, expires_at, ended_at, ended_by, ended_reason, ended_cause, position, ended_position)
SELECT grant_id, org_id, user_id, group_id, basis, source, granted_at, granted_by, reason,
       approval::jsonb, expires_at, ended_at, ended_by, ended_reason, ended_cause, position, ended_position
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::timestamptz[], $8::text[],
            $9::text[], $10::text[], $11::timestamptz[], $12::timestamptz[], $13::text[], $14::text[], $15::text[],
            $16::bigint[], $17::bigint[])
    AS u (grant_id, org_id, user_id, group_id, basis, source, granted_at, granted_by,
          reason, approval, expires_at, ended_at, ended_by, ended_reason, ended_cause, position, ended_position)
ON CONFLICT (grant_id) DO UPDATE
SET group_id = excluded.group_id, basis = excluded.basis, source = excluded.source,
    granted_at = excluded.granted_at, granted_by = excluded.granted_by, reason = excluded.reason,
    approval = excluded.approval, expires_at = excluded.expires_at, ended_at = excluded.ended_at,
    ended_by = excluded.ended_by, ended_reason = excluded.ended_reason, ended_cause = excluded.ended_cause,
    position = excluded.position, ended_position = excluded.ended_position
WHERE grants.org_id = excluded.org_id AND grants.user_id = excluded.user_id AND grants.position < excluded.position`

const endGrants = `
UPDATE read.grants g
SET ended_at = u.ended_at, ended_by = u.ended_by, ended_reason = u.ended_reason, ended_cause = u.ended_cause,
    ended_position = u.ended_position
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::bigint[])
    AS u (grant_id, org_id, user_id, ended_at, ended_by, ended_reason, ended_cause, ended_position)
WHERE g.grant_id = u.grant_id AND g.org_id = u.org_id AND g.user_id = u.user_id
  AND g.ended_at IS NULL AND g.position < u.ended_position`

func (g grants) queue(b *pgx.Batch) {
	var made, over struct {
		grant, org, user, group                   ids
		basis, source, by, reason, approval, ends texts
		endReason, endCause                       texts
		at, expiresAt, endedAt                    times
		position, endedPosition                   marks
	}
	for _, key := range sorted(g) {
		row := g[key]
		c := &over
		if row.made {
			c = &made
			c.group = append(c.group, id(row.group))
			c.basis = append(c.basis, text(row.basis))
			c.source = append(c.source, text(row.source))
			c.at = append(c.at, recorded(row.at))
			c.by = append(c.by, text(row.by))
			c.reason = append(c.reason, text(row.reason))
			c.approval = append(c.approval, document(row.approval))
			c.expiresAt = append(c.expiresAt, instant(row.expiresAt))
			c.position = append(c.position, mark(row.position))
		}
		c.grant = append(c.grant, id(row.id))
		c.org = append(c.org, id(row.org))
		c.user = append(c.user, id(row.place.id))
		ended := mark(row.endedPosition)
		endedAt, endedBy, why, cause := recorded(row.endedAt), text(row.endedBy), text(row.endedReason), text(row.endedCause)
		endedAt.Valid, endedBy.Valid, why.Valid, cause.Valid = ended.Valid, ended.Valid, ended.Valid, ended.Valid
		c.endedAt = append(c.endedAt, endedAt)
		c.ends = append(c.ends, endedBy)
		c.endReason = append(c.endReason, why)
		c.endCause = append(c.endCause, cause)
		c.endedPosition = append(c.endedPosition, ended)
	}
	if c := made; len(c.grant) > 0 {
		b.Queue(insertGrants, c.grant, c.org, c.user, c.group, c.basis, c.source, c.at, c.by, c.reason, c.approval,
			c.expiresAt, c.endedAt, c.ends, c.endReason, c.endCause, c.position, c.endedPosition)
	}
	if c := over; len(c.grant) > 0 {
		b.Queue(endGrants, c.grant, c.org, c.user, c.endedAt, c.ends, c.endReason, c.endCause, c.endedPosition)
	}
}
