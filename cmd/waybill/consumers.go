package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"waybill/aggregates/access"
	"waybill/aggregates/policies"
	"waybill/events"
	"waybill/events/consume"
	"waybill/projections"
	"waybill/projections/readmodel"
)

// consumers returns the layer in which everything follows the log: the read
// models, and the policies that issue commands.
func (s *system) consumers() (layer, error) {
	react, err := policies.New(policies.Config{
		Commands: s.commands, Codec: s.codec, Grants: openGrants{s.pools.Identity, s.progress}, Logger: s.log,
	})
	if err != nil {
		return nil, err
	}
	reacted, err := projections.NewLog(projections.LogConfig{Name: policies.Name, Pool: s.pools.Projector, Owner: s.owner})
	if err != nil {
		return nil, err
	}
	var layers []layer
	for _, c := range []consume.Config{
		{Name: readmodel.Name, Prefixes: events.AggregatePrefixes(), Log: s.model.Log(), Handler: s.model.Handle},
		{Name: policies.Name, Prefixes: policies.Prefixes(), Log: reacted, Handler: react.Handle},
	} {
		c.Store, c.Logger, c.Registry, c.Progress = s.store, s.log, s.registry, time.Second
		consumer, err := consume.New(c)
		if err != nil {
			return nil, err
		}
		e := &election{name: c.Name, pool: s.pools.Projector, run: consumer.Run, log: s.log, pause: time.Second, check: 5 * time.Second}
		layers = append(layers, e.Run)
	}
	return alongside(layers...), nil
}

// openGrants is what policies know of the read models.
type openGrants struct {
	pool     *pgxpool.Pool // of the role that sees everybody's grants
	progress *projections.Progress
}

// Open implements policies.Grants.
func (g openGrants) Open(ctx context.Context, org, group uuid.UUID, before events.Position) ([]policies.Grant, error) {
	if err := g.progress.Wait(ctx, before); err != nil {
		return nil, err
	}
	rows, err := g.pool.Query(ctx, `
		SELECT user_id, grant_id
		FROM read.grants
		WHERE org_id = $1 AND group_id = $2 AND ended_at IS NULL AND position < $3
		ORDER BY user_id, grant_id`, org, group, int64(before.Commit))
	if err != nil {
		return nil, access.Storage(fmt.Errorf("open grants of group %s: %w", group, err))
	}
	open, err := pgx.CollectRows(rows, pgx.RowToStructByPos[policies.Grant])
	if err != nil {
		return nil, access.Storage(fmt.Errorf("open grants of group %s: %w", group, err))
	}
	return open, nil
}
