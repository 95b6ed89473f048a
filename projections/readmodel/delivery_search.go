package readmodel

import (
	"strconv"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/events"
	"waybill/events/search"
)

// writeSearch writes what deliveries are found by, unless their rows are as new as
// that or newer.
const writeSearch = `
INSERT INTO read.delivery_search (delivery_id, org_id, grams)
SELECT u.delivery_id, u.org_id, u.grams::int[]
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[]) AS u (delivery_id, org_id, grams, position)
LEFT JOIN read.deliveries d ON d.delivery_id = u.delivery_id
WHERE d.delivery_id IS NULL OR d.position < u.position
ON CONFLICT (delivery_id) DO UPDATE
SET grams = excluded.grams
WHERE delivery_search.grams <> excluded.grams`

// queueSearch writes the index of the rows whose details are set.
func queueSearch(b *pgx.Batch, rows []*delivery) {
	var delivery, org ids
	var grams texts
	var position longs
	for _, row := range rows {
		if row.details == nil {
			continue
		}
		delivery = append(delivery, id(row.id))
		org = append(org, id(row.org))
		grams = append(grams, text(gramsOf(row.org, row.details)))
		position = append(position, row.position)
	}
	if len(delivery) > 0 {
		b.Queue(writeSearch, delivery, org, grams, position)
	}
}

// gramsOf is the array of a delivery's grams, as Postgres reads it.
func gramsOf(org uuid.UUID, d *events.DeliveryDetails) string {
	b := make([]byte, 0, 512)
	b = append(b, '{')
	for i, g := range search.Grams(org, searched(d)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(g), 10)
	}
	return string(append(b, '}'))
}
