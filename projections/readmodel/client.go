package readmodel

import (
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/events"
)

// clientAdded is the status of a client that is in the list and has no account yet.
const clientAdded = "added"

// client folds an event of a ClientAccount's stream.
func (f *fold) client(at place, e events.Event) error {
	row := f.clients[at.id]
	row.place = at
	switch p := e.Payload.(type) {
	case *events.ClientAdded:
		if err := key("business_name", p.BusinessName); err != nil {
			return err
		}
		row = client{place: at, created: p, createdAt: e.Metadata.RecordedAt}
	case *events.DispatcherAssigned:
		row.dispatcher = &p.To
	case *events.ClientGroupLinked:
		row.group = &p.Group
	case *events.CreationAbandoned:
	default:
		return unexpected(e)
	}
	f.clients[at.id] = row
	return nil
}

// client is what a run does to a row of read.clients.
type client struct {
	place
	created           *events.ClientAdded // nil: the row is there already
	createdAt         time.Time
	dispatcher, group *uuid.UUID // nil: unchanged
}

type clients map[uuid.UUID]client

const insertClients = `
INSERT INTO read.clients (client_id, org_id, dispatcher_id, group_id, revision, position,
                          business_name, contact, email, status, created_at)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::bigint[], $6::bigint[],
                     $7::text[], $8::text[], $9::text[], $10::text[], $11::timestamptz[])
ON CONFLICT (client_id) DO UPDATE
SET dispatcher_id = excluded.dispatcher_id, group_id = excluded.group_id, revision = excluded.revision,
    position = excluded.position, business_name = excluded.business_name, contact = excluded.contact,
    email = excluded.email, status = excluded.status, created_at = excluded.created_at
WHERE clients.org_id = excluded.org_id AND clients.position < excluded.position`

const updateClients = `
UPDATE read.clients c
SET dispatcher_id = CASE WHEN u.dispatched THEN u.dispatcher_id ELSE c.dispatcher_id END,
    group_id = CASE WHEN u.linked THEN u.group_id ELSE c.group_id END,
    revision = u.revision, position = u.position
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::bigint[], $6::bigint[], $7::boolean[], $8::boolean[])
    AS u (client_id, org_id, dispatcher_id, group_id, revision, position, dispatched, linked)
WHERE c.client_id = u.client_id AND c.org_id = u.org_id AND c.position < u.position`

func (m clients) queue(b *pgx.Batch) {
	var made, changed struct {
		client, org, dispatcher, group       ids
		revision, position                   longs
		businessName, contact, email, status texts
		createdAt                            times
		dispatched, linked                   flags
	}
	for _, key := range sorted(m) {
		row := m[key]
		c := &changed
		if p := row.created; p != nil {
			c = &made
			c.businessName = append(c.businessName, text(p.BusinessName))
			c.contact = append(c.contact, personal(p.Contact))
			c.email = append(c.email, personal(p.Email))
			c.status = append(c.status, text(clientAdded))
			c.createdAt = append(c.createdAt, recorded(row.createdAt))
		}
		c.client = append(c.client, id(key))
		c.org = append(c.org, id(row.org))
		c.dispatcher = append(c.dispatcher, idOf(row.dispatcher))
		c.group = append(c.group, idOf(row.group))
		c.revision = append(c.revision, row.revision)
		c.position = append(c.position, row.position)
		c.dispatched = append(c.dispatched, row.dispatcher != nil)
		c.linked = append(c.linked, row.group != nil)
	}
	if c := made; len(c.client) > 0 {
		b.Queue(insertClients, c.client, c.org, c.dispatcher, c.group, c.revision, c.position,
			c.businessName, c.contact, c.email, c.status, c.createdAt)
	}
	if c := changed; len(c.client) > 0 {
		b.Queue(updateClients, c.client, c.org, c.dispatcher, c.group, c.revision, c.position, c.dispatched, c.linked)
	}
}
