package readmodel_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"waybill/events"
)

// naive is the slow, independent read model: one event at a time, the plainest
// statement for each, no folding, no guards. Progress is counted at the end.
type naive struct{ tx pgx.Tx }

func (n naive) do(ctx context.Context, sql string, args ...any) error {
	if _, err := n.tx.Exec(ctx, sql, args...); err != nil {
		return fmt.Errorf("%s: %w", strings.TrimSpace(sql), err)
	}
	return nil
}

func null(u uuid.UUID) any {
	if u == uuid.Nil {
		return nil
	}
	return u.String()
}

func plain(p events.Personal) any {
	if p.Erased() {
		return nil
	}
	return p.Text()
}

func (n naive) take(ctx context.Context, e events.Event) error {
	id, org, m := e.Stream.UUID().String(), e.Stream.Org.String(), e.Metadata
	rev, pos := int64(e.Record.Revision), int64(e.Record.Position.Commit)
	var err error
	switch p := e.Payload.(type) {
	case *events.GroupCreated:
		err = n.do(ctx, `INSERT INTO read.groups VALUES ($1, $2, $3, $4, 'active', $5, $6, 0, 0)`, id, org, p.Kind, p.Name, null(p.Client), m.RecordedAt)
		if o := p.Organisation; o != nil && err == nil {
			err = n.do(ctx, `INSERT INTO read.organisations VALUES ($1, $2, $3, $4, $5, false, $6)`, org, id, o.Name, o.Kind, o.Timezone, pos)
		}
	case *events.GroupArchived:
		err = n.do(ctx, `UPDATE read.groups SET status = 'archived' WHERE group_id = $1`, id)
	case *events.GroupRestored:
		err = n.do(ctx, `UPDATE read.groups SET status = 'active' WHERE group_id = $1`, id)
	case *events.GroupMerged:
		err = n.do(ctx, `UPDATE read.groups SET status = 'merged', merged_into = $2 WHERE group_id = $1`, id, p.Into.String())
	case *events.GroupRenamed:
		err = n.do(ctx, `UPDATE read.groups SET name = $2 WHERE group_id = $1`, id, p.To)
	case *events.TimezoneSet:
		err = n.do(ctx, `UPDATE read.organisations SET timezone = $2, position = $3 WHERE org_id = $1`, org, p.To, pos)
	case *events.GroupImportTemplateSet:
		err = n.template(ctx, org, id, p.Template)
	case *events.VehicleRemovedFromGroup:
		err = n.vehicleLeft(ctx, org, id, p.Vehicle.String())
	case *events.GroupFieldEnabled:
		err = n.do(ctx, `UPDATE read.organisations SET group_field = true, position = $2 WHERE org_id = $1`, org, pos)
	case *events.GroupFieldDisabled:
		err = n.do(ctx, `UPDATE read.organisations SET group_field = false, position = $2 WHERE org_id = $1`, org, pos)
	case *events.CustomerCodeMapped:
		if err = n.do(ctx, `DELETE FROM read.customer_codes WHERE org_id = $1 AND code = $2`, org, p.Code); err == nil {
			err = n.do(ctx, `INSERT INTO read.customer_codes VALUES ($1, $2, $3, $4)`, org, p.Code, id, pos)
		}
	case *events.CustomerCodeUnmapped:
		err = n.do(ctx, `DELETE FROM read.customer_codes WHERE org_id = $1 AND code = $2 AND group_id = $3`, org, p.Code, id)
	case *events.VehicleAddedToGroup:
		if p.Name != "" {
			if err = n.do(ctx, `DELETE FROM read.vehicles WHERE vehicle_id = $1`, p.Vehicle.String()); err == nil {
				err = n.do(ctx, `INSERT INTO read.vehicles VALUES ($1, $2, $3, $4, $5)`, p.Vehicle.String(), org, p.Name, p.Plate, pos)
			}
		} else if err = n.do(ctx, `DELETE FROM read.group_vehicles WHERE group_id = $1 AND vehicle_id = $2`, id, p.Vehicle.String()); err == nil {
			err = n.do(ctx, `INSERT INTO read.group_vehicles VALUES ($1, $2, $3, $4)`, id, p.Vehicle.String(), org, pos)
		}
	case *events.UserAdded:
		err = n.do(ctx, `INSERT INTO read.users (user_id, org_id, identity_id, name, email, role, accepted, blocked, permissions, created_at, revision, position)
			VALUES ($1, $2, $3, $4, $5, $6, false, false, '{}', $7, 0, 0)`, id, org, p.Identity.String(), plain(p.Name), plain(p.Email), p.Role, m.RecordedAt)
	case *events.UserInvitationAccepted:
		err = n.do(ctx, `UPDATE read.users SET accepted = true WHERE user_id = $1`, id)
	case *events.UserBlocked:
		err = n.do(ctx, `UPDATE read.users SET blocked = true WHERE user_id = $1`, id)
	case *events.UserUnblocked:
		err = n.do(ctx, `UPDATE read.users SET blocked = blocked AND $2 WHERE user_id = $1`, id, p.StillBlocked)
	case *events.UserPermissionsSet:
		after, jerr := json.Marshal(p.After)
		if jerr != nil {
			return jerr
		}
		err = n.do(ctx, `UPDATE read.users SET permissions = $2::text::jsonb WHERE user_id = $1`, id, string(after))
	case *events.AllGroupsAccessGranted:
		err = n.grant(ctx, e, p.Grant, nil, p.Basis, "", nil)
	case *events.GroupAccessGranted:
		var expires any
		if !p.ExpiresAt.IsZero() {
			expires = p.ExpiresAt
		}
		err = n.grant(ctx, e, p.Grant, p.Group.String(), p.Basis, p.Origin, expires)
	}
	if err != nil {
		return err
	}
	if err := n.access(ctx, e); err != nil {
		return err
	}
	if err := n.client(ctx, e); err != nil {
		return err
	}
	if e.Stream.Category == events.CategoryDelivery {
		return n.delivery(ctx, e)
	}
	for _, table := range []string{"groups:group_id", "users:user_id", "clients:client_id"} {
		name, key, _ := strings.Cut(table, ":")
		if err := n.do(ctx, `UPDATE read.`+name+` SET revision = $2, position = $3 WHERE `+key+` = $1`, id, rev, pos); err != nil {
			return err
		}
	}
	return nil
}

