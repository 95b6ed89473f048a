-- How far each projection has come, what it is doing, and what it set aside.

-- +goose Up
CREATE TABLE ops.projections (
    name             text PRIMARY KEY,
    commit_position  bigint      NOT NULL DEFAULT 0,
    prepare_position bigint      NOT NULL DEFAULT 0,
    state            text        NOT NULL DEFAULT 'running', -- running, paused, parked, failed, rebuilding
    reason           text        NOT NULL DEFAULT '',
    state_position   bigint      NOT NULL DEFAULT 0,
    owner            text        NOT NULL DEFAULT '',        -- who committed last
    updated_at       timestamptz NOT NULL
) WITH (fillfactor = 50);

-- Events that could not be handled, and the later ones of their streams, as the
-- store holds them (personal data sealed).
CREATE TABLE ops.parked (
    projection       text        NOT NULL,
    stream           text        NOT NULL,
    revision         bigint      NOT NULL,
    position         bigint      NOT NULL,
    prepare_position bigint      NOT NULL,
    event_id         uuid        NOT NULL,
    type             text        NOT NULL,
    cause            text        NOT NULL,
    parked_at        timestamptz NOT NULL,
    created          timestamptz NOT NULL, -- by the store's clock
    metadata         bytea       NOT NULL,
    data             bytea       NOT NULL,
    PRIMARY KEY (projection, stream, revision)
);

-- advance moves a checkpoint by compare-and-set, as the first statement of the
-- transaction that writes the rows: it takes the row's lock before any other, and a
-- lost race (WB001) ends the whole transaction. An UPDATE that matches no row
-- would let the rows be committed.
-- +goose StatementBegin
CREATE FUNCTION ops.advance(projection text, after_commit bigint, after_prepare bigint,
                            last_commit bigint, last_prepare bigint, owned_by text, at timestamptz)
    RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE ops.projections
    SET commit_position = last_commit, prepare_position = last_prepare, owner = owned_by, updated_at = at
    WHERE name = projection AND commit_position = after_commit AND prepare_position = after_prepare;
    IF NOT FOUND AND after_commit = 0 AND after_prepare = 0 THEN
        INSERT INTO ops.projections (name, commit_position, prepare_position, owner, updated_at)
        VALUES (projection, last_commit, last_prepare, owned_by, at)
        ON CONFLICT (name) DO NOTHING;
    END IF;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'checkpoint of projection % is not at %/% any more', projection, after_commit, after_prepare
            USING ERRCODE = 'WB001';
    END IF;
    PERFORM pg_notify('waybill_checkpoint', projection || ' ' || last_commit || '/' || last_prepare);
END
$$;
-- +goose StatementEnd

GRANT SELECT, INSERT, UPDATE, DELETE ON ops.projections, ops.parked TO waybill_projector;
GRANT SELECT ON ops.projections TO waybill_reader;

-- +goose Down
DROP FUNCTION ops.advance(text, bigint, bigint, bigint, bigint, text, timestamptz);
DROP TABLE ops.parked, ops.projections;
