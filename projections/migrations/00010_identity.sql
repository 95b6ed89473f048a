-- Requests that may be repeated, with the answers they got, the API keys of
-- machines, and when a session was last used. Only waybill_identity reaches them.

-- +goose Up
CREATE TABLE identity.idempotency (
    actor        text        NOT NULL,
    request_id   uuid        NOT NULL, -- of the actor, the method, the path and the key
    org_id       uuid        NOT NULL,
    request_hash bytea       NOT NULL, -- of the body and what else says what is asked for
    sight_hash   bytea       NOT NULL, -- of what the caller could see and do then
    attempt      uuid        NOT NULL, -- who executes it, or did
    busy_until   timestamptz NOT NULL, -- without an answer by then, the next one may try
    status       integer,              -- null = not answered yet
    headers      jsonb,
    body         bytea,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    PRIMARY KEY (actor, request_id)
);
CREATE INDEX idempotency_expires ON identity.idempotency (expires_at);

ALTER TABLE identity.sessions ADD COLUMN last_seen_at timestamptz; -- to some minutes; null = not since it was opened

-- What an API key gives is bounded by its user at every request; null = by nothing
-- else.
CREATE TABLE identity.api_keys (
    key_id       uuid PRIMARY KEY,
    token_hash   bytea       NOT NULL UNIQUE,
    org_id       uuid        NOT NULL,
    user_id      uuid        NOT NULL,
    name         text        NOT NULL,
    permissions  text[],
    groups       uuid[],
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz -- to some minutes
);
CREATE INDEX api_keys_user ON identity.api_keys (org_id, user_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON identity.idempotency, identity.api_keys TO waybill_identity;

-- +goose Down
ALTER TABLE identity.sessions DROP COLUMN last_seen_at;
DROP TABLE identity.api_keys, identity.idempotency;
