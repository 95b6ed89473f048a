package readmodel_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"waybill/events"
)

func (n naive) delivery(ctx context.Context, e events.Event) error {
	id, org, m := e.Stream.ID, e.Stream.Org.String(), e.Metadata
	rev, pos := int64(e.Record.Revision), int64(e.Record.Position.Commit)
	var from, to uuid.UUID
	var detail map[string]any
	var err error
	happened := func(o map[string]any) { detail = o }
	at := func(t time.Time) map[string]any {
		if t.IsZero() {
			return nil
		}
		return map[string]any{"occurred_at": t}
	}
	status := func(s string) error {
		return n.do(ctx, `UPDATE read.deliveries SET status = $2 WHERE delivery_id = $1`, id, s)
	}
	switch p := e.Payload.(type) {
	case *events.CreationAbandoned:
		return nil
	case *events.DeliveryCreated:
		to = p.Group
		if detail, err = n.created(ctx, e, p); err != nil {
			return err
		}
	case *events.DeliveryTagged:
		from, to = p.FromGroup, p.Group
		err = n.do(ctx, `UPDATE read.deliveries SET group_id = $2 WHERE delivery_id = $1`, id, null(p.Group))
	case *events.DeliveryUntagged:
		from = p.FromGroup
		err = n.do(ctx, `UPDATE read.deliveries SET group_id = NULL WHERE delivery_id = $1`, id)
	case *events.DeliveryAssigned:
		happened(map[string]any{"vehicle": p.Vehicle.String()})
		err = n.do(ctx, `UPDATE read.deliveries SET vehicle_id = $2, mark = '' WHERE delivery_id = $1`, id, null(p.Vehicle))
	case *events.DeliveryUnassigned:
		happened(map[string]any{"vehicle": p.Vehicle.String()})
		err = n.do(ctx, `UPDATE read.deliveries SET vehicle_id = NULL, mark = '' WHERE delivery_id = $1`, id)
	case *events.DeliveryGoodsReceived:
		happened(at(p.OccurredAt))
		err = status("in_transit")
	case *events.DeliveryDispatched:
		happened(at(p.OccurredAt))
		err = status("dispatched")
	case *events.DeliveryHeadingStarted:
		happened(at(p.OccurredAt))
		err = n.do(ctx, `UPDATE read.deliveries SET mark = 'heading' WHERE delivery_id = $1`, id)
	case *events.DeliveryArrived:
		happened(at(p.OccurredAt))
		err = n.do(ctx, `UPDATE read.deliveries SET mark = 'arrived' WHERE delivery_id = $1`, id)
	case *events.DeliveryCompleted:
		if len(p.Proof) > 0 {
			happened(map[string]any{"proof": p.Proof})
		}
		err = status("completed")
	case *events.DeliveryPartiallyCompleted:
		happened(map[string]any{"rejected": p.Rejected})
		err = status("completed_partial")
	case *events.DeliveryFailed:
		err = status("failed")
	case *events.DeliveryOutcomeCorrected:
		happened(map[string]any{"was": p.From, "status": p.To})
		err = status(p.To)
	case *events.DeliveryPutOnHold:
		if err = status("on_hold"); err == nil {
			err = n.do(ctx, `UPDATE read.deliveries SET mark = '' WHERE delivery_id = $1`, id)
		}
	case *events.DeliveryReleased:
		happened(map[string]any{"status": p.To})
		err = status(p.To)
	case *events.DeliveryReturned:
		happened(at(p.OccurredAt))
		err = status("returned")
	case *events.DeliveryCancelled:
		err = status("cancelled")
	case *events.DeliveryReattempted:
		happened(map[string]any{"date": p.Date})
		err = n.do(ctx, `UPDATE read.deliveries SET next_id = $2 WHERE delivery_id = $1`, id, p.Next.String())
	case *events.DeliveryEtaRevised:
		happened(map[string]any{"eta": p.Eta})
		err = n.do(ctx, `UPDATE read.deliveries SET eta = $2 WHERE delivery_id = $1`, id, p.Eta)
	case *events.DeliveryChanged:
		detail, err = n.changed(ctx, id, org, p)
	case *events.DeliveryDeleted:
		err = n.do(ctx, `UPDATE read.deliveries SET deleted = true WHERE delivery_id = $1`, id)
	}
	if err != nil {
		return err
	}
	var text any
	if len(detail) > 0 {
		b, err := json.Marshal(detail)
		if err != nil {
			return err
		}
		text = string(b)
	}
	if err := n.do(ctx, `INSERT INTO read.delivery_timeline (delivery_id, revision, org_id, type, at, actor, from_group, to_group, reason, detail)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::jsonb)`, id, rev, org, e.Record.Type, m.RecordedAt,
		m.Actor.Type+":"+m.Actor.ID, null(from), null(to), m.Reason, text); err != nil {
		return err
	}
	return n.do(ctx, `UPDATE read.deliveries SET updated_at = $2, revision = $3, position = $4 WHERE delivery_id = $1`, id, m.RecordedAt, rev, pos)
}

