package readmodel_test

import (
	"context"

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
		err = n.do(ctx, `UPDATE read.deliveries SET vehicle_id = $2 WHERE delivery_id = $1`, id, null(p.Vehicle))
	case *events.DeliveryDispatched:
		if !p.OccurredAt.IsZero() {
			happened(map[string]any{"occurred_at": p.OccurredAt})
		}
		err = n.do(ctx, `UPDATE read.deliveries SET status = 'dispatched' WHERE delivery_id = $1`, id)
	case *events.DeliveryCompleted:
		if len(p.Proof) > 0 {
			happened(map[string]any{"proof": p.Proof})
		}
		err = n.do(ctx, `UPDATE read.deliveries SET status = 'completed' WHERE delivery_id = $1`, id)
	case *events.DeliveryFailed:
		err = n.do(ctx, `UPDATE read.deliveries SET status = 'failed' WHERE delivery_id = $1`, id)
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
	// As text, the order of members counts: the answer is spliced from it.
	text := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return string(b)
	}
	details := `"do_number":` + text(p.DONumber) + `,"type":` + text(p.Type) + `,"date":` + text(p.Date) +
		`,"attempt":` + text(p.Attempt) + `,"item_count":` + text(len(p.Items))
	var erased []string
	for i, field := range []events.Personal{p.Address, p.Recipient, p.Phone, p.Email} {
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
	err := n.do(ctx, `INSERT INTO read.deliveries (delivery_id, org_id, group_id, do_number, type, date, status, vehicle_id,
		attempt, item_count, details, created_at, updated_at, revision, position)
		VALUES ($1, $2, $3, $4, $5, $6::text::date, 'info_received', $7, $8, $9, $10, $11, $11, 0, 0)`,
		id, org, null(p.Group), p.DONumber, p.Type, p.Date, null(p.Vehicle), p.Attempt, len(p.Items), details, e.Metadata.RecordedAt)
	if err != nil {
		return nil, err
	}
	for i, it := range p.Items {
		if err := n.do(ctx, `INSERT INTO read.delivery_items (delivery_id, line, org_id, item_id, sku, description, quantity, unit)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, id, i+1, org, it.ID, it.SKU, it.Description, it.Quantity, it.Unit); err != nil {
			return nil, err
		}
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

const countProgress = `
INSERT INTO read.progress
SELECT org_id, coalesce(group_id, '00000000-0000-0000-0000-000000000000'), status,
       status = 'dispatched' AND vehicle_id IS NOT NULL,
       CASE WHEN status = 'dispatched' AND vehicle_id IS NOT NULL THEN date ELSE '-infinity' END, count(*)
FROM read.deliveries
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
