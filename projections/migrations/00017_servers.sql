-- Which processes answer requests, and where: for whoever works beside them on the
-- same data. A server says it again and again while it runs, and takes its row away
-- when it ends; one that was killed is known by its silence.

-- +goose Up
CREATE TABLE ops.servers (
    server_id  uuid PRIMARY KEY,
    owner      text        NOT NULL,  -- host and process
    url        text        NOT NULL,  -- where people reach it
    public     boolean     NOT NULL,  -- whether an operator said so; else the address it listens on
    started_at timestamptz NOT NULL,  -- both by the database's clock
    seen_at    timestamptz NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE ON ops.servers TO waybill_projector;

-- +goose Down
DROP TABLE ops.servers;
