-- Grants end by the time at which their reader was looked up, not by the
-- database's own: what a caller is and what it sees go by one clock.
--
--   waybill.at             that time (timestamptz); the database's when it is not said

-- +goose Up
CREATE FUNCTION read.asking_at() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(nullif(current_setting('waybill.at', true), '')::timestamptz, now());

DROP POLICY reader ON read.grants;
CREATE POLICY reader ON read.grants FOR SELECT TO waybill_reader
    USING (org_id = (SELECT read.asking_org())
        AND ((SELECT read.asking_all())
            OR (user_id = (SELECT read.asking_user())
                AND (NOT (SELECT read.asking_may('narrowed')) OR group_id = ANY ((SELECT read.asking_groups())::uuid[])))
            OR ((SELECT read.asking_may('manage_users'))
                AND ended_at IS NULL AND (expires_at IS NULL OR expires_at > (SELECT read.asking_at()))
                AND group_id = ANY ((SELECT read.asking_groups())::uuid[]))));

DROP POLICY reader ON read.users;
CREATE POLICY reader ON read.users FOR SELECT TO waybill_reader
    USING (org_id = (SELECT read.asking_org())
        AND ((SELECT read.asking_all())
            OR user_id = (SELECT read.asking_user())
            OR ((SELECT read.asking_may('manage_users'))
                AND EXISTS (SELECT FROM read.grants g
                            WHERE g.user_id = users.user_id AND g.ended_at IS NULL
                              AND (g.expires_at IS NULL OR g.expires_at > (SELECT read.asking_at()))
                              AND g.group_id = ANY ((SELECT read.asking_groups())::uuid[])))));

-- +goose Down
DROP POLICY reader ON read.users;
CREATE POLICY reader ON read.users FOR SELECT TO waybill_reader
    USING (org_id = (SELECT read.asking_org())
        AND ((SELECT read.asking_all())
            OR user_id = (SELECT read.asking_user())
            OR ((SELECT read.asking_may('manage_users'))
                AND EXISTS (SELECT FROM read.grants g
                            WHERE g.user_id = users.user_id AND g.ended_at IS NULL
                              AND (g.expires_at IS NULL OR g.expires_at > now())
                              AND g.group_id = ANY ((SELECT read.asking_groups())::uuid[])))));

DROP POLICY reader ON read.grants;
CREATE POLICY reader ON read.grants FOR SELECT TO waybill_reader
    USING (org_id = (SELECT read.asking_org())
        AND ((SELECT read.asking_all())
            OR (user_id = (SELECT read.asking_user())
                AND (NOT (SELECT read.asking_may('narrowed')) OR group_id = ANY ((SELECT read.asking_groups())::uuid[])))
            OR ((SELECT read.asking_may('manage_users'))
                AND ended_at IS NULL AND (expires_at IS NULL OR expires_at > now())
                AND group_id = ANY ((SELECT read.asking_groups())::uuid[]))));

DROP FUNCTION read.asking_at();
