-- Users who were removed, why grants ended, and who asked for access.

-- +goose Up
ALTER TABLE read.users DROP COLUMN status;
ALTER TABLE read.users
    ADD COLUMN removed boolean NOT NULL DEFAULT false,
    ADD COLUMN status  text    NOT NULL GENERATED ALWAYS AS
        (CASE WHEN removed THEN 'removed' WHEN blocked THEN 'blocked' WHEN accepted THEN 'active' ELSE 'invited' END) STORED;

ALTER TABLE read.grants
    ADD COLUMN ended_reason text, -- what was said
    ADD COLUMN ended_cause  text; -- what else it was part of, "expired", or empty

CREATE TABLE read.access_requests (
    request_id       uuid PRIMARY KEY,
    org_id           uuid        NOT NULL,
    user_id          uuid        NOT NULL, -- who is to get it
    group_id         uuid        NOT NULL,
    requested_at     timestamptz NOT NULL,
    requested_by     text        NOT NULL, -- actor, "type:id"
    reason           text        NOT NULL,
    expires_at       timestamptz,          -- of the access
    status           text        NOT NULL, -- open, approved, denied
    decided_at       timestamptz,
    decided_by       text,
    decided_reason   text,
    position         bigint      NOT NULL, -- of the request
    decided_position bigint
);
CREATE INDEX access_requests_of_org ON read.access_requests (org_id, position);
CREATE INDEX access_requests_of_user ON read.access_requests (user_id);

GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON read.access_requests TO waybill_projector;
GRANT SELECT ON read.access_requests TO waybill_reader;

ALTER TABLE read.access_requests ENABLE ROW LEVEL SECURITY;
ALTER TABLE read.access_requests FORCE ROW LEVEL SECURITY;
CREATE POLICY projector ON read.access_requests TO waybill_projector
    USING (current_user = 'waybill_projector') WITH CHECK (current_user = 'waybill_projector');

-- Of the groups that the reader sees: one's own, and with manage_users those of
-- the users whom the reader sees.
CREATE POLICY reader ON read.access_requests FOR SELECT TO waybill_reader
    USING (org_id = (SELECT read.asking_org())
        AND ((SELECT read.asking_all())
            OR (group_id = ANY ((SELECT read.asking_groups())::uuid[])
                AND (user_id = (SELECT read.asking_user()) OR (SELECT read.asking_may('manage_users')))
                AND EXISTS (SELECT FROM read.users u WHERE u.user_id = access_requests.user_id))));

-- +goose Down
DROP TABLE read.access_requests;
ALTER TABLE read.grants DROP COLUMN ended_cause, DROP COLUMN ended_reason;
ALTER TABLE read.users DROP COLUMN status, DROP COLUMN removed;
ALTER TABLE read.users
    ADD COLUMN status text NOT NULL GENERATED ALWAYS AS
        (CASE WHEN blocked THEN 'blocked' WHEN accepted THEN 'active' ELSE 'invited' END) STORED;
