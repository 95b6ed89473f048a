-- API keys that are narrowed to groups see what is of these groups and nothing
-- for being their user's: no client that the user looks after, no grant on
-- another group.
--
--   waybill.narrowed       'on' for such a key
--   waybill.grams          what is searched for: numbers that a text must have, '{1,2}'

-- +goose Up
DROP POLICY reader ON read.clients;
CREATE POLICY reader ON read.clients FOR SELECT TO waybill_reader
    USING (org_id = (SELECT read.asking_org())
        AND ((SELECT read.asking_all())
            OR (dispatcher_id = (SELECT read.asking_user()) AND NOT (SELECT read.asking_may('narrowed')))
            OR group_id = ANY ((SELECT read.asking_groups())::uuid[])));

DROP POLICY reader ON read.grants;
CREATE POLICY reader ON read.grants FOR SELECT TO waybill_reader
    USING (org_id = (SELECT read.asking_org())
        AND ((SELECT read.asking_all())
            OR (user_id = (SELECT read.asking_user())
                AND (NOT (SELECT read.asking_may('narrowed')) OR group_id = ANY ((SELECT read.asking_groups())::uuid[])))
            OR ((SELECT read.asking_may('manage_users'))
                AND ended_at IS NULL AND (expires_at IS NULL OR expires_at > now())
                AND group_id = ANY ((SELECT read.asking_groups())::uuid[]))));

-- An index of the texts that deliveries are found by (see events/search). It is a
-- table of its own, for which nothing is to be done when a delivery merely changes
-- its status. An operator that looks into arrays is not leakproof, so a condition of
-- a query would not reach the index below a policy: what is searched for is part of
-- the policy itself, and without it there is no row. Deliveries that are there
-- already come into it with a rebuild (waybill rebuild).
CREATE TABLE read.delivery_search (
    delivery_id uuid PRIMARY KEY,
    org_id      uuid  NOT NULL,
    grams       int[] NOT NULL
);
CREATE INDEX delivery_search_grams ON read.delivery_search USING gin (grams) WITH (gin_pending_list_limit = 512);

CREATE FUNCTION read.asking_grams() RETURNS int[] LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(nullif(current_setting('waybill.grams', true), ''), '{}')::int[];

GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON read.delivery_search TO waybill_projector;
GRANT SELECT ON read.delivery_search TO waybill_reader;
ALTER TABLE read.delivery_search ENABLE ROW LEVEL SECURITY;
ALTER TABLE read.delivery_search FORCE ROW LEVEL SECURITY;
CREATE POLICY projector ON read.delivery_search TO waybill_projector
    USING (current_user = 'waybill_projector') WITH CHECK (current_user = 'waybill_projector');
CREATE POLICY reader ON read.delivery_search FOR SELECT TO waybill_reader
    USING (org_id = (SELECT read.asking_org()) AND grams @> (SELECT read.asking_grams())
        -- One by one: for EXISTS, a planner without statistics reads all deliveries.
        AND (SELECT true FROM read.deliveries d WHERE d.delivery_id = delivery_search.delivery_id));

-- +goose Down
DROP TABLE read.delivery_search;
DROP FUNCTION read.asking_grams();
DROP POLICY reader ON read.grants;
CREATE POLICY reader ON read.grants FOR SELECT TO waybill_reader
    USING (org_id = (SELECT read.asking_org())
        AND ((SELECT read.asking_all())
            OR user_id = (SELECT read.asking_user())
            OR ((SELECT read.asking_may('manage_users'))
                AND ended_at IS NULL AND (expires_at IS NULL OR expires_at > now())
                AND group_id = ANY ((SELECT read.asking_groups())::uuid[]))));
DROP POLICY reader ON read.clients;
CREATE POLICY reader ON read.clients FOR SELECT TO waybill_reader
    USING (org_id = (SELECT read.asking_org())
        AND ((SELECT read.asking_all())
            OR dispatcher_id = (SELECT read.asking_user())
            OR group_id = ANY ((SELECT read.asking_groups())::uuid[])));
