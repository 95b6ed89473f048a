package readmodel_test

import (
	"context"

	"github.com/go-json-experiment/json"

	"waybill/events"
)

func (n naive) template(ctx context.Context, org, group string, t events.ImportTemplate) error {
	var value any
	if len(t.Columns) > 0 || t.DateFormat != "" {
		b, err := json.Marshal(t)
		if err != nil {
			return err
		}
		value = string(b)
	}
	if err := n.do(ctx, `UPDATE read.groups SET import_template = $2::text::jsonb WHERE group_id = $1`, group, value); err != nil {
		return err
	}
	return n.do(ctx, `UPDATE read.organisations SET import_template = $3::text::jsonb WHERE org_id = $1 AND all_group_id = $2`, org, group, value)
}

func (n naive) vehicleLeft(ctx context.Context, org, group, vehicle string) error {
	if err := n.do(ctx, `DELETE FROM read.group_vehicles WHERE group_id = $1 AND vehicle_id = $2`, group, vehicle); err != nil {
		return err
	}
	for _, table := range []string{"vehicles", "group_vehicles"} {
		err := n.do(ctx, `DELETE FROM read.`+table+` WHERE vehicle_id = $3
			AND EXISTS (SELECT FROM read.organisations WHERE org_id = $1 AND all_group_id = $2)`, org, group, vehicle)
		if err != nil {
			return err
		}
	}
	return nil
}
