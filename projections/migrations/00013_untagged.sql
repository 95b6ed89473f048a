-- The list of what is in no group: few rows among many, which the index of the
-- whole organisation would have to be walked for.

-- +goose Up
CREATE INDEX deliveries_untagged ON read.deliveries (org_id, date DESC, delivery_id DESC) WHERE group_id IS NULL;

-- +goose Down
DROP INDEX read.deliveries_untagged;
