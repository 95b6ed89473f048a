-- The read model. Everything in these tables comes from the event log and can be
-- made again from it. A null in a column of personal data means erased; an empty
-- text means not given.

-- +goose Up
CREATE TABLE read.organisations (
    org_id       uuid PRIMARY KEY,
    all_group_id uuid    NOT NULL,
    name         text    NOT NULL,
    kind         text    NOT NULL,
    timezone     text    NOT NULL, -- IANA name
    group_field  boolean NOT NULL,
    position     bigint  NOT NULL
);

CREATE TABLE read.groups (
    group_id   uuid PRIMARY KEY,
    org_id     uuid        NOT NULL,
    kind       text        NOT NULL, -- all, client, standard
    name       text        NOT NULL,
    status     text        NOT NULL, -- active, archived, merged
    client_id  uuid,
    created_at timestamptz NOT NULL,
    revision   bigint      NOT NULL,
    position   bigint      NOT NULL
);
CREATE INDEX groups_by_name ON read.groups (org_id, name, group_id);

CREATE TABLE read.customer_codes (
    org_id   uuid   NOT NULL,
    code     text   NOT NULL,
    group_id uuid   NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (org_id, code)
);
CREATE INDEX customer_codes_of_group ON read.customer_codes (group_id);

CREATE TABLE read.vehicles (
    vehicle_id uuid PRIMARY KEY,
    org_id     uuid   NOT NULL,
    name       text   NOT NULL,
    plate      text   NOT NULL,
    position   bigint NOT NULL
);
CREATE INDEX vehicles_by_name ON read.vehicles (org_id, name, vehicle_id);

-- Vehicles of groups other than ALL; the whole register is read.vehicles.
CREATE TABLE read.group_vehicles (
    group_id   uuid NOT NULL,
    vehicle_id uuid NOT NULL,
    org_id     uuid NOT NULL,
    PRIMARY KEY (group_id, vehicle_id)
);
CREATE INDEX group_vehicles_of_vehicle ON read.group_vehicles (vehicle_id);

CREATE TABLE read.users (
    user_id     uuid PRIMARY KEY,
    org_id      uuid        NOT NULL,
    identity_id uuid        NOT NULL,
    name        text,
    email       text,
    role        text        NOT NULL,
    accepted    boolean     NOT NULL, -- the invitation
    blocked     boolean     NOT NULL,
    status      text        NOT NULL GENERATED ALWAYS AS
        (CASE WHEN blocked THEN 'blocked' WHEN accepted THEN 'active' ELSE 'invited' END) STORED,
    permissions jsonb       NOT NULL, -- explicit switches by name; the rest is at the role's default
    created_at  timestamptz NOT NULL,
    revision    bigint      NOT NULL,
    position    bigint      NOT NULL
);
CREATE INDEX users_by_name ON read.users (org_id, name, user_id);
CREATE INDEX users_of_identity ON read.users (identity_id);

-- Every grant that ever was; open while ended_at is null. A null group is ALL.
CREATE TABLE read.grants (
    grant_id       uuid PRIMARY KEY,
    org_id         uuid        NOT NULL,
    user_id        uuid        NOT NULL,
    group_id       uuid,
    basis          text        NOT NULL,
    source         text        NOT NULL,
    granted_at     timestamptz NOT NULL,
    granted_by     text        NOT NULL, -- actor, "type:id"
    reason         text        NOT NULL,
    approval       jsonb,                -- null = none needed or none given
    expires_at     timestamptz,
    ended_at       timestamptz,
    ended_by       text,
    position       bigint      NOT NULL, -- of the grant
    ended_position bigint                -- of its end
);
CREATE INDEX grants_of_user ON read.grants (user_id);
CREATE INDEX grants_open_of_group ON read.grants (group_id, user_id) WHERE ended_at IS NULL;

