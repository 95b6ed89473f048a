package readapi

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/aggregates/access"
	"waybill/events/sheet"
)

// exportHeader are the titles of an export's columns: first those that an import
// knows, then those that are for people only.
func exportHeader() []string {
	return append(sheet.Header(), "Group Name", "Status", "Tracking Status", "Vehicle", "Attempt", "Delivery ID")
}

// Places of columns.
const (
	itemColumns    = 8 // the first of an item's
	quantityColumn = 11
	attemptColumn  = 17
)

// exported is a delivery on its way into a file.
type exported struct {
	id      uuid.UUID
	group   *uuid.UUID
	vehicle *uuid.UUID
	status  string
	tracked string
	details exportedDetails
}

// exportedDetails is what is stored to be spliced into answers. What was erased
// is empty, as what was not given.
type exportedDetails struct {
	Type      string `json:"type"`
	DONumber  string `json:"do_number"`
	Date      string `json:"date"`
	Attempt   int    `json:"attempt"`
	ItemCount int    `json:"item_count"`
	Address   string `json:"address"`
	Recipient string `json:"recipient"`
	Phone     string `json:"phone"`
	Email     string `json:"email"`
}

// page writes the next deliveries and reports whether there are more.
func (e *export) page(ctx context.Context, file exportFile) (more bool, err error) {
	all, more, err := e.read(ctx)
	if err == nil {
		err = e.names.learn(ctx, e.tx, all)
	}
	for len(all) > 0 && err == nil {
		n, items := 0, 0
		for n < len(all) && (n == 0 || items+all[n].details.ItemCount <= exportItems) {
			items += all[n].details.ItemCount
			n++
		}
		err = e.write(ctx, file, all[:n])
		all = all[n:]
	}
	if err != nil {
		return false, access.Storage(fmt.Errorf("export: %w", err))
	}
	return more, nil
}

// read reads the next deliveries and moves the filter behind them.
func (e *export) read(ctx context.Context) (all []exported, more bool, err error) {
	text, args := e.filter.sql(e.caller)
	found, err := e.tx.Query(ctx, text, args...)
	if err != nil {
		return nil, false, err
	}
	defer found.Close()
	for found.Next() {
		if len(all) == e.filter.limit {
			more = true
			continue
		}
		var d exported
		var hasVehicle bool
		var date, updated time.Time
		var details, mark string
		var revision int64
		var eta *time.Time
		if err := found.Scan(&d.id, &d.group, &d.status, &hasVehicle, &date, &details, &revision, &updated, &mark, &eta, &d.vehicle); err != nil {
			return nil, false, err
		}
		if err := json.Unmarshal([]byte("{"+details+"}"), &d.details); err != nil {
			return nil, false, fmt.Errorf("details of delivery %s: %w", d.id, err)
		}
		d.tracked = tracking(d.status, hasVehicle, date.After(e.filter.today))
		e.filter.after = &deliveryPlace{date, d.id}
		all = append(all, d)
	}
	return all, more, found.Err()
}

// exportItemsQuery reads the items of some deliveries, in the order of these. One
// delivery after the other by its key: OFFSET keeps the planner from joining all at
// once, which, without statistics, it would do by reading every item there is.
const exportItemsQuery = `
	SELECT o.place - 1, i.item_id, i.sku, i.description, i.quantity, i.unit
	FROM unnest($1::uuid[]) WITH ORDINALITY AS o(delivery_id, place)
	CROSS JOIN LATERAL (
		SELECT d.line, d.item_id, d.sku, d.description, d.quantity, d.unit
		FROM read.delivery_items d
		WHERE d.delivery_id = o.delivery_id
		ORDER BY d.line
		OFFSET 0
	) i
	ORDER BY o.place, i.line`

