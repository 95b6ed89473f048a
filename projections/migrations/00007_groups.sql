-- Groups that are merged and have import templates; vehicles that leave; what the
-- command side asks about who sees what before it widens somebody's access.

-- +goose Up
ALTER TABLE read.groups
    ADD COLUMN merged_into     uuid,  -- status merged only
    ADD COLUMN import_template jsonb; -- null = none of its own
CREATE INDEX groups_merged_into ON read.groups (merged_into) WHERE merged_into IS NOT NULL;

ALTER TABLE read.organisations
    ADD COLUMN import_template jsonb; -- of the ALL group, which not everybody sees

-- Of the event that added the vehicle last.
ALTER TABLE read.group_vehicles
    ADD COLUMN position bigint NOT NULL DEFAULT 0;

-- Of deliveries no more than where they are and what their key is.
GRANT SELECT (delivery_id, org_id, group_id, do_number, type, date, deleted) ON read.deliveries TO waybill_identity;
GRANT SELECT ON read.progress TO waybill_identity;
CREATE POLICY identity ON read.deliveries FOR SELECT TO waybill_identity USING (current_user = 'waybill_identity');
CREATE POLICY identity ON read.progress FOR SELECT TO waybill_identity USING (current_user = 'waybill_identity');

-- +goose Down
DROP POLICY identity ON read.progress;
DROP POLICY identity ON read.deliveries;
REVOKE SELECT ON read.progress FROM waybill_identity;
REVOKE SELECT (delivery_id, org_id, group_id, do_number, type, date, deleted) ON read.deliveries FROM waybill_identity;
ALTER TABLE read.group_vehicles DROP COLUMN position;
ALTER TABLE read.organisations DROP COLUMN import_template;
ALTER TABLE read.groups DROP COLUMN import_template, DROP COLUMN merged_into;
