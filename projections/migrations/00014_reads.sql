-- API keys that are narrowed to groups see what is of these groups and nothing
-- for being their user's: no client that the user looks after, no grant on
-- another group.
--
--   waybill.narrowed       'on' for such a key

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

-- +goose Down
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
