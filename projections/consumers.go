package projections

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"waybill/events/consume"
	"waybill/events/fault"
)

// Status is what a consumer is doing, as it can be read also while no process runs.
type Status struct {
	Name      string        `json:"name"`
	State     consume.State `json:"state"`
	Reason    string        `json:"reason,omitzero"`
	Position  uint64        `json:"position,string"` // in the log, of what is committed
	Parked    int           `json:"parked"`          // streams set aside
	Owner     string        `json:"owner,omitzero"`  // who committed, or said so, last
	UpdatedAt time.Time     `json:"updated_at"`
}

// Consumers returns how all consumers of a database stand, by name.
func Consumers(ctx context.Context, pool *pgxpool.Pool) ([]Status, error) {
	rows, err := pool.Query(ctx, `
		SELECT name, state, reason, commit_position,
		       (SELECT count(DISTINCT stream) FROM ops.parked WHERE projection = name), owner, updated_at
		FROM ops.projections
		ORDER BY name`)
	if err != nil {
		return nil, fmt.Errorf("list consumers: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Status])
	if err != nil {
		return nil, fmt.Errorf("list consumers: %w", err)
	}
	return list, nil
}

// Pause stops a consumer until [Resume]: from now on it commits nothing, in whatever
// process it runs. One that is being rebuilt is not paused, since nobody would know
// afterwards that its tables are not whole. owner says who did it.
func Pause(ctx context.Context, pool *pgxpool.Pool, name, reason, owner string) error {
	return change(ctx, pool, name, `
		UPDATE ops.projections
		SET state = 'paused', reason = $2, state_position = commit_position, owner = $3, updated_at = now()
		WHERE name = $1 AND state <> 'rebuilding'`,
		fault.New(fault.Conflict, "consumer-rebuilding", "The consumer %s is being rebuilt: pause it when it is done", name), sanitise(reason), owner)
}

// Resume lets a paused consumer go on where it stopped.
func Resume(ctx context.Context, pool *pgxpool.Pool, name, owner string) error {
	return change(ctx, pool, name, `
		UPDATE ops.projections
		SET state = 'running', reason = '', state_position = commit_position, owner = $2, updated_at = now()
		WHERE name = $1 AND state = 'paused'`,
		fault.New(fault.Conflict, "consumer-not-paused", "The consumer %s is not paused", name), owner)
}

// change changes one row; other is why a consumer that is there was not changed.
func change(ctx context.Context, pool *pgxpool.Pool, name, sql string, other error, args ...any) error {
	done, err := pool.Exec(ctx, sql, append([]any{name}, args...)...)
	if err != nil {
		return fmt.Errorf("consumer %s: %w", name, err)
	}
	if done.RowsAffected() > 0 {
		return nil
	}
	all, err := Consumers(ctx, pool)
	if err != nil {
		return err
	}
	names := ""
	for _, one := range all {
		if one.Name == name {
			return other
		}
		names += " " + one.Name
	}
	return fault.New(fault.NotFound, "consumer-not-found", "There is no consumer %q; there are:%s", name, names)
}
