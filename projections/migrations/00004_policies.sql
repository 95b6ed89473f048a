-- Who sees which row. A reader says who asks by transaction-local settings; with
-- none of them there is no row. The functions stand in (SELECT ...) so that each is
-- evaluated once per query, not per row.
--
--   waybill.org            the organisation (uuid)
--   waybill.user           the user (uuid)
--   waybill.all            'on' with the scope ALL
--   waybill.groups         the groups the user sees, uuids with commas; archived ones left out
--   waybill.manage_users   'on' with that permission
--   waybill.view_vehicles  'on' with that permission

-- +goose Up
CREATE FUNCTION read.asking_org() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('waybill.org', true), '')::uuid;

CREATE FUNCTION read.asking_user() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('waybill.user', true), '')::uuid;

CREATE FUNCTION read.asking_groups() RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(string_to_array(nullif(current_setting('waybill.groups', true), ''), ',')::uuid[], '{}');

CREATE FUNCTION read.asking_all() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(current_setting('waybill.all', true), '') = 'on';

CREATE FUNCTION read.asking_may(permission text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(current_setting('waybill.' || permission, true), '') = 'on';

-- FORCE: the owner is no exception. The two roles that see everything do so as
-- current_user only: an owner who is merely a member of them still sees nothing.
-- +goose StatementBegin
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'read' LOOP
        EXECUTE format('ALTER TABLE read.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE read.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY projector ON read.%I TO waybill_projector '
            'USING (current_user = ''waybill_projector'') WITH CHECK (current_user = ''waybill_projector'')', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY ['users', 'grants', 'groups', 'organisations'] LOOP
        EXECUTE format('CREATE POLICY identity ON read.%I FOR SELECT TO waybill_identity '
            'USING (current_user = ''waybill_identity'')', name);
    END LOOP;
END
$$;
-- +goose StatementEnd

CREATE POLICY reader ON read.organisations FOR SELECT TO waybill_reader
    USING (org_id = (SELECT read.asking_org()));

CREATE POLICY reader ON read.groups FOR SELECT TO waybill_reader
    USING (org_id = (SELECT read.asking_org())
        AND ((SELECT read.asking_all()) OR group_id = ANY ((SELECT read.asking_groups())::uuid[])));

CREATE POLICY reader ON read.customer_codes FOR SELECT TO waybill_reader
    USING (org_id = (SELECT read.asking_org())
        AND ((SELECT read.asking_all()) OR group_id = ANY ((SELECT read.asking_groups())::uuid[])));

CREATE POLICY reader ON read.group_vehicles FOR SELECT TO waybill_reader
    USING (org_id = (SELECT read.asking_org()) AND (SELECT read.asking_may('view_vehicles'))
        AND ((SELECT read.asking_all()) OR group_id = ANY ((SELECT read.asking_groups())::uuid[])));

CREATE POLICY reader ON read.vehicles FOR SELECT TO waybill_reader
    USING (org_id = (SELECT read.asking_org()) AND (SELECT read.asking_may('view_vehicles'))
        AND ((SELECT read.asking_all())
            OR EXISTS (SELECT FROM read.group_vehicles g WHERE g.vehicle_id = vehicles.vehicle_id)));

-- Of somebody else's grants, a manager of users sees the open ones on groups of
-- its own; of other users, those who have such a grant.
CREATE POLICY reader ON read.grants FOR SELECT TO waybill_reader
    USING (org_id = (SELECT read.asking_org())
        AND ((SELECT read.asking_all())
            OR user_id = (SELECT read.asking_user())
            OR ((SELECT read.asking_may('manage_users'))
                AND ended_at IS NULL AND (expires_at IS NULL OR expires_at > now())
                AND group_id = ANY ((SELECT read.asking_groups())::uuid[]))));

CREATE POLICY reader ON read.users FOR SELECT TO waybill_reader
    USING (org_id = (SELECT read.asking_org())
        AND ((SELECT read.asking_all())
            OR user_id = (SELECT read.asking_user())
            OR ((SELECT read.asking_may('manage_users'))
                AND EXISTS (SELECT FROM read.grants g
                            WHERE g.user_id = users.user_id AND g.ended_at IS NULL
                              AND (g.expires_at IS NULL OR g.expires_at > now())
                              AND g.group_id = ANY ((SELECT read.asking_groups())::uuid[])))));

CREATE POLICY reader ON read.clients FOR SELECT TO waybill_reader
    USING (org_id = (SELECT read.asking_org())
        AND ((SELECT read.asking_all())
            OR dispatcher_id = (SELECT read.asking_user())
            OR group_id = ANY ((SELECT read.asking_groups())::uuid[])));

CREATE POLICY reader ON read.deliveries FOR SELECT TO waybill_reader
    USING (org_id = (SELECT read.asking_org())
        AND ((SELECT read.asking_all()) OR group_id = ANY ((SELECT read.asking_groups())::uuid[])));

CREATE POLICY reader ON read.delivery_items FOR SELECT TO waybill_reader
    USING (org_id = (SELECT read.asking_org())
        AND EXISTS (SELECT FROM read.deliveries d WHERE d.delivery_id = delivery_items.delivery_id));

CREATE POLICY reader ON read.delivery_timeline FOR SELECT TO waybill_reader
    USING (org_id = (SELECT read.asking_org())
        AND EXISTS (SELECT FROM read.deliveries d WHERE d.delivery_id = delivery_timeline.delivery_id));

CREATE POLICY reader ON read.progress FOR SELECT TO waybill_reader
    USING (org_id = (SELECT read.asking_org())
        AND ((SELECT read.asking_all()) OR group_id = ANY ((SELECT read.asking_groups())::uuid[])));

-- +goose Down
-- +goose StatementBegin
DO $$
DECLARE
    p record;
BEGIN
    FOR p IN SELECT policyname, tablename FROM pg_policies WHERE schemaname = 'read' LOOP
        EXECUTE format('DROP POLICY %I ON read.%I', p.policyname, p.tablename);
    END LOOP;
END
$$;
-- +goose StatementEnd
DROP FUNCTION read.asking_org(), read.asking_user(), read.asking_groups(), read.asking_all(), read.asking_may(text);