CREATE TABLE read.clients (
    client_id     uuid PRIMARY KEY,
    org_id        uuid        NOT NULL,
    business_name text        NOT NULL,
    contact       text,
    email         text,
    dispatcher_id uuid,
    group_id      uuid,
    status        text        NOT NULL, -- added
    created_at    timestamptz NOT NULL,
    revision      bigint      NOT NULL,
    position      bigint      NOT NULL
);
CREATE INDEX clients_by_name ON read.clients (org_id, business_name, client_id);
CREATE INDEX clients_of_dispatcher ON read.clients (dispatcher_id);
CREATE INDEX clients_of_group ON read.clients (group_id);

CREATE TABLE read.deliveries (
    delivery_id uuid PRIMARY KEY,
    org_id      uuid        NOT NULL,
    group_id    uuid,                 -- null = untagged
    do_number   text        COLLATE "C" NOT NULL,
    type        text        NOT NULL,
    date        date        NOT NULL,
    status      text        COLLATE "C" NOT NULL,
    vehicle_id  uuid,
    attempt     int         NOT NULL,
    item_count  int         NOT NULL,
    details     text        NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    revision    bigint      NOT NULL,
    position    bigint      NOT NULL
) WITH (fillfactor = 75);
COMMENT ON COLUMN read.deliveries.details IS
    'Members of a JSON object, without its braces and never empty, to be spliced into answers: do_number, type, date, attempt, item_count, and of address, recipient, phone, email those that were given. An erased one is null and named in "erased".';
CREATE INDEX deliveries_of_group ON read.deliveries (group_id, date DESC, delivery_id DESC);
CREATE INDEX deliveries_of_org ON read.deliveries (org_id, date DESC, delivery_id DESC);
CREATE INDEX deliveries_of_group_by_status ON read.deliveries (group_id, status, date DESC, delivery_id DESC);
CREATE INDEX deliveries_of_org_by_status ON read.deliveries (org_id, status, date DESC, delivery_id DESC);
CREATE INDEX deliveries_by_number ON read.deliveries (org_id, do_number);

CREATE TABLE read.delivery_items (
    delivery_id uuid   NOT NULL,
    line        int    NOT NULL, -- 1-based
    org_id      uuid   NOT NULL,
    item_id     text   NOT NULL,
    sku         text   NOT NULL,
    description text   NOT NULL,
    quantity    bigint NOT NULL,
    unit        text   NOT NULL,
    PRIMARY KEY (delivery_id, line)
);

CREATE TABLE read.delivery_timeline (
    delivery_id uuid        NOT NULL,
    revision    bigint      NOT NULL,
    org_id      uuid        NOT NULL,
    type        text        NOT NULL, -- of the event
    at          timestamptz NOT NULL, -- recorded_at
    actor       text        NOT NULL, -- "type:id"
    from_group  uuid,
    to_group    uuid,
    reason      text        NOT NULL,
    detail      jsonb,                -- what is special to the type: vehicle, occurred_at, proof, import
    PRIMARY KEY (delivery_id, revision)
);

-- How many deliveries stand where. The vehicle and the date matter only to what is
-- dispatched; elsewhere they are false and -infinity. No row = no delivery.
CREATE TABLE read.progress (
    org_id   uuid    NOT NULL,
    group_id uuid    NOT NULL, -- the zero UUID = untagged
    status   text    COLLATE "C" NOT NULL,
    vehicle  boolean NOT NULL,
    date     date    NOT NULL,
    count    bigint  NOT NULL,
    PRIMARY KEY (org_id, group_id, status, vehicle, date)
) WITH (fillfactor = 50);

GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA read TO waybill_projector;
GRANT SELECT ON ALL TABLES IN SCHEMA read TO waybill_reader;
GRANT SELECT ON read.users, read.grants, read.groups, read.organisations TO waybill_identity;

-- +goose Down
DROP TABLE read.progress, read.delivery_timeline, read.delivery_items, read.deliveries, read.clients, read.grants,
    read.users, read.group_vehicles, read.vehicles, read.customer_codes, read.groups, read.organisations;
