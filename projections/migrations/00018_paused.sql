-- A consumer that an operator has paused commits nothing (WB002), whatever process
-- it runs in and whatever it was doing.

-- +goose Up
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION ops.advance(projection text, after_commit bigint, after_prepare bigint,
                                       last_commit bigint, last_prepare bigint, owned_by text, at timestamptz)
    RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE ops.projections
    SET commit_position = last_commit, prepare_position = last_prepare, owner = owned_by, updated_at = at
    WHERE name = projection AND commit_position = after_commit AND prepare_position = after_prepare AND state <> 'paused';
    IF NOT FOUND AND after_commit = 0 AND after_prepare = 0 THEN
        INSERT INTO ops.projections (name, commit_position, prepare_position, owner, updated_at)
        VALUES (projection, last_commit, last_prepare, owned_by, at)
        ON CONFLICT (name) DO NOTHING;
    END IF;
    IF NOT FOUND THEN
        IF EXISTS (SELECT FROM ops.projections WHERE name = projection AND state = 'paused') THEN
            RAISE EXCEPTION 'projection % is paused', projection USING ERRCODE = 'WB002';
        END IF;
        RAISE EXCEPTION 'checkpoint of projection % is not at %/% any more', projection, after_commit, after_prepare
            USING ERRCODE = 'WB001';
    END IF;
    PERFORM pg_notify('waybill_checkpoint', projection || ' ' || last_commit || '/' || last_prepare);
END
$$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION ops.advance(projection text, after_commit bigint, after_prepare bigint,
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
