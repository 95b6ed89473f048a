-- Mails: what is to be sent because of which event, and what became of it. Neither
-- the text nor the recipient's address is kept, nor a token: they are looked up,
-- and made, when it is sent. Rows stay, so that no replay of the log sends twice.

-- +goose Up
CREATE SCHEMA mail;

CREATE TABLE mail.outbox (
    event_id        uuid PRIMARY KEY,     -- what it is about; its Message-ID comes from it
    org_id          uuid        NOT NULL,
    kind            text        NOT NULL, -- user_invitation, client_account, client_invitation, password_reset, user_blocked
    user_id         uuid,                 -- whose stream the event is in, or
    client_id       uuid,                 -- this one's
    identity_id     uuid,                 -- who got it; null = not sent yet
    position        bigint      NOT NULL, -- of the event
    happened_at     timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL, -- not worth sending from then on
    state           text        NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sending', 'sent', 'failed', 'dropped')),
    attempts        int         NOT NULL DEFAULT 0,
    reason          text        NOT NULL DEFAULT '', -- why it failed or was dropped, or the last attempt did not work
    created_at      timestamptz NOT NULL,
    next_attempt_at timestamptz NOT NULL,
    sent_at         timestamptz
);
CREATE INDEX outbox_due ON mail.outbox (next_attempt_at, event_id) WHERE state = 'queued';
CREATE INDEX outbox_open ON mail.outbox (state) WHERE state IN ('queued', 'sending', 'failed');
CREATE INDEX outbox_latest ON mail.outbox (created_at DESC, event_id);

GRANT USAGE ON SCHEMA mail TO waybill_projector, waybill_identity;
GRANT SELECT, INSERT ON mail.outbox TO waybill_projector;
GRANT SELECT, UPDATE ON mail.outbox TO waybill_identity;

-- A link that was mailed stands beside one that was printed for an operator.
ALTER TABLE identity.tokens ADD COLUMN event_id uuid; -- whose mail carries it; null = none does

-- +goose Down
ALTER TABLE identity.tokens DROP COLUMN event_id;
DROP TABLE mail.outbox;
DROP SCHEMA mail;
