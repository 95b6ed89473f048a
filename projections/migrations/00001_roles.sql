-- The three roles that the program's connections take on, and the schemas.
-- Roles belong to the whole cluster: another database may have made them, or be
-- making them at this moment.

-- +goose Up
-- +goose StatementBegin
DO $$
DECLARE
    role   text;
    modern boolean := current_setting('server_version_num')::int >= 160000;
    may    boolean;
BEGIN
    FOREACH role IN ARRAY ARRAY ['waybill_projector', 'waybill_reader', 'waybill_identity'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', role);
            EXCEPTION
                WHEN duplicate_object OR unique_violation THEN NULL;
            END;
        END IF;
        -- The migrating user must be able to SET ROLE, and gains nothing else.
        IF modern THEN
            EXECUTE format('SELECT pg_has_role(current_user, %L, ''SET'')', role) INTO may;
            IF NOT may THEN
                EXECUTE format('GRANT %I TO CURRENT_USER WITH INHERIT FALSE, SET TRUE', role);
            END IF;
        ELSIF NOT pg_has_role(current_user, role, 'MEMBER') THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', role);
        END IF;
    END LOOP;
END
$$;
-- +goose StatementEnd

CREATE SCHEMA identity;
CREATE SCHEMA read;
CREATE SCHEMA IF NOT EXISTS ops;

GRANT USAGE ON SCHEMA identity TO waybill_identity;
GRANT USAGE ON SCHEMA read TO waybill_projector, waybill_reader, waybill_identity;
GRANT USAGE ON SCHEMA ops TO waybill_projector, waybill_reader;

-- +goose Down
DROP SCHEMA read;
DROP SCHEMA identity;
