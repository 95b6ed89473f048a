package main

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/aggregates/policies"
	"waybill/events"
	"waybill/projections/readmodel"
)

// sight is what the command side asks of the read models: who sees which group,
// and what is in it. It is no query of a user's, so it stands above row-level
// security, in the role that looks callers up where that sees enough.
type sight struct {
	readmodel.Sight
	all *pgxpool.Pool // of the role waybill_projector, which sees every table
}

var (
	_ policies.Grants      = sight{}
	_ policies.Tagged      = sight{}
	_ policies.ClientSight = sight{}
	_ command.Sight        = sight{}
)

// Open implements policies.Grants.
func (s sight) Open(ctx context.Context, org, group uuid.UUID, before events.Position) ([]policies.Grant, error) {
	if err := s.Progress.Wait(ctx, before); err != nil {
		return nil, err
	}
	return rowsOf(ctx, s.Pool, "open grants of group "+group.String(), pgx.RowToStructByPos[policies.Grant], `
		SELECT user_id, grant_id
		FROM read.grants
		WHERE org_id = $1 AND group_id = $2 AND ended_at IS NULL AND position < $3
		ORDER BY user_id, grant_id`, org, group, int64(before.Commit))
}

// People implements policies.ClientSight.
func (s sight) People(ctx context.Context, org, client uuid.UUID, before events.Position) ([]uuid.UUID, error) {
	if err := s.Progress.Wait(ctx, before); err != nil {
		return nil, err
	}
	return rowsOf(ctx, s.Pool, "people of client "+client.String(), pgx.RowTo[uuid.UUID], `
		SELECT DISTINCT g.user_id
		FROM read.groups gr
		JOIN read.grants g ON g.group_id = gr.group_id
		WHERE gr.org_id = $1 AND gr.client_id = $2 AND g.position < $3 AND (g.ended_at IS NULL OR g.ended_position >= $3)
		ORDER BY 1`, org, client, int64(before.Commit))
}

// LookedAfter implements policies.ClientSight.
func (s sight) LookedAfter(ctx context.Context, org, dispatcher uuid.UUID, before events.Position) ([]uuid.UUID, error) {
	if err := s.Progress.Wait(ctx, before); err != nil {
		return nil, err
	}
	return rowsOf(ctx, s.all, "clients of dispatcher "+dispatcher.String(), pgx.RowTo[uuid.UUID], `
		SELECT client_id
		FROM read.clients
		WHERE org_id = $1 AND dispatcher_id = $2
		ORDER BY client_id`, org, dispatcher)
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
