package readmodel

import (
	"github.com/jackc/pgx/v5"
)

// dropItems takes away the items of deliveries that get others, unless their
// rows are as new as that or newer.
const dropItems = `
DELETE FROM read.delivery_items i
USING unnest($1::uuid[], $2::bigint[]) AS u (delivery_id, position), read.deliveries d
WHERE i.delivery_id = u.delivery_id AND d.delivery_id = u.delivery_id AND d.position < u.position`

// insertItems adds items, unless the rows of their deliveries are as new as that
// or newer: they may have lost these since.
const insertItems = `
INSERT INTO read.delivery_items (delivery_id, line, org_id, item_id, sku, description, quantity, unit)
SELECT u.delivery_id, u.line, u.org_id, u.item_id, u.sku, u.description, u.quantity, u.unit
FROM unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[], $9::bigint[])
    AS u (delivery_id, line, org_id, item_id, sku, description, quantity, unit, position)
LEFT JOIN read.deliveries d ON d.delivery_id = u.delivery_id
WHERE d.delivery_id IS NULL OR d.position < u.position
ON CONFLICT (delivery_id, line) DO NOTHING`

// queueItems writes the items of the rows whose details are set.
func queueItems(b *pgx.Batch, rows []*delivery) {
	var changed ids
	var changedAt longs
	var delivery, org ids
	var line ints
	var itemID, sku, description, unit texts
	var quantity, position longs
	for _, row := range rows {
		if row.details == nil {
			continue
		}
		if row.created == nil || row.revision > 0 {
			changed = append(changed, id(row.id))
			changedAt = append(changedAt, row.position)
		}
		for i, it := range row.details.Items {
			delivery = append(delivery, id(row.id))
			line = append(line, int32(i+1))
			org = append(org, id(row.org))
			itemID = append(itemID, text(it.ID))
			sku = append(sku, text(it.SKU))
			description = append(description, text(it.Description))
			quantity = append(quantity, it.Quantity)
			unit = append(unit, text(it.Unit))
			position = append(position, row.position)
		}
	}
	if len(changed) > 0 {
		b.Queue(dropItems, changed, changedAt)
	}
	if len(delivery) > 0 {
		b.Queue(insertItems, delivery, line, org, itemID, sku, description, quantity, unit, position)
	}
}
