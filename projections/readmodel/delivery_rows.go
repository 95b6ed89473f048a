package readmodel

import (
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// writeDeliveries creates and changes deliveries and moves the counts of progress
// by the exact difference: a row's old state, as the statement finds it, counts
// less one, its new state one more. Rows that are as new as the entry, or newer,
// neither change nor count.
const writeDeliveries = `
WITH created AS MATERIALIZED (
    SELECT c.*, d.position AS old_position, d.group_id AS old_group_id, d.status AS old_status,
           d.vehicle_id AS old_vehicle_id, d.date AS old_date
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::timestamptz[], $7::bigint[], $8::bigint[],
                $9::text[], $10::text[], $11::date[], $12::int[], $13::int[], $14::text[], $15::timestamptz[])
        AS c (delivery_id, org_id, group_id, vehicle_id, status, updated_at, revision, position,
              do_number, type, date, attempt, item_count, details, created_at)
    LEFT JOIN read.deliveries d ON d.delivery_id = c.delivery_id
    WHERE d.delivery_id IS NULL OR (d.org_id = c.org_id AND d.position < c.position)
), changed AS MATERIALIZED (
    SELECT d.delivery_id, d.org_id, d.date,
           CASE WHEN u.tagged THEN u.group_id ELSE d.group_id END AS group_id,
           CASE WHEN u.assigned THEN u.vehicle_id ELSE d.vehicle_id END AS vehicle_id,
           coalesce(nullif(u.status, ''), d.status) AS status,
           u.updated_at, u.revision, u.position,
           d.group_id AS old_group_id, d.status AS old_status, d.vehicle_id AS old_vehicle_id
    FROM unnest($16::uuid[], $17::uuid[], $18::uuid[], $19::uuid[], $20::text[], $21::timestamptz[], $22::bigint[],
                $23::bigint[], $24::boolean[], $25::boolean[])
        AS u (delivery_id, org_id, group_id, vehicle_id, status, updated_at, revision, position, tagged, assigned)
    JOIN read.deliveries d ON d.delivery_id = u.delivery_id AND d.org_id = u.org_id
    WHERE d.position < u.position
), inserted AS (
    INSERT INTO read.deliveries (delivery_id, org_id, group_id, do_number, type, date, status, vehicle_id, attempt,
                                 item_count, details, created_at, updated_at, revision, position)
    SELECT delivery_id, org_id, group_id, do_number, type, date, status, vehicle_id, attempt,
           item_count, details, created_at, updated_at, revision, position
    FROM created
    ON CONFLICT (delivery_id) DO UPDATE
    SET group_id = excluded.group_id, do_number = excluded.do_number, type = excluded.type, date = excluded.date,
        status = excluded.status, vehicle_id = excluded.vehicle_id, attempt = excluded.attempt,
        item_count = excluded.item_count, details = excluded.details, created_at = excluded.created_at,
        updated_at = excluded.updated_at, revision = excluded.revision, position = excluded.position
), updated AS (
    UPDATE read.deliveries d
    SET group_id = u.group_id, vehicle_id = u.vehicle_id, status = u.status,
        updated_at = u.updated_at, revision = u.revision, position = u.position
    FROM changed u
    WHERE d.delivery_id = u.delivery_id
), moved (org_id, group_id, status, vehicle_id, date, n) AS (
    SELECT org_id, group_id, status, vehicle_id, date, 1 FROM created
    UNION ALL
    SELECT org_id, old_group_id, old_status, old_vehicle_id, old_date, -1 FROM created WHERE old_position IS NOT NULL
    UNION ALL
    SELECT org_id, group_id, status, vehicle_id, date, 1 FROM changed
    UNION ALL
    SELECT org_id, old_group_id, old_status, old_vehicle_id, date, -1 FROM changed
), delta AS MATERIALIZED (
    SELECT m.org_id, coalesce(m.group_id, '00000000-0000-0000-0000-000000000000') AS group_id, m.status, k.vehicle,
           CASE WHEN k.vehicle THEN m.date ELSE '-infinity' END AS date, sum(m.n)::bigint AS n
    FROM moved m, LATERAL (SELECT m.status = 'dispatched' AND m.vehicle_id IS NOT NULL AS vehicle) k
    GROUP BY 1, 2, 3, 4, 5
    HAVING sum(m.n) <> 0
), counted AS MATERIALIZED (
    SELECT d.*, p.count
    FROM delta d
    LEFT JOIN read.progress p ON p.org_id = d.org_id AND p.group_id = d.group_id AND p.status = d.status
                             AND p.vehicle = d.vehicle AND p.date = d.date
), emptied AS (
    DELETE FROM read.progress p
    USING counted c
    WHERE p.org_id = c.org_id AND p.group_id = c.group_id AND p.status = c.status
      AND p.vehicle = c.vehicle AND p.date = c.date AND c.count + c.n = 0
)
INSERT INTO read.progress (org_id, group_id, status, vehicle, date, count)
SELECT org_id, group_id, status, vehicle, date, n
FROM counted
WHERE count IS NULL OR count + n <> 0
ON CONFLICT (org_id, group_id, status, vehicle, date) DO UPDATE
SET count = progress.count + excluded.count`

const insertItems = `
INSERT INTO read.delivery_items (delivery_id, line, org_id, item_id, sku, description, quantity, unit)
SELECT * FROM unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[])
ON CONFLICT (delivery_id, line) DO NOTHING`

const insertTimeline = `
INSERT INTO read.delivery_timeline (delivery_id, revision, org_id, type, at, actor, from_group, to_group, reason, detail)
SELECT delivery_id, revision, org_id, type, at, actor, from_group, to_group, reason, detail::jsonb
FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::timestamptz[], $6::text[], $7::uuid[], $8::uuid[],
            $9::text[], $10::text[])
    AS u (delivery_id, revision, org_id, type, at, actor, from_group, to_group, reason, detail)
ON CONFLICT (delivery_id, revision) DO NOTHING`

// deliveryColumns are those of created and changed deliveries; the last three
// groups of fields belong to one of the two only.
type deliveryColumns struct {
	delivery, org, group, vehicle ids
	status                        texts
	updatedAt                     times
	revision, position            longs

	doNumber, kind, details texts // created
	date                    dates
	attempt, itemCount      ints
	createdAt               times

	tagged, assigned flags // changed
}

func (d *deliveries) queue(b *pgx.Batch) {
	if len(d.rows) > 0 {
		d.queueRows(b)
	}
	if len(d.items) > 0 {
		d.queueItems(b)
	}
	if len(d.timeline) > 0 {
		d.queueTimeline(b)
	}
}

func (d *deliveries) queueRows(b *pgx.Batch) {
	rows := make([]*delivery, len(d.rows))
	for i := range d.rows {
		rows[i] = &d.rows[i]
	}
	slices.SortFunc(rows, func(a, b *delivery) int { return compare(a.id, b.id) })
	var made, changed deliveryColumns
	for _, row := range rows {
		c := &changed
		if p := row.created; p != nil {
			c = &made
			c.doNumber = append(c.doNumber, text(p.DONumber))
			c.kind = append(c.kind, text(p.Type))
			c.date = append(c.date, pgtype.Date{Time: row.date, Valid: true})
			c.attempt = append(c.attempt, int32(p.Attempt))
			c.itemCount = append(c.itemCount, int32(len(p.Items)))
			c.details = append(c.details, text(details(p)))
			c.createdAt = append(c.createdAt, recorded(row.createdAt))
		} else {
			c.tagged = append(c.tagged, row.tagged)
			c.assigned = append(c.assigned, row.assigned)
		}
		c.delivery = append(c.delivery, id(row.id))
		c.org = append(c.org, id(row.org))
		c.group = append(c.group, id(row.group))
		c.vehicle = append(c.vehicle, id(row.vehicle))
		c.status = append(c.status, text(row.status))
		c.updatedAt = append(c.updatedAt, recorded(row.updatedAt))
		c.revision = append(c.revision, row.revision)
		c.position = append(c.position, row.position)
	}
	m, c := &made, &changed
	b.Queue(writeDeliveries,
		m.delivery, m.org, m.group, m.vehicle, m.status, m.updatedAt, m.revision, m.position,
		m.doNumber, m.kind, m.date, m.attempt, m.itemCount, m.details, m.createdAt,
		c.delivery, c.org, c.group, c.vehicle, c.status, c.updatedAt, c.revision, c.position, c.tagged, c.assigned)
}

func (d *deliveries) queueItems(b *pgx.Batch) {
	var delivery, org ids
	var line ints
	var itemID, sku, description, unit texts
	var quantity longs
	for _, it := range d.items {
		delivery = append(delivery, id(it.delivery))
		line = append(line, it.line)
		org = append(org, id(it.org))
		itemID = append(itemID, text(it.ID))
		sku = append(sku, text(it.SKU))
		description = append(description, text(it.Description))
		quantity = append(quantity, it.Quantity)
		unit = append(unit, text(it.Unit))
	}
	b.Queue(insertItems, delivery, line, org, itemID, sku, description, quantity, unit)
}

func (d *deliveries) queueTimeline(b *pgx.Batch) {
	var delivery, org, from, to ids
	var revision longs
	var kind, actor, reason, detail texts
	var at times
	for _, s := range d.timeline {
		delivery = append(delivery, id(s.id))
		revision = append(revision, s.revision)
		org = append(org, id(s.org))
		kind = append(kind, text(s.kind))
		at = append(at, recorded(s.at))
		actor = append(actor, text(s.actor))
		from = append(from, id(s.from))
		to = append(to, id(s.to))
		reason = append(reason, text(s.reason))
		detail = append(detail, document(s.detail))
	}
	b.Queue(insertTimeline, delivery, revision, org, kind, at, actor, from, to, reason, detail)
}
