-- People, their sessions and secrets: outside the event log, because they must be
-- erasable. Only waybill_identity reaches them. Tokens are stored as hashes only.

-- +goose Up
CREATE TABLE identity.identities (
    identity_id     uuid PRIMARY KEY,
    email           text        NOT NULL UNIQUE, -- normal form
    password_hash   text,                        -- Argon2id, null = none set yet
    password_set_at timestamptz,
    created_at      timestamptz NOT NULL
);

CREATE TABLE identity.sessions (
    session_id  uuid PRIMARY KEY,
    token_hash  bytea       NOT NULL UNIQUE,
    identity_id uuid        NOT NULL REFERENCES identity.identities ON DELETE CASCADE,
    org_id      uuid        NOT NULL,
    user_id     uuid        NOT NULL,
    portal      text        NOT NULL DEFAULT '',
    source_ip   text        NOT NULL DEFAULT '',
    user_agent  text        NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL
);
CREATE INDEX sessions_identity ON identity.sessions (identity_id);
CREATE INDEX sessions_user ON identity.sessions (user_id);
CREATE INDEX sessions_expires ON identity.sessions (expires_at);

CREATE TABLE identity.tokens (
    token_hash    bytea PRIMARY KEY,
    purpose       text        NOT NULL CHECK (purpose IN ('invitation', 'password_reset')),
    identity_id   uuid        NOT NULL REFERENCES identity.identities ON DELETE CASCADE,
    org_id        uuid,
    user_id       uuid,
    invitation    uuid,
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    used_at       timestamptz,
    superseded_at timestamptz
);
CREATE INDEX tokens_identity ON identity.tokens (identity_id);
CREATE INDEX tokens_user ON identity.tokens (user_id);

-- The key ring of personal data: deleting a row erases what it sealed.
CREATE TABLE identity.subject_keys (
    subject    uuid PRIMARY KEY,
    key        bytea       NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE identity.secrets (
    name   text PRIMARY KEY,
    secret bytea NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA identity TO waybill_identity;

-- +goose Down
DROP TABLE identity.secrets, identity.subject_keys, identity.tokens, identity.sessions, identity.identities;
