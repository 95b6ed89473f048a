-- What is to end by itself, and when: what the clock sleeps until.

-- +goose Up
CREATE TABLE ops.deadlines (
    kind      text        NOT NULL, -- grant, user_invitation, client_invitation
    key       uuid        NOT NULL, -- of the grant or the invitation
    org_id    uuid        NOT NULL,
    aggregate uuid        NOT NULL, -- whose stream it is in
    due_at    timestamptz NOT NULL,
    event_id  uuid        NOT NULL, -- of the event that set it
    position  bigint      NOT NULL, -- of that event
    PRIMARY KEY (kind, key)
);
CREATE INDEX deadlines_due ON ops.deadlines (due_at, kind, key);
CREATE INDEX deadlines_of ON ops.deadlines (aggregate);

GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ops.deadlines TO waybill_projector;

-- +goose Down
DROP TABLE ops.deadlines;
