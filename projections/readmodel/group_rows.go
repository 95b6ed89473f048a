package readmodel

import (
	"bytes"
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

const insertOrganisations = `
INSERT INTO read.organisations (org_id, all_group_id, name, kind, timezone, group_field, position)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::bigint[])
ON CONFLICT (org_id) DO UPDATE
SET all_group_id = excluded.all_group_id, name = excluded.name, kind = excluded.kind,
    timezone = excluded.timezone, group_field = excluded.group_field, position = excluded.position
WHERE organisations.position < excluded.position`

const updateOrganisations = `
UPDATE read.organisations o
SET group_field = u.group_field, position = u.position
FROM unnest($1::uuid[], $2::boolean[], $3::bigint[]) AS u (org_id, group_field, position)
WHERE o.org_id = u.org_id AND o.position < u.position`

func (o organisations) queue(b *pgx.Batch) {
	var made, changed struct {
		org, all             ids
		name, kind, timezone texts
		groupField           flags
		position             longs
	}
	for _, org := range sorted(o) {
		row := o[org]
		c := &changed
		if row.created != nil {
			c = &made
			c.all = append(c.all, id(row.all))
			c.name = append(c.name, text(row.created.Name))
			c.kind = append(c.kind, text(row.created.Kind))
			c.timezone = append(c.timezone, text(row.created.Timezone))
		}
		c.org = append(c.org, id(org))
		c.groupField = append(c.groupField, row.groupField != nil && *row.groupField)
		c.position = append(c.position, row.position)
	}
	if len(made.org) > 0 {
		b.Queue(insertOrganisations, made.org, made.all, made.name, made.kind, made.timezone, made.groupField, made.position)
	}
	if len(changed.org) > 0 {
		b.Queue(updateOrganisations, changed.org, changed.groupField, changed.position)
	}
}

const insertGroups = `
INSERT INTO read.groups (group_id, org_id, kind, name, status, client_id, created_at, revision, position)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::timestamptz[],
                     $8::bigint[], $9::bigint[])
ON CONFLICT (group_id) DO UPDATE
SET kind = excluded.kind, name = excluded.name, status = excluded.status, client_id = excluded.client_id,
    created_at = excluded.created_at, revision = excluded.revision, position = excluded.position
WHERE groups.org_id = excluded.org_id AND groups.position < excluded.position`

const updateGroups = `
UPDATE read.groups g
SET status = coalesce(nullif(u.status, ''), g.status), revision = u.revision, position = u.position
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::bigint[])
    AS u (group_id, org_id, status, revision, position)
WHERE g.group_id = u.group_id AND g.org_id = u.org_id AND g.position < u.position`

func (g groups) queue(b *pgx.Batch) {
	var made, changed struct {
		group, org, client ids
		kind, name, status texts
		createdAt          times
		revision, position longs
	}
	for _, key := range sorted(g) {
		row := g[key]
		c := &changed
		if row.created != nil {
			c = &made
			c.kind = append(c.kind, text(row.created.Kind))
			c.name = append(c.name, text(row.created.Name))
			c.client = append(c.client, id(row.created.Client))
			c.createdAt = append(c.createdAt, recorded(row.createdAt))
		}
		c.group = append(c.group, id(key))
		c.org = append(c.org, id(row.org))
		c.status = append(c.status, text(row.status))
		c.revision = append(c.revision, row.revision)
		c.position = append(c.position, row.position)
	}
	if len(made.group) > 0 {
		b.Queue(insertGroups, made.group, made.org, made.kind, made.name, made.status, made.client, made.createdAt,
			made.revision, made.position)
	}
	if len(changed.group) > 0 {
		b.Queue(updateGroups, changed.group, changed.org, changed.status, changed.revision, changed.position)
	}
}

// sorted returns the keys in the order of the database, so that statements take
// locks and touch pages in one order.
func sorted[V any](m map[uuid.UUID]V) []uuid.UUID {
	return slices.SortedFunc(maps.Keys(m), compare)
}

func compare(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }
