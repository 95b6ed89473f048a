package readmodel

import (
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"waybill/events"
)

// clientRows are the columns that making and changing a client have in common.
const clientRows = `
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::uuid[], $10::uuid[], $11::text[], $12::text[], $13::uuid[], $14::uuid[], $15::text[],
            $16::timestamptz[], $17::boolean[], $18::text[], $19::timestamptz[], $20::boolean[], $21::boolean[])
    AS u (client_id, org_id, revision, position, business_name, contact, email, phone,
          dispatcher_id, group_id, mode, approval, user_id, invitation_id, invitation_state,
          invitation_expires_at, removed, fate, created_at, dispatched, linked)`

const insertClients = `
INSERT INTO read.clients (client_id, org_id, revision, position, business_name, contact, email, phone, dispatcher_id,
                          group_id, mode, approval, user_id, invitation_id, invitation_state, invitation_expires_at,
                          removed, fate, created_at)
SELECT client_id, org_id, revision, position, business_name, contact, email, phone, dispatcher_id,
       group_id, coalesce(mode, ''), coalesce(approval, ''), user_id, invitation_id, coalesce(invitation_state, ''),
       invitation_expires_at, coalesce(removed, false), coalesce(fate, ''), created_at` + clientRows + `
ON CONFLICT (client_id) DO UPDATE
SET revision = excluded.revision, position = excluded.position, business_name = excluded.business_name,
    contact = excluded.contact, email = excluded.email, phone = excluded.phone,
    dispatcher_id = excluded.dispatcher_id, group_id = excluded.group_id, mode = excluded.mode,
    approval = excluded.approval, user_id = excluded.user_id, invitation_id = excluded.invitation_id,
    invitation_state = excluded.invitation_state, invitation_expires_at = excluded.invitation_expires_at,
    removed = excluded.removed, fate = excluded.fate, created_at = excluded.created_at
WHERE clients.org_id = excluded.org_id AND clients.position < excluded.position`

// A null business name means that the details are as they were; of the personal
// ones, null means erased.
const updateClients = `
UPDATE read.clients c
SET revision = u.revision, position = u.position,
    business_name = coalesce(u.business_name, c.business_name),
    contact = CASE WHEN u.business_name IS NULL THEN c.contact ELSE u.contact END,
    email = CASE WHEN u.business_name IS NULL THEN c.email ELSE u.email END,
    phone = CASE WHEN u.business_name IS NULL THEN c.phone ELSE u.phone END,
    dispatcher_id = CASE WHEN u.dispatched THEN u.dispatcher_id ELSE c.dispatcher_id END,
    group_id = CASE WHEN u.linked THEN u.group_id ELSE c.group_id END,
    mode = coalesce(u.mode, c.mode), approval = coalesce(u.approval, c.approval),
    user_id = coalesce(u.user_id, c.user_id), invitation_id = coalesce(u.invitation_id, c.invitation_id),
    invitation_state = coalesce(u.invitation_state, c.invitation_state),
    invitation_expires_at = coalesce(u.invitation_expires_at, c.invitation_expires_at),
    removed = coalesce(u.removed, c.removed), fate = coalesce(u.fate, c.fate)` + clientRows + `
WHERE c.client_id = u.client_id AND c.org_id = u.org_id AND c.position < u.position`

// clientColumns are the rows of one statement.
type clientColumns struct {
	client, org, dispatcher, group, user, invitation ids
	revision, position                               longs
	businessName, contact, email, phone              texts
	mode, approval, invitationState, fate            texts
	invitationEnd, createdAt                         times
	removed                                          switches
	dispatched, linked                               flags
}

func (m clients) queue(b *pgx.Batch) {
	var made, changed clientColumns
	for _, key := range sorted(m) {
		if row := m[key]; row.made {
			made.add(key, row)
		} else {
			changed.add(key, row)
		}
	}
	made.queue(b, insertClients)
	changed.queue(b, updateClients)
}

func (c *clientColumns) add(key uuid.UUID, row client) {
	c.client = append(c.client, id(key))
	c.org = append(c.org, id(row.org))
	c.revision = append(c.revision, row.revision)
	c.position = append(c.position, row.position)
	c.details(row.details)
	c.dispatcher = append(c.dispatcher, idOf(row.dispatcher))
	c.group = append(c.group, idOf(row.group))
	c.dispatched = append(c.dispatched, row.dispatcher != nil)
	c.linked = append(c.linked, row.group != nil)
	c.mode = append(c.mode, said(row.mode))
	c.approval = append(c.approval, said(row.approval))
	c.user = append(c.user, id(row.user))
	c.invitation = append(c.invitation, id(row.invitation))
	c.invitationState = append(c.invitationState, said(row.invitationState))
	c.invitationEnd = append(c.invitationEnd, instant(row.invitationEnd))
	c.removed = append(c.removed, turned(row.removed))
	fate := text(row.fate)
	fate.Valid = row.removed != nil
	c.fate = append(c.fate, fate)
	c.createdAt = append(c.createdAt, instant(row.createdAt))
}

func (c *clientColumns) details(d *events.ClientDetails) {
	var name, contact, email, phone pgtype.Text
	if d != nil {
		name, contact, email, phone = text(d.BusinessName), personal(d.Contact), personal(d.Email), personal(d.Phone)
	}
	c.businessName = append(c.businessName, name)
	c.contact = append(c.contact, contact)
	c.email = append(c.email, email)
	c.phone = append(c.phone, phone)
}

// said makes an empty text null.
func said(s string) pgtype.Text {
	t := text(s)
	t.Valid = s != ""
	return t
}

func (c *clientColumns) queue(b *pgx.Batch, statement string) {
	if len(c.client) == 0 {
		return
	}
	b.Queue(statement, c.client, c.org, c.revision, c.position, c.businessName, c.contact, c.email, c.phone,
		c.dispatcher, c.group, c.mode, c.approval, c.user, c.invitation, c.invitationState, c.invitationEnd,
		c.removed, c.fate, c.createdAt, c.dispatched, c.linked)
}