func (n naive) grant(ctx context.Context, e events.Event, grant uuid.UUID, group any, basis, source string, expires any) error {
	m := e.Metadata
	var approval any
	if m.Approval != (events.Approval{}) {
		b, err := json.Marshal(m.Approval)
		if err != nil {
			return err
		}
		approval = string(b)
	}
	if err := n.do(ctx, `DELETE FROM read.grants WHERE grant_id = $1`, grant.String()); err != nil {
		return err
	}
	return n.do(ctx, `INSERT INTO read.grants VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::jsonb, $11, NULL, NULL, $12, NULL)`,
		grant.String(), e.Stream.Org.String(), e.Stream.ID, group, basis, source, m.RecordedAt,
		m.Actor.Type+":"+m.Actor.ID, m.Reason, approval, expires, int64(e.Record.Position.Commit))
}

var readTables = []string{"organisations", "groups", "customer_codes", "vehicles", "group_vehicles", "users", "grants", "access_requests",
	"clients", "deliveries", "delivery_items", "delivery_timeline", "delivery_search", "progress"}

// tablesOf returns every read table as text, rows in one order.
func tablesOf(t rapid.TB, conn *pgx.Conn) map[string]string {
	t.Helper()
	out := map[string]string{}
	batch := &pgx.Batch{}
	for _, table := range readTables {
		batch.Queue(`SELECT coalesce(string_agg(r, E'\n' ORDER BY r), '') FROM (SELECT to_jsonb(t)::text AS r FROM read.` + table + ` t) x`).
			QueryRow(func(row pgx.Row) error {
				var rows string
				err := row.Scan(&rows)
				out[table] = rows
				return err
			})
	}
	if err := conn.SendBatch(context.Background(), batch).Close(); err != nil {
		t.Fatal(err)
	}
	return out
}

// differ reports the first rows that differ.
func differ(t rapid.TB, got, want map[string]string) {
	for table := range want {
		if got[table] == want[table] {
			continue
		}
		g, w := strings.Split(got[table], "\n"), strings.Split(want[table], "\n")
		for i := range max(len(g), len(w)) {
			a, b := "(no row)", "(no row)"
			if i < len(g) {
				a = g[i]
			}
			if i < len(w) {
				b = w[i]
			}
			if a != b {
				t.Errorf("read.%s, row %d\n got %s\nwant %s", table, i, a, b)
				break
			}
		}
	}
}