func (n naive) created(ctx context.Context, e events.Event, p *events.DeliveryCreated) (map[string]any, error) {
	id, org := e.Stream.ID, e.Stream.Org.String()
	details := naiveDetails(p.Type, p.Attempt, events.DeliveryDetails{DONumber: p.DONumber, Date: p.Date, Address: p.Address,
		Recipient: p.Recipient, Phone: p.Phone, Email: p.Email, Items: p.Items})
	err := n.do(ctx, `INSERT INTO read.deliveries (delivery_id, org_id, group_id, do_number, type, date, status, vehicle_id,
		attempt, item_count, details, created_at, updated_at, revision, position, previous_id, search)
		VALUES ($1, $2, $3, $4, $5, $6::text::date, 'info_received', $7, $8, $9, $10, $11, $11, 0, 0, $12, $13)`,
		id, org, null(p.Group), p.DONumber, p.Type, p.Date, null(p.Vehicle), p.Attempt, len(p.Items), details, e.Metadata.RecordedAt, null(p.Previous),
		naiveSearch(p.DONumber, p.Recipient, p.Address))
	if err == nil {
		err = n.items(ctx, id, org, p.Items)
	}
	if err == nil {
		err = n.grams(ctx, id, org, naiveSearch(p.DONumber, p.Recipient, p.Address))
	}
	if err != nil {
		return nil, err
	}
	detail := map[string]any{}
	if p.Vehicle != uuid.Nil {
		detail["vehicle"] = p.Vehicle
	}
	if p.Import != nil {
		detail["import"] = p.Import
	}
	return detail, nil
}

