-- The whole life of a delivery.

-- +goose Up
ALTER TABLE read.deliveries
    ADD COLUMN search      text COLLATE "C" NOT NULL DEFAULT '', -- D.O. number, recipient and address, a line each, in their normal form
    ADD COLUMN mark        text COLLATE "C" NOT NULL DEFAULT '', -- heading, arrived; empty = none
    ADD COLUMN eta         timestamptz,
    ADD COLUMN previous_id uuid,                                 -- the attempt before
    ADD COLUMN next_id     uuid,                                 -- the attempt after
    ADD COLUMN deleted     boolean NOT NULL DEFAULT false;       -- stays as a row, so that old events do not revive it
COMMENT ON COLUMN read.deliveries.details IS
    'Members of a JSON object, without its braces and never empty, to be spliced into answers: type, attempt, do_number, date, item_count, and of address, recipient, phone, email those that were given. An erased one is null and named in "erased".';

-- What was deleted does not exist for anybody; its items and its timeline are
-- seen through its row.
DROP POLICY reader ON read.deliveries;
CREATE POLICY reader ON read.deliveries FOR SELECT TO waybill_reader
    USING (org_id = (SELECT read.asking_org()) AND NOT deleted
        AND ((SELECT read.asking_all()) OR group_id = ANY ((SELECT read.asking_groups())::uuid[])));

-- +goose Down
DROP POLICY reader ON read.deliveries;
CREATE POLICY reader ON read.deliveries FOR SELECT TO waybill_reader
    USING (org_id = (SELECT read.asking_org())
        AND ((SELECT read.asking_all()) OR group_id = ANY ((SELECT read.asking_groups())::uuid[])));
ALTER TABLE read.deliveries
    DROP COLUMN search, DROP COLUMN mark, DROP COLUMN eta, DROP COLUMN previous_id, DROP COLUMN next_id, DROP COLUMN deleted;
