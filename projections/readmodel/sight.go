package readmodel

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"waybill/events"
	"waybill/events/fault"
	"waybill/projections"
)

// Sight answers the command side who sees what, as the tables say: what must be
// known before somebody's access is widened, and which deliveries follow a merged
// group. Its errors are of kind fault.Unavailable.
type Sight struct {
	Pool     *pgxpool.Pool         // connects as waybill_identity
	Progress *projections.Progress // of the read model

	// Now is the clock by which grants end. Defaults to time.Now.
	Now func() time.Time
}

// Wait returns when the tables hold everything up to a position, or with an error.
func (s Sight) Wait(ctx context.Context, p events.Position) error { return s.Progress.Wait(ctx, p) }

// Holders returns the users who see a group, while it is active, through an open
// and unexpired grant, in the order of their ids. Who is blocked or removed, or
// sees everything anyway, is none of them.
func (s Sight) Holders(ctx context.Context, org, group uuid.UUID) ([]uuid.UUID, error) {
	return collect(ctx, s.Pool, pgx.RowTo[uuid.UUID], `
		SELECT DISTINCT u.user_id
		FROM read.grants g
		JOIN read.users u ON u.user_id = g.user_id AND u.org_id = g.org_id
		WHERE g.org_id = $1 AND g.group_id = $2 AND g.ended_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > $3)
		  AND u.status IN ('invited', 'active')
		  AND NOT EXISTS (SELECT FROM read.grants a WHERE a.user_id = g.user_id AND a.org_id = g.org_id
		                  AND a.group_id IS NULL AND a.ended_at IS NULL)
		ORDER BY u.user_id`, org, group, s.now())
}

func (s Sight) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

// Grants returns the open grants of a group, each with its user.
func (s Sight) Grants(ctx context.Context, org, group uuid.UUID) (map[uuid.UUID]uuid.UUID, error) {
	type grant struct{ Grant, User uuid.UUID }
	rows, err := collect(ctx, s.Pool, pgx.RowToStructByPos[grant],
		`SELECT grant_id, user_id FROM read.grants WHERE org_id = $1 AND group_id = $2 AND ended_at IS NULL`, org, group)
	open := make(map[uuid.UUID]uuid.UUID, len(rows))
	for _, r := range rows {
		open[r.Grant] = r.User
	}
	return open, err
}

// Deliveries returns how many deliveries are tagged with a group.
func (s Sight) Deliveries(ctx context.Context, org, group uuid.UUID) (int64, error) {
	return one[int64](ctx, s.Pool, `SELECT coalesce(sum(count), 0)::bigint FROM read.progress WHERE org_id = $1 AND group_id = $2`, org, group)
}

// Everything returns how many deliveries the organisation has.
func (s Sight) Everything(ctx context.Context, org uuid.UUID) (int64, error) {
	return one[int64](ctx, s.Pool, `SELECT coalesce(sum(count), 0)::bigint FROM read.progress WHERE org_id = $1`, org)
}

// Twins names deliveries of one group for which the other has one of the same
// type, D.O. number and date; at most so many.
func (s Sight) Twins(ctx context.Context, org, from, into uuid.UUID, most int) ([]string, error) {
	return collect(ctx, s.Pool, pgx.RowTo[string], `
		SELECT d.do_number || ' (' || d.type || ', ' || d.date || ')'
		FROM read.deliveries d
		WHERE d.org_id = $1 AND d.group_id = $2 AND NOT d.deleted
		  AND EXISTS (SELECT FROM read.deliveries t
		              WHERE t.org_id = $1 AND t.group_id = $3 AND NOT t.deleted AND t.do_number = d.do_number AND t.type = d.type AND t.date = d.date)
		ORDER BY d.date, d.do_number, d.type
		LIMIT $4`, org, from, into, most)
}

// Merging reports whether deliveries of a group that was merged into this one are
// still to move here.
func (s Sight) Merging(ctx context.Context, org, group uuid.UUID) (bool, error) {
	return one[bool](ctx, s.Pool, `
		SELECT EXISTS (SELECT FROM read.groups g
		               JOIN read.progress p ON p.org_id = g.org_id AND p.group_id = g.group_id
		               WHERE g.org_id = $1 AND g.merged_into = $2)`, org, group)
}

// Tagged returns deliveries of a group, at most so many, and from where to go on:
// empty at the end, and to begin with.
func (s Sight) Tagged(ctx context.Context, org, group uuid.UUID, from string, most int) ([]uuid.UUID, string, error) {
	date, id, begun := strings.Cut(from, " ")
	if !begun {
		date, id = "infinity", uuid.Max.String()
	}
	type place struct {
		ID   uuid.UUID
		Date string
	}
	rows, err := collect(ctx, s.Pool, pgx.RowToStructByPos[place], `
		SELECT delivery_id, date::text
		FROM read.deliveries
		WHERE org_id = $1 AND group_id = $2 AND NOT deleted AND (date, delivery_id) < ($3::text::date, $4::text::uuid)
		ORDER BY date DESC, delivery_id DESC
		LIMIT $5`, org, group, date, id, most)
	if err != nil || len(rows) == 0 {
		return nil, "", err
	}
	ids := make([]uuid.UUID, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	last := rows[len(rows)-1]
	return ids, last.Date + " " + last.ID.String(), nil
}

func one[T any](ctx context.Context, pool *pgxpool.Pool, query string, args ...any) (T, error) {
	rows, err := collect(ctx, pool, pgx.RowTo[T], query, args...)
	if err != nil || len(rows) != 1 {
		var none T
		return none, err
	}
	return rows[0], nil
}

func collect[T any](ctx context.Context, pool *pgxpool.Pool, row pgx.RowToFunc[T], query string, args ...any) ([]T, error) {
	rows, err := pool.Query(ctx, query, args...)
	if err != nil {
		return nil, away(err)
	}
	out, err := pgx.CollectRows(rows, row)
	if err != nil {
		return nil, away(err)
	}
	return out, nil
}

func away(err error) error {
	return fault.Wrap(fmt.Errorf("who sees what: %w", err), fault.Unavailable, "sight-unknown", "Who sees what cannot be told at the moment. Try again.")
}
