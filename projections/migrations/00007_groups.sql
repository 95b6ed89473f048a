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

-- Where vehicles are: no facts of the log, and not to be made again from it. Of the
-- trail, the last positions of each vehicle are kept.
CREATE SCHEMA telemetry;
CREATE TABLE telemetry.latest (
    vehicle_id uuid PRIMARY KEY,
    org_id     uuid             NOT NULL,
    at         timestamptz      NOT NULL,
    latitude   double precision NOT NULL, -- degrees, WGS 84
    longitude  double precision NOT NULL,
    speed      double precision,          -- km/h
    heading    double precision           -- degrees, clockwise from north
) WITH (fillfactor = 50);
CREATE TABLE telemetry.trail (
    vehicle_id uuid             NOT NULL,
    at         timestamptz      NOT NULL,
    org_id     uuid             NOT NULL,
    latitude   double precision NOT NULL,
    longitude  double precision NOT NULL,
    speed      double precision,
    heading    double precision,
    PRIMARY KEY (vehicle_id, at)
);
GRANT USAGE ON SCHEMA telemetry TO waybill_identity, waybill_reader;
GRANT SELECT, INSERT, UPDATE, DELETE ON telemetry.latest, telemetry.trail TO waybill_identity;
GRANT SELECT ON telemetry.latest, telemetry.trail TO waybill_reader;
ALTER TABLE telemetry.latest ENABLE ROW LEVEL SECURITY;
ALTER TABLE telemetry.latest FORCE ROW LEVEL SECURITY;
ALTER TABLE telemetry.trail ENABLE ROW LEVEL SECURITY;
ALTER TABLE telemetry.trail FORCE ROW LEVEL SECURITY;
CREATE POLICY identity ON telemetry.latest TO waybill_identity
    USING (current_user = 'waybill_identity') WITH CHECK (current_user = 'waybill_identity');
CREATE POLICY identity ON telemetry.trail TO waybill_identity
    USING (current_user = 'waybill_identity') WITH CHECK (current_user = 'waybill_identity');
-- Who sees the vehicle sees where it is.
CREATE POLICY reader ON telemetry.latest FOR SELECT TO waybill_reader
    USING (org_id = (SELECT read.asking_org()) AND EXISTS (SELECT FROM read.vehicles v WHERE v.vehicle_id = latest.vehicle_id));
CREATE POLICY reader ON telemetry.trail FOR SELECT TO waybill_reader
    USING (org_id = (SELECT read.asking_org()) AND EXISTS (SELECT FROM read.vehicles v WHERE v.vehicle_id = trail.vehicle_id));

-- +goose Down
DROP SCHEMA telemetry CASCADE;
DROP POLICY identity ON read.progress;
DROP POLICY identity ON read.deliveries;
REVOKE SELECT ON read.progress FROM waybill_identity;
REVOKE SELECT (delivery_id, org_id, group_id, do_number, type, date, deleted) ON read.deliveries FROM waybill_identity;
ALTER TABLE read.group_vehicles DROP COLUMN position;
ALTER TABLE read.organisations DROP COLUMN import_template;
ALTER TABLE read.groups DROP COLUMN import_template, DROP COLUMN merged_into;
