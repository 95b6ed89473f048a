package readmodel

import (
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// writeDeliveries creates and changes deliveries and moves the counts of progress
// by the exact difference: a row's old state, as the statement finds it, counts
// less one, its new state one more, and what is deleted not at all. Rows that are
// as new as the entry, or newer, neither change nor count. An array that is
// shorter than the others ends in nulls, which mean unchanged.
const writeDeliveries = `
WITH created AS MATERIALIZED (
    SELECT c.*, d.position AS old_position, d.group_id AS old_group_id, d.status AS old_status,
           d.vehicle_id AS old_vehicle_id, d.date AS old_date, d.deleted AS old_deleted
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::timestamptz[], $7::bigint[], $8::bigint[],
                $9::text[], $10::date[], $11::int[], $12::text[], $13::text[], $14::text[], $15::timestamptz[], $16::uuid[],
                $17::boolean[], $18::text[], $19::int[], $20::timestamptz[], $21::uuid[])
        AS c (delivery_id, org_id, group_id, vehicle_id, status, updated_at, revision, position,
              do_number, date, item_count, details, search, mark, eta, next_id, deleted,
              type, attempt, created_at, previous_id)
    LEFT JOIN read.deliveries d ON d.delivery_id = c.delivery_id
    WHERE d.delivery_id IS NULL OR (d.org_id = c.org_id AND d.position < c.position)
), changed AS MATERIALIZED (
    SELECT d.delivery_id, d.org_id,
           CASE WHEN u.tagged THEN u.group_id ELSE d.group_id END AS group_id,
           CASE WHEN u.assigned THEN u.vehicle_id ELSE d.vehicle_id END AS vehicle_id,
           coalesce(nullif(u.status, ''), d.status) AS status,
           u.updated_at, u.revision, u.position,
           coalesce(u.do_number, d.do_number) AS do_number,
           coalesce(u.date, d.date) AS date,
           coalesce(u.item_count, d.item_count) AS item_count,
           coalesce('"type":' || to_json(d.type) || ',"attempt":' || d.attempt || u.details, d.details) AS details,
           coalesce(u.search, d.search) AS search,
           coalesce(u.mark, d.mark) AS mark,
           coalesce(u.eta, d.eta) AS eta,
           coalesce(u.next_id, d.next_id) AS next_id,
           coalesce(u.deleted, d.deleted) AS deleted,
           d.group_id AS old_group_id, d.status AS old_status, d.vehicle_id AS old_vehicle_id, d.date AS old_date,
           d.deleted AS old_deleted
    FROM unnest($22::uuid[], $23::uuid[], $24::uuid[], $25::uuid[], $26::text[], $27::timestamptz[], $28::bigint[],
                $29::bigint[], $30::text[], $31::date[], $32::int[], $33::text[], $34::text[], $35::text[], $36::timestamptz[],
                $37::uuid[], $38::boolean[], $39::boolean[], $40::boolean[])
        AS u (delivery_id, org_id, group_id, vehicle_id, status, updated_at, revision, position,
              do_number, date, item_count, details, search, mark, eta, next_id, deleted, tagged, assigned)
    JOIN read.deliveries d ON d.delivery_id = u.delivery_id
    -- Not an equality: while the planner knows nothing of the table, it might walk
    -- an index of the organisation for every row.
    WHERE d.org_id IS NOT DISTINCT FROM u.org_id AND d.position < u.position
), inserted AS (
    INSERT INTO read.deliveries (delivery_id, org_id, group_id, do_number, type, date, status, vehicle_id, attempt,
                                 item_count, details, created_at, updated_at, revision, position,
                                 search, mark, eta, previous_id, next_id, deleted)
    SELECT delivery_id, org_id, group_id, do_number, type, date, status, vehicle_id, attempt,
           item_count, details, created_at, updated_at, revision, position,
           search, coalesce(mark, ''), eta, previous_id, next_id, coalesce(deleted, false)
    FROM created
    ON CONFLICT (delivery_id) DO UPDATE
    SET group_id = excluded.group_id, do_number = excluded.do_number, type = excluded.type, date = excluded.date,
        status = excluded.status, vehicle_id = excluded.vehicle_id, attempt = excluded.attempt,
        item_count = excluded.item_count, details = excluded.details, created_at = excluded.created_at,
        updated_at = excluded.updated_at, revision = excluded.revision, position = excluded.position,
        search = excluded.search, mark = excluded.mark, eta = excluded.eta, previous_id = excluded.previous_id, next_id = excluded.next_id,
        deleted = excluded.deleted
), updated AS (
    UPDATE read.deliveries d
    SET group_id = u.group_id, vehicle_id = u.vehicle_id, status = u.status,
        updated_at = u.updated_at, revision = u.revision, position = u.position,
        do_number = u.do_number, date = u.date, item_count = u.item_count, details = u.details,
        search = u.search, mark = u.mark, eta = u.eta, next_id = u.next_id, deleted = u.deleted
    FROM changed u
    WHERE d.delivery_id = u.delivery_id
), moved (org_id, group_id, status, vehicle_id, date, n) AS (
    SELECT org_id, group_id, status, vehicle_id, date, 1 FROM created WHERE deleted IS NOT TRUE
    UNION ALL
    SELECT org_id, old_group_id, old_status, old_vehicle_id, old_date, -1 FROM created
    WHERE old_position IS NOT NULL AND NOT old_deleted
    UNION ALL
    SELECT org_id, group_id, status, vehicle_id, date, 1 FROM changed WHERE NOT deleted
    UNION ALL
    SELECT org_id, old_group_id, old_status, old_vehicle_id, old_date, -1 FROM changed WHERE NOT old_deleted
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

const insertTimeline = `
INSERT INTO read.delivery_timeline (delivery_id, revision, org_id, type, at, actor, from_group, to_group, reason, detail)
SELECT delivery_id, revision, org_id, type, at, actor, from_group, to_group, reason, detail::jsonb
FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::timestamptz[], $6::text[], $7::uuid[], $8::uuid[],
            $9::text[], $10::text[])
    AS u (delivery_id, revision, org_id, type, at, actor, from_group, to_group, reason, detail)
