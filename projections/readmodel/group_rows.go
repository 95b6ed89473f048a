package readmodel

import (
	"bytes"
	"cmp"
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
SET group_field = coalesce(u.group_field, o.group_field), timezone = coalesce(nullif(u.timezone, ''), o.timezone),
    position = u.position
FROM unnest($1::uuid[], $2::boolean[], $3::text[], $4::bigint[]) AS u (org_id, group_field, timezone, position)
WHERE o.org_id = u.org_id AND o.position < u.position`

func (o organisations) queue(b *pgx.Batch) {
	var made, changed struct {
		org, all             ids
		name, kind, timezone texts
		groupField           switches
		position             longs
	}
	for _, org := range sorted(o) {
		row := o[org]
		c, zone, field := &changed, row.zone, turned(row.groupField)
		if row.created != nil {
			c, zone, field.Valid = &made, cmp.Or(row.zone, row.created.Timezone), true // off at first
			c.all = append(c.all, id(row.all))
			c.name = append(c.name, text(row.created.Name))
			c.kind = append(c.kind, text(row.created.Kind))
		}
		c.org = append(c.org, id(org))
		c.timezone = append(c.timezone, text(zone))
		c.groupField = append(c.groupField, field)
		c.position = append(c.position, row.position)
	}
	if len(made.org) > 0 {
		b.Queue(insertOrganisations, made.org, made.all, made.name, made.kind, made.timezone, made.groupField, made.position)
	}
	if len(changed.org) > 0 {
		b.Queue(updateOrganisations, changed.org, changed.groupField, changed.timezone, changed.position)
	}
}

const insertGroups = `
INSERT INTO read.groups (group_id, org_id, kind, name, status, client_id, created_at, revision, position, merged_into,
                         import_template)
SELECT group_id, org_id, kind, name, status, client_id, created_at, revision, position, merged_into, import_template::jsonb
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::timestamptz[], $8::bigint[],
            $9::bigint[], $10::uuid[], $11::text[])
    AS u (group_id, org_id, kind, name, status, client_id, created_at, revision, position, merged_into, import_template)
ON CONFLICT (group_id) DO UPDATE
SET kind = excluded.kind, name = excluded.name, status = excluded.status, client_id = excluded.client_id,
    created_at = excluded.created_at, revision = excluded.revision, position = excluded.position,
    merged_into = excluded.merged_into, import_template = excluded.import_template
WHERE groups.org_id = excluded.org_id AND groups.position < excluded.position`

const updateGroups = `
UPDATE read.groups g
SET status = coalesce(nullif(u.status, ''), g.status), name = coalesce(nullif(u.name, ''), g.name),
    merged_into = coalesce(u.merged_into, g.merged_into),
    import_template = CASE WHEN u.templated THEN u.import_template::jsonb ELSE g.import_template END,
    revision = u.revision, position = u.position
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::boolean[], $7::text[], $8::bigint[], $9::bigint[])
    AS u (group_id, org_id, status, name, merged_into, templated, import_template, revision, position)
WHERE g.group_id = u.group_id AND g.org_id = u.org_id AND g.position < u.position`

// templateOrganisations copies the template of an ALL group to its organisation,
// from the group's row, which is guarded.
const templateOrganisations = `
UPDATE read.organisations o
SET import_template = g.import_template
FROM unnest($1::uuid[], $2::uuid[]) AS u (org_id, group_id)
JOIN read.groups g ON g.group_id = u.group_id AND g.org_id = u.org_id
WHERE o.org_id = u.org_id AND o.all_group_id = u.group_id`

// groupColumns are those of created and changed groups; kind, client and
// createdAt belong to the first only, templated to the second.
type groupColumns struct {
	group, org, client, into     ids
	kind, name, status, template texts
	createdAt                    times
	templated                    flags
	revision, position           longs
}

func (g groups) queue(b *pgx.Batch) {
	var made, changed, organisations groupColumns
	for _, key := range sorted(g) {
		row := g[key]
		c, name := &changed, row.name
		if row.created != nil {
			c, name = &made, cmp.Or(row.name, row.created.Name)
			c.kind = append(c.kind, text(row.created.Kind))
			c.client = append(c.client, id(row.created.Client))
			c.createdAt = append(c.createdAt, recorded(row.createdAt))
		}
		template := ""
		if row.template != nil {
			template = *row.template
			organisations.org = append(organisations.org, id(row.org))
			organisations.group = append(organisations.group, id(key))
		}
		c.group = append(c.group, id(key))
		c.org = append(c.org, id(row.org))
		c.status = append(c.status, text(row.status))
		c.name = append(c.name, text(name))
		c.into = append(c.into, id(row.into))
		c.templated = append(c.templated, row.template != nil)
		c.template = append(c.template, document(template))
		c.revision = append(c.revision, row.revision)
		c.position = append(c.position, row.position)
	}
	if c := made; len(c.group) > 0 {
		b.Queue(insertGroups, c.group, c.org, c.kind, c.name, c.status, c.client, c.createdAt, c.revision, c.position, c.into, c.template)
	}
	if c := changed; len(c.group) > 0 {
		b.Queue(updateGroups, c.group, c.org, c.status, c.name, c.into, c.templated, c.template, c.revision, c.position)
	}
	if c := organisations; len(c.group) > 0 {
		b.Queue(templateOrganisations, c.org, c.group)
	}
}

// sorted returns the keys in the order of the database, so that statements take
// locks and touch pages in one order.
func sorted[V any](m map[uuid.UUID]V) []uuid.UUID {
	return slices.SortedFunc(maps.Keys(m), compare)
}

func compare(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }
