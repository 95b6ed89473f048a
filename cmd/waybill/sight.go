package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/aggregates/policies"
	"waybill/events"
	"waybill/projections"
)

// sight is what the command side asks of the read models: who sees which group,
// and what is in it. It is no query of a user's, so it stands above row-level
// security, in the role that looks callers up where that sees enough.
type sight struct {
	pool     *pgxpool.Pool // of the role waybill_identity
	all      *pgxpool.Pool // of the role waybill_projector, which sees every table
	progress *projections.Progress
}

var (
	_ policies.Grants      = sight{}
	_ policies.Tagged      = sight{}
	_ policies.ClientSight = sight{}
	_ command.Sight        = sight{}
)

// Wait implements policies.Tagged and command.Sight.
func (s sight) Wait(ctx context.Context, p events.Position) error { return s.progress.Wait(ctx, p) }

// Open implements policies.Grants.
func (s sight) Open(ctx context.Context, org, group uuid.UUID, before events.Position) ([]policies.Grant, error) {
	if err := s.progress.Wait(ctx, before); err != nil {
		return nil, err
	}
	return rowsOf(ctx, s.pool, "open grants of group "+group.String(), pgx.RowToStructByPos[policies.Grant], `
		SELECT user_id, grant_id
		FROM read.grants
		WHERE org_id = $1 AND group_id = $2 AND ended_at IS NULL AND position < $3
		ORDER BY user_id, grant_id`, org, group, int64(before.Commit))
}

// Grants implements command.Sight.
func (s sight) Grants(ctx context.Context, org, group uuid.UUID) (map[uuid.UUID]uuid.UUID, error) {
	open, err := rowsOf(ctx, s.pool, "open grants of group "+group.String(), pgx.RowToStructByPos[policies.Grant], `
		SELECT user_id, grant_id
		FROM read.grants
		WHERE org_id = $1 AND group_id = $2 AND ended_at IS NULL AND (expires_at IS NULL OR expires_at > now())`, org, group)
	grants := make(map[uuid.UUID]uuid.UUID, len(open))
	for _, g := range open {
		grants[g.Grant] = g.User
	}
	return grants, err
}

// Holders implements command.Sight.
func (s sight) Holders(ctx context.Context, org, group uuid.UUID) ([]uuid.UUID, error) {
	return rowsOf(ctx, s.pool, "users who see group "+group.String(), pgx.RowTo[uuid.UUID], `
		SELECT DISTINCT u.user_id
		FROM read.groups gr
		JOIN read.grants g ON g.group_id = gr.group_id AND g.ended_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > now())
		JOIN read.users u ON u.user_id = g.user_id AND u.status NOT IN ('blocked', 'removed')
		WHERE gr.org_id = $1 AND gr.group_id = $2 AND gr.status = 'active'
		ORDER BY 1`, org, group)
}

// Deliveries implements command.Sight.
func (s sight) Deliveries(ctx context.Context, org, group uuid.UUID) (int64, error) {
	return oneOf[int64](ctx, s.pool, "count deliveries of group "+group.String(), `
		SELECT coalesce(sum(count), 0)::bigint
		FROM read.progress
		WHERE org_id = $1 AND group_id = $2`, org, group)
}

// Tagged implements policies.Tagged. Where to go on is the date and the id of the
// last delivery, latest date first, as the index has them.
func (s sight) Tagged(ctx context.Context, org, group uuid.UUID, from string, most int) ([]uuid.UUID, string, error) {
	date, id, given := strings.Cut(from, " ")
	if !given {
		date, id = "infinity", uuid.Max.String()
	}
	type place struct {
		ID   uuid.UUID
		Date string
	}
	page, err := rowsOf(ctx, s.pool, "deliveries of group "+group.String(), pgx.RowToStructByPos[place], `
		SELECT delivery_id, date::text
		FROM read.deliveries
		WHERE org_id = $1 AND group_id = $2 AND (date, delivery_id) < ($3::text::date, $4::text::uuid)
		ORDER BY date DESC, delivery_id DESC
		LIMIT $5`, org, group, date, id, most)
	if err != nil {
		return nil, "", err
	}
	ids := make([]uuid.UUID, len(page))
	for i, at := range page {
		ids[i] = at.ID
	}
	if len(page) < most {
		return ids, "", nil
	}
	last := page[len(page)-1]
	return ids, last.Date + " " + last.ID.String(), nil
}

// People implements policies.ClientSight.
func (s sight) People(ctx context.Context, org, client uuid.UUID, before events.Position) ([]uuid.UUID, error) {
	if err := s.progress.Wait(ctx, before); err != nil {
		return nil, err
	}
	return rowsOf(ctx, s.pool, "people of client "+client.String(), pgx.RowTo[uuid.UUID], `
		SELECT DISTINCT g.user_id
		FROM read.groups gr
		JOIN read.grants g ON g.group_id = gr.group_id
		WHERE gr.org_id = $1 AND gr.client_id = $2 AND g.position < $3 AND (g.ended_at IS NULL OR g.ended_position >= $3)
		ORDER BY 1`, org, client, int64(before.Commit))
}

// LookedAfter implements policies.ClientSight.
func (s sight) LookedAfter(ctx context.Context, org, dispatcher uuid.UUID, before events.Position) ([]uuid.UUID, error) {
	if err := s.progress.Wait(ctx, before); err != nil {
		return nil, err
	}
	return rowsOf(ctx, s.all, "clients of dispatcher "+dispatcher.String(), pgx.RowTo[uuid.UUID], `
		SELECT client_id
		FROM read.clients
		WHERE org_id = $1 AND dispatcher_id = $2
		ORDER BY client_id`, org, dispatcher)
}

// Twins implements command.Sight.
func (s sight) Twins(ctx context.Context, org, from, into uuid.UUID, most int) ([]string, error) {
	return rowsOf(ctx, s.pool, "deliveries of group "+from.String()+" that group "+into.String()+" has too", pgx.RowTo[string], `
		SELECT a.do_number || ', ' || a.type || ', ' || a.date
		FROM read.deliveries a
		WHERE a.org_id = $1 AND a.group_id = $2
		  AND EXISTS (SELECT FROM read.deliveries b
		              WHERE b.org_id = $1 AND b.group_id = $3 AND b.do_number = a.do_number AND b.type = a.type AND b.date = a.date)
		ORDER BY 1
		LIMIT $4`, org, from, into, most)
}

// Merging implements command.Sight.
func (s sight) Merging(ctx context.Context, org, group uuid.UUID) (bool, error) {
	return oneOf[bool](ctx, s.pool, "groups that are being merged into "+group.String(), `
		SELECT EXISTS (SELECT FROM read.groups g
		               WHERE g.org_id = $1 AND g.merged_into = $2
		                 AND EXISTS (SELECT FROM read.deliveries d WHERE d.org_id = $1 AND d.group_id = g.group_id))`, org, group)
}

func rowsOf[T any](ctx context.Context, pool *pgxpool.Pool, what string, scan pgx.RowToFunc[T], sql string, args ...any) ([]T, error) {
	rows, err := pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, access.Storage(fmt.Errorf("%s: %w", what, err))
	}
	all, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, access.Storage(fmt.Errorf("%s: %w", what, err))
	}
	return all, nil
}

func oneOf[T any](ctx context.Context, pool *pgxpool.Pool, what, sql string, args ...any) (T, error) {
	all, err := rowsOf(ctx, pool, what, pgx.RowTo[T], sql, args...)
	if err != nil || len(all) == 0 {
		var none T
		return none, err
	}
	return all[0], nil
}