func (n naive) items(ctx context.Context, id, org string, items []events.Item) error {
	for i, it := range items {
		if err := n.do(ctx, `INSERT INTO read.delivery_items (delivery_id, line, org_id, item_id, sku, description, quantity, unit)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, id, i+1, org, it.ID, it.SKU, it.Description, it.Quantity, it.Unit); err != nil {
			return err
		}
	}
	return nil
}

// grams writes the numbers of all sequences of three letters.
func (n naive) grams(ctx context.Context, id, org, text string) error {
	if err := n.do(ctx, `DELETE FROM read.delivery_search WHERE delivery_id = $1`, id); err != nil {
		return err
	}
	tenant, grams := uuid.MustParse(org), map[int32]bool{}
	for _, word := range strings.Fields(text) {
		letters := []rune(word)
		for i := 0; i+3 <= len(letters); i++ {
			h := fnv.New32a()
			h.Write(tenant[:])
			h.Write([]byte(string(letters[i : i+3])))
			grams[int32(h.Sum32())] = true
		}
	}
	return n.do(ctx, `INSERT INTO read.delivery_search (delivery_id, org_id, grams) VALUES ($1, $2, $3)`, id, org, append([]int32{}, slices.Sorted(maps.Keys(grams))...))
}

// naiveSearch is the normal form of the texts of these tests, which have neither
// accents nor wide letters.
func naiveSearch(number string, recipient, address events.Personal) string {
	var lines []string
	for _, s := range []string{number, recipient.Text(), address.Text()} {
		lines = append(lines, strings.ToLower(strings.Join(strings.Fields(s), " ")))
	}
	return strings.Join(lines, "\n")
}

// naiveDetails is the text that answers are spliced from; the order of its
// members counts.
func naiveDetails(kind string, attempt int, d events.DeliveryDetails) string {
	text := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return string(b)
	}
	details := `"type":` + text(kind) + `,"attempt":` + text(attempt) + `,"do_number":` + text(d.DONumber) + `,"date":` + text(d.Date) +
		`,"item_count":` + text(len(d.Items))
	var erased []string
	for i, field := range []events.Personal{d.Address, d.Recipient, d.Phone, d.Email} {
		name := []string{"address", "recipient", "phone", "email"}[i]
		if field.Erased() {
			details += `,"` + name + `":null`
			erased = append(erased, name)
		} else if field.Text() != "" {
			details += `,"` + name + `":` + text(field.Text())
		}
	}
	if erased != nil {
		details += `,"erased":` + text(erased)
	}
	return details
}

func (n naive) changed(ctx context.Context, id, org string, p *events.DeliveryChanged) (map[string]any, error) {
	var kind string
	var attempt int
	err := n.tx.QueryRow(ctx, `SELECT type, attempt FROM read.deliveries WHERE delivery_id = $1`, id).Scan(&kind, &attempt)
	if err == nil {
		err = n.do(ctx, `UPDATE read.deliveries SET do_number = $2, date = $3::text::date, item_count = $4, details = $5, search = $6 WHERE delivery_id = $1`,
			id, p.After.DONumber, p.After.Date, len(p.After.Items), naiveDetails(kind, attempt, p.After),
			naiveSearch(p.After.DONumber, p.After.Recipient, p.After.Address))
	}
	if err == nil {
		err = n.do(ctx, `DELETE FROM read.delivery_items WHERE delivery_id = $1`, id)
	}
	if err == nil {
		err = n.items(ctx, id, org, p.After.Items)
	}
	if err == nil {
		err = n.grams(ctx, id, org, naiveSearch(p.After.DONumber, p.After.Recipient, p.After.Address))
	}
	var names []string
	for _, f := range []struct{ name, before, after string }{
		{"do_number", p.Before.DONumber, p.After.DONumber}, {"date", p.Before.Date, p.After.Date},
		{"address", p.Before.Address.Text(), p.After.Address.Text()}, {"recipient", p.Before.Recipient.Text(), p.After.Recipient.Text()},
		{"items", fmt.Sprint(p.Before.Items), fmt.Sprint(p.After.Items)},
	} {
		if f.before != f.after {
			names = append(names, f.name)
		}
	}
	if names == nil {
		return nil, err
	}
	return map[string]any{"changed": names}, err
}

const countProgress = `
INSERT INTO read.progress
SELECT org_id, coalesce(group_id, '00000000-0000-0000-0000-000000000000'), status,
       status = 'dispatched' AND vehicle_id IS NOT NULL,
       CASE WHEN status = 'dispatched' AND vehicle_id IS NOT NULL THEN date ELSE '-infinity' END, count(*)
FROM read.deliveries
WHERE NOT deleted
GROUP BY 1, 2, 3, 4, 5`

// tablesByHand returns the tables that the slow model makes of a log. Nothing of it
// stays in the database, whose tables must be empty.
func tablesByHand(t rapid.TB, conn *pgx.Conn, codec *events.Codec, records []events.Record) map[string]string {
	t.Helper()
	ctx := context.Background()
	tx, err := conn.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(ctx)
	n := naive{tx}
	for _, r := range records {
		e, err := codec.Decode(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := codec.Open(ctx, []events.Event{e}); err != nil {
			t.Fatal(err)
		}
		if err := n.take(ctx, e); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.do(ctx, countProgress); err != nil {
		t.Fatal(err)
	}
	return tablesOf(t, conn)
}
