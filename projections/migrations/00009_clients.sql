-- Clients with accounts: how each came to be, whether the client approves, its
-- invitation, and what became of it. One-time tokens of their invitations.

-- +goose Up
ALTER TABLE read.clients DROP COLUMN status;
ALTER TABLE read.clients
    ADD COLUMN phone                 text    NOT NULL DEFAULT '',
    ADD COLUMN mode                  text    NOT NULL DEFAULT '', -- on_behalf, invited; empty = not an account
    ADD COLUMN approval              text    NOT NULL DEFAULT '', -- not_required, granted, withdrawn
    ADD COLUMN user_id               uuid,                        -- the account's contact
    ADD COLUMN invitation_id         uuid,                        -- the last one
    ADD COLUMN invitation_state      text    NOT NULL DEFAULT '', -- open, accepted, declined, revoked, expired
    ADD COLUMN invitation_expires_at timestamptz,
    ADD COLUMN removed               boolean NOT NULL DEFAULT false,
    ADD COLUMN fate                  text    NOT NULL DEFAULT '', -- of a removed one: kept_by_client, ended
    ADD COLUMN status                text    NOT NULL GENERATED ALWAYS AS
        (CASE WHEN removed THEN 'removed'
              WHEN mode <> '' AND approval = 'withdrawn' THEN 'approval_withdrawn'
              WHEN mode <> '' THEN 'active'
              WHEN invitation_state = 'open' THEN 'invited'
              ELSE 'added' END) STORED;
ALTER TABLE read.clients ALTER COLUMN phone DROP NOT NULL, ALTER COLUMN phone DROP DEFAULT; -- null = erased

-- Whose dispatcher somebody is, and whose group is which, for what follows from
-- events of clients.
GRANT SELECT ON read.clients TO waybill_identity;
CREATE POLICY identity ON read.clients FOR SELECT TO waybill_identity USING (current_user = 'waybill_identity');

ALTER TABLE identity.tokens DROP CONSTRAINT tokens_purpose_check;
ALTER TABLE identity.tokens
    ADD COLUMN client_id uuid,
    ADD CONSTRAINT tokens_purpose_check CHECK (purpose IN ('invitation', 'password_reset', 'client_invitation'));
CREATE INDEX tokens_client ON identity.tokens (client_id) WHERE client_id IS NOT NULL;

-- +goose Down
DELETE FROM identity.tokens WHERE purpose = 'client_invitation';
ALTER TABLE identity.tokens DROP COLUMN client_id, DROP CONSTRAINT tokens_purpose_check;
ALTER TABLE identity.tokens ADD CONSTRAINT tokens_purpose_check CHECK (purpose IN ('invitation', 'password_reset'));
DROP POLICY identity ON read.clients;
REVOKE SELECT ON read.clients FROM waybill_identity;
ALTER TABLE read.clients
    DROP COLUMN status, DROP COLUMN phone, DROP COLUMN mode, DROP COLUMN approval, DROP COLUMN user_id,
    DROP COLUMN invitation_id, DROP COLUMN invitation_state, DROP COLUMN invitation_expires_at,
    DROP COLUMN removed, DROP COLUMN fate;
ALTER TABLE read.clients ADD COLUMN status text NOT NULL DEFAULT 'added';