ON CONFLICT (delivery_id, revision) DO NOTHING`

// deliveryColumns are those of created and changed deliveries; the last two
// groups of fields belong to one of the two only.
type deliveryColumns struct {
	delivery, org, group, vehicle ids
	status                        texts
	updatedAt                     times
	revision, position            longs

	doNumber, details, search texts
	date                      dates
	itemCount                 counts
	mark                      texts
	eta                       times
	next                      ids
	deleted                   switches

	kind      texts // created
	attempt   ints
	createdAt times
	previous  ids

	tagged, assigned flags // changed
}

func (d *deliveries) queue(b *pgx.Batch) {
	if len(d.rows) == 0 {
		return
	}
	// In the order of their ids, so that parallel writers never wait for each
	// other in a circle.
	rows := make([]*delivery, len(d.rows))
	for i := range d.rows {
		rows[i] = &d.rows[i]
	}
	slices.SortFunc(rows, func(a, b *delivery) int { return compare(a.id, b.id) })
	queueItems(b, rows) // before the rows: they go by the positions that these had
	queueSearch(b, rows)
	queueRows(b, rows)
	d.queueTimeline(b)
}

func queueRows(b *pgx.Batch, rows []*delivery) {
	var made, changed deliveryColumns
	for _, row := range rows {
		if row.created != nil {
			made.add(row)
			made.create(row)
			continue
		}
		changed.tagged = append(changed.tagged, row.tagged)
		changed.assigned = append(changed.assigned, row.assigned)
		changed.add(row)
	}
	m, c := &made, &changed
	b.Queue(writeDeliveries,
		m.delivery, m.org, m.group, m.vehicle, m.status, m.updatedAt, m.revision, m.position,
		m.doNumber, m.date, m.itemCount, m.details, m.search, m.mark, m.eta, m.next, m.deleted,
		m.kind, m.attempt, m.createdAt, m.previous,
		c.delivery, c.org, c.group, c.vehicle, c.status, c.updatedAt, c.revision, c.position,
		c.doNumber, c.date, c.itemCount, c.details, c.search, c.mark, c.eta, c.next, c.deleted,
		c.tagged, c.assigned)
}

// add appends a row. What most rows leave unchanged is appended only up to the
// last row that changes it.
func (c *deliveryColumns) add(row *delivery) {
	at := len(c.delivery)
	c.delivery = append(c.delivery, id(row.id))
	c.org = append(c.org, id(row.org))
	c.group = append(c.group, id(row.group))
	c.vehicle = append(c.vehicle, id(row.vehicle))
	c.status = append(c.status, text(row.status))
	c.updatedAt = append(c.updatedAt, recorded(row.updatedAt))
	c.revision = append(c.revision, row.revision)
	c.position = append(c.position, row.position)
	if d := row.details; d != nil {
		all := details(d)
		if row.created != nil {
			all = fixed(row.created) + all
		}
		c.doNumber = append(pad(c.doNumber, at), text(d.DONumber))
		c.date = append(pad(c.date, at), pgtype.Date{Time: row.date, Valid: true})
		c.itemCount = append(pad(c.itemCount, at), pgtype.Int4{Int32: int32(len(d.Items)), Valid: true})
		c.details = append(pad(c.details, at), text(all))
		c.search = append(pad(c.search, at), text(searched(d)))
	}
	if row.mark != nil {
		c.mark = append(pad(c.mark, at), text(*row.mark))
	}
	if !row.eta.IsZero() {
		c.eta = append(pad(c.eta, at), instant(row.eta))
	}
	if row.next != uuid.Nil {
		c.next = append(pad(c.next, at), id(row.next))
	}
	if row.deleted {
		c.deleted = append(pad(c.deleted, at), pgtype.Bool{Bool: true, Valid: true})
	}
}

// create appends what only a row that is created has.
func (c *deliveryColumns) create(row *delivery) {
	c.kind = append(c.kind, text(row.created.Type))
	c.attempt = append(c.attempt, int32(row.created.Attempt))
	c.createdAt = append(c.createdAt, recorded(row.createdAt))
	if row.created.Previous != uuid.Nil {
		c.previous = append(pad(c.previous, len(c.delivery)-1), id(row.created.Previous))
	}
}

// pad fills a column with nulls up to a row.
func pad[T any](column []T, to int) []T {
	var null T
	for len(column) < to {
		column = append(column, null)
	}
	return column
}

func (d *deliveries) queueTimeline(b *pgx.Batch) {
	if len(d.timeline) == 0 {
		return
	}
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
