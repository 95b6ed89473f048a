package readmodel

import (
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"waybill/events"
)

// user folds an event of a User's stream.
func (f *fold) user(at place, e events.Event) error {
	yes, no := true, false
	var change user
	switch p := e.Payload.(type) {
	case *events.UserAdded:
		if err := key("name", p.Name.Text()); err != nil {
			return err
		}
		f.users[at.id] = user{place: at, created: p, createdAt: e.Metadata.RecordedAt}
		return nil
	case *events.UserInvitationAccepted:
		change.accepted = &yes
	case *events.UserBlocked:
		change.blocked = &yes
	case *events.UserUnblocked:
		if !p.StillBlocked {
			change.blocked = &no
		}
	case *events.UserRemoved:
		change.removed = &yes
	case *events.UserRoleChanged:
		change.role = p.To
	case *events.UserPermissionsSet:
		permissions, err := json.Marshal(p.After, json.Deterministic(true))
		if err != nil {
			return err
		}
		change.permissions = jsonText(permissions)
	case *events.AllGroupsAccessGranted:
		f.grants.opened(at, e, grant{id: p.Grant, basis: p.Basis})
	case *events.GroupAccessGranted:
		f.grants.opened(at, e, grant{id: p.Grant, group: p.Group, basis: p.Basis, source: p.Origin, expiresAt: p.ExpiresAt})
	case *events.GroupAccessRevoked:
		f.grants.ended(at, e, p.Grant, p.Cause)
	case *events.AllGroupsAccessRevoked:
		f.grants.ended(at, e, p.Grant, p.Cause)
	case *events.GroupAccessExpired:
		f.grants.ended(at, e, p.Grant, causeExpired)
	case *events.GroupAccessRequested:
		f.requests.opened(at, e, p)
	case *events.GroupAccessRequestApproved:
		f.requests.decided(at, e, p.Request, requestApproved)
	case *events.GroupAccessRequestDenied:
		f.requests.decided(at, e, p.Request, requestDenied)
	case *events.UserInvited, *events.UserInvitationResent, *events.UserInvitationRevoked, *events.UserInvitationExpired,
		*events.UserInvitationAcceptanceRefused, *events.PasswordResetRequested, *events.PasswordSet,
		*events.AccessReviewed, *events.CreationAbandoned:
	default:
		return unexpected(e)
	}
	f.users.change(at, change)
	return nil
}

// user is what a run does to a row of read.users.
type user struct {
	place
	created           *events.UserAdded // nil: the row is there already
	createdAt         time.Time
	accepted, blocked *bool  // nil: unchanged
	removed           *bool  // nil: unchanged
	role              string // empty: unchanged
	permissions       string // JSON; empty: unchanged
}

type users map[uuid.UUID]user

func (u users) change(at place, c user) {
	row := u[at.id]
	row.place = at
	if c.accepted != nil {
		row.accepted = c.accepted
	}
	if c.blocked != nil {
		row.blocked = c.blocked
	}
	if c.removed != nil {
		row.removed = c.removed
	}
	if c.role != "" {
		row.role = c.role
	}
	if c.permissions != "" {
		row.permissions = c.permissions
	}
	u[at.id] = row
}

const insertUsers = `
INSERT INTO read.users (user_id, org_id, identity_id, name, email, role, accepted, blocked, removed, permissions,
                        created_at, revision, position)
SELECT user_id, org_id, identity_id, name, email, role, coalesce(accepted, false), coalesce(blocked, false),
       coalesce(removed, false), coalesce(permissions, '{}')::jsonb, created_at, revision, position
FROM unnest($1::uuid[], $2::uuid[], $3::boolean[], $4::boolean[], $5::boolean[], $6::text[], $7::text[], $8::bigint[], $9::bigint[],
            $10::uuid[], $11::text[], $12::text[], $13::timestamptz[])
    AS u (user_id, org_id, accepted, blocked, removed, role, permissions, revision, position,
          identity_id, name, email, created_at)
ON CONFLICT (user_id) DO UPDATE
SET identity_id = excluded.identity_id, name = excluded.name, email = excluded.email, role = excluded.role,
    accepted = excluded.accepted, blocked = excluded.blocked, removed = excluded.removed, permissions = excluded.permissions,
    created_at = excluded.created_at, revision = excluded.revision, position = excluded.position
WHERE users.org_id = excluded.org_id AND users.position < excluded.position`

const updateUsers = `
UPDATE read.users x
SET accepted = coalesce(u.accepted, x.accepted), blocked = coalesce(u.blocked, x.blocked),
    removed = coalesce(u.removed, x.removed), role = coalesce(nullif(u.role, ''), x.role),
    permissions = coalesce(u.permissions::jsonb, x.permissions), revision = u.revision, position = u.position
FROM unnest($1::uuid[], $2::uuid[], $3::boolean[], $4::boolean[], $5::boolean[], $6::text[], $7::text[], $8::bigint[], $9::bigint[])
    AS u (user_id, org_id, accepted, blocked, removed, role, permissions, revision, position)
WHERE x.user_id = u.user_id AND x.org_id = u.org_id AND x.position < u.position`

func (u users) queue(b *pgx.Batch) {
	var made, changed struct {
		user, org, identity            ids
		accepted, blocked, removed     switches
		permissions, name, email, role texts
		revision, position             longs
		createdAt                      times
	}
	for _, key := range sorted(u) {
		row := u[key]
		c := &changed
		if p := row.created; p != nil {
			c = &made
			c.identity = append(c.identity, pgtype.UUID{Bytes: p.Identity, Valid: true})
			c.name = append(c.name, personal(p.Name))
			c.email = append(c.email, personal(p.Email))
			if row.role == "" {
				row.role = p.Role
			}
			c.createdAt = append(c.createdAt, recorded(row.createdAt))
		}
		c.user = append(c.user, id(key))
		c.org = append(c.org, id(row.org))
		c.accepted = append(c.accepted, turned(row.accepted))
		c.blocked = append(c.blocked, turned(row.blocked))
		c.removed = append(c.removed, turned(row.removed))
		c.role = append(c.role, text(row.role))
		c.permissions = append(c.permissions, document(row.permissions))
		c.revision = append(c.revision, row.revision)
		c.position = append(c.position, row.position)
	}
	if c := made; len(c.user) > 0 {
		b.Queue(insertUsers, c.user, c.org, c.accepted, c.blocked, c.removed, c.role, c.permissions, c.revision, c.position,
			c.identity, c.name, c.email, c.createdAt)
	}
	if c := changed; len(c.user) > 0 {
		b.Queue(updateUsers, c.user, c.org, c.accepted, c.blocked, c.removed, c.role, c.permissions, c.revision, c.position)
	}
}