// write writes a row for each item, and one for a delivery without items.
func (e *export) write(ctx context.Context, file exportFile, all []exported) error {
	ids := make([]uuid.UUID, len(all))
	for i, d := range all {
		ids[i] = d.id
	}
	items, err := e.tx.Query(ctx, exportItemsQuery, ids)
	if err != nil {
		return err
	}
	defer items.Close()
	at, written := 0, false
	cells := e.cells(nil, &all[0])
	upTo := func(place int) error {
		for ; at < place; at, written = at+1, false {
			if !written {
				if err := file.row(cells); err != nil {
					return err
				}
			}
			if at+1 < len(all) {
				cells = e.cells(cells[:0], &all[at+1])
			}
		}
		return nil
	}
	for items.Next() {
		var place int
		var it Item
		if err := items.Scan(&place, &it.ID, &it.SKU, &it.Description, &it.Quantity, &it.Unit); err != nil {
			return err
		}
		if err := upTo(place); err != nil {
			return err
		}
		copy(cells[itemColumns:], []string{it.ID, it.SKU, it.Description, strconv.FormatInt(it.Quantity, 10), it.Unit})
		if err := file.row(cells); err != nil {
			return err
		}
		written = true
	}
	if err := items.Err(); err != nil {
		return err
	}
	return upTo(len(all))
}

// cells appends the cells of a delivery without an item.
func (e *export) cells(b []string, d *exported) []string {
	var group exportedGroup
	if d.group != nil {
		group = e.names.groups[*d.group]
	}
	vehicle := ""
	if d.vehicle != nil {
		vehicle = e.names.vehicles[*d.vehicle]
	}
	t := &d.details
	return append(b, group.code, t.DONumber, t.Date, t.Type, t.Address, t.Recipient, t.Phone, t.Email,
		"", "", "", "", "",
		group.name, d.status, d.tracked, vehicle, strconv.Itoa(t.Attempt), d.id.String())
}

// exportNames keeps the names of groups and vehicles that an export has met.
type exportNames struct {
	groups   map[uuid.UUID]exportedGroup
	vehicles map[uuid.UUID]string
}

type exportedGroup struct{ code, name string }

// namesKept bounds the names of each kind; beyond it they are forgotten and
// learned again.
const namesKept = 10_000

// exportGroupsQuery reads what deliveries of groups are exported under: the first
// of the group's customer codes; without one its name, by which an import that
// makes groups finds it, unless that is the code of another group.
const exportGroupsQuery = `
	SELECT g.group_id, g.name,
	       coalesce((SELECT min(k.code) FROM read.customer_codes k WHERE k.group_id = g.group_id),
	                g.name || CASE WHEN EXISTS (SELECT FROM read.customer_codes k WHERE k.org_id = g.org_id AND lower(k.code) = lower(g.name))
	                               THEN ' [' || g.group_id || ']' ELSE '' END)
	FROM read.groups g
	WHERE g.group_id = ANY ($1)`

// learn looks up the names that some deliveries need.
func (n *exportNames) learn(ctx context.Context, tx pgx.Tx, all []exported) error {
	if n.groups == nil || len(n.groups) > namesKept || len(n.vehicles) > namesKept {
		n.groups, n.vehicles = map[uuid.UUID]exportedGroup{}, map[uuid.UUID]string{}
	}
	var groups, vehicles []uuid.UUID
	for _, d := range all {
		if d.group != nil {
			if _, known := n.groups[*d.group]; !known {
				groups = append(groups, *d.group)
			}
		}
		if d.vehicle != nil {
			if _, known := n.vehicles[*d.vehicle]; !known {
				vehicles = append(vehicles, *d.vehicle)
			}
		}
	}
	if len(groups) == 0 && len(vehicles) == 0 {
		return nil
	}
	b := &pgx.Batch{}
	b.Queue(exportGroupsQuery, distinct(groups)).Query(func(rs pgx.Rows) error {
		var id uuid.UUID
		var g exportedGroup
		_, err := pgx.ForEachRow(rs, []any{&id, &g.name, &g.code}, func() error { n.groups[id] = g; return nil })
		return err
	})
	b.Queue(`SELECT vehicle_id, name FROM read.vehicles WHERE vehicle_id = ANY ($1)`, distinct(vehicles)).Query(func(rs pgx.Rows) error {
		var id uuid.UUID
		var name string
		_, err := pgx.ForEachRow(rs, []any{&id, &name}, func() error { n.vehicles[id] = name; return nil })
		return err
	})
	return tx.SendBatch(ctx, b).Close()
}

func distinct(ids []uuid.UUID) []uuid.UUID {
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	return slices.Compact(ids)
}
