package readmodel

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/events"
)

// People returns the users who saw a client's group at a position, by a grant,
// once the tables hold everything up to it.
func (s Sight) People(ctx context.Context, org, client uuid.UUID, at events.Position) ([]uuid.UUID, error) {
	if err := s.Wait(ctx, at); err != nil {
		return nil, err
	}
	return collect(ctx, s.Pool, pgx.RowTo[uuid.UUID], `
		SELECT DISTINCT g.user_id
		FROM read.clients c
		JOIN read.grants g ON g.group_id = c.group_id AND g.org_id = c.org_id
		WHERE c.org_id = $1 AND c.client_id = $2 AND g.position < $3 AND (g.ended_position IS NULL OR g.ended_position > $3)
		ORDER BY g.user_id`, org, client, int64(at.Commit))
}

// LookedAfter returns the clients whose dispatcher a user is, once the tables hold
// everything up to a position.
func (s Sight) LookedAfter(ctx context.Context, org, dispatcher uuid.UUID, at events.Position) ([]uuid.UUID, error) {
	if err := s.Wait(ctx, at); err != nil {
		return nil, err
	}
	return collect(ctx, s.Pool, pgx.RowTo[uuid.UUID],
		`SELECT client_id FROM read.clients WHERE org_id = $1 AND dispatcher_id = $2 ORDER BY client_id`, org, dispatcher)
}
