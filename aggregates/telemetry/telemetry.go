// Package telemetry keeps where vehicles are: the latest position and a bounded
// trail of each, in Postgres. Positions are no events: nobody decides on them,
// there are too many, and none has to be known for ever.
//
// Who may report and who may look is decided around it.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"waybill/aggregates/access"
	"waybill/events/fault"
)

// MaxBatch is how many positions are taken at a time.
const MaxBatch = 1000

// Position is where a vehicle was, and how it moved.
type Position struct {
	At        time.Time
	Latitude  float64  // degrees, WGS 84
	Longitude float64  // degrees
	Speed     *float64 // km/h; nil = not known
	Heading   *float64 // degrees, clockwise from north; nil = not known
}

// Config says what a store of positions works with.
type Config struct {
	// Pool connects as waybill_identity. Required.
	Pool *pgxpool.Pool
	// Keep is how many positions of a vehicle's trail are kept. Defaults to 1000.
	Keep int
	// Ahead is how far a device's clock may be ahead of ours. Defaults to 5 min.
	Ahead time.Duration
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
}

// Store keeps positions. It is safe for concurrent use.
type Store struct{ cfg Config }

// New returns a store of positions; it does no I/O.
func New(cfg Config) (*Store, error) {
	if cfg.Pool == nil {
		return nil, errors.New("telemetry: Config.Pool is required")
	}
	if cfg.Keep <= 0 {
		cfg.Keep = 1000
	}
	if cfg.Ahead <= 0 {
		cfg.Ahead = 5 * time.Minute
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Store{cfg}, nil
}

const (
	insertTrail = `
INSERT INTO telemetry.trail (vehicle_id, org_id, at, latitude, longitude, speed, heading)
SELECT $1, $2, * FROM unnest($3::timestamptz[], $4::float8[], $5::float8[], $6::float8[], $7::float8[])
ON CONFLICT (vehicle_id, at) DO NOTHING`

	// The latest only ever moves forward, in whatever order batches come.
	moveLatest = `
INSERT INTO telemetry.latest (vehicle_id, org_id, at, latitude, longitude, speed, heading)
SELECT vehicle_id, org_id, at, latitude, longitude, speed, heading
FROM telemetry.trail
WHERE vehicle_id = $1 AND org_id = $2
ORDER BY at DESC
LIMIT 1
ON CONFLICT (vehicle_id) DO UPDATE
SET at = excluded.at, latitude = excluded.latitude, longitude = excluded.longitude, speed = excluded.speed, heading = excluded.heading
WHERE latest.org_id = excluded.org_id AND latest.at < excluded.at`

	trimTrail = `
DELETE FROM telemetry.trail
WHERE vehicle_id = $1 AND org_id = $2
  AND at <= (SELECT at FROM telemetry.trail WHERE vehicle_id = $1 ORDER BY at DESC OFFSET $3 LIMIT 1)`
)

// Record takes a batch of a vehicle's positions, in any order; what was recorded
// for the same moment before stays. It returns how many were new. Errors:
// Invalid, Unavailable.
func (s *Store) Record(ctx context.Context, org, vehicle uuid.UUID, batch []Position) (int, error) {
	if err := s.check(batch); err != nil {
		return 0, err
	}
	at := make([]time.Time, len(batch))
	latitude, longitude := make([]float64, len(batch)), make([]float64, len(batch))
	speed, heading := make([]*float64, len(batch)), make([]*float64, len(batch))
	for i, p := range batch {
		at[i], latitude[i], longitude[i], speed[i], heading[i] = p.At.UTC().Truncate(time.Microsecond), p.Latitude, p.Longitude, p.Speed, p.Heading
	}
	var taken int64
	err := pgx.BeginFunc(ctx, s.cfg.Pool, func(tx pgx.Tx) error {
		// Batches of one vehicle take turns, so that none trims what another counts.
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended($1::text, 0))`, "telemetry "+vehicle.String()); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, insertTrail, vehicle, org, at, latitude, longitude, speed, heading)
		if err != nil {
			return err
		}
		taken = tag.RowsAffected()
		if _, err := tx.Exec(ctx, moveLatest, vehicle, org); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, trimTrail, vehicle, org, s.cfg.Keep)
		return err
	})
	if err != nil {
		return 0, access.Storage(fmt.Errorf("record positions of vehicle %s: %w", vehicle, err))
	}
	return int(taken), nil
}

func (s *Store) check(batch []Position) error {
	if len(batch) == 0 || len(batch) > MaxBatch {
		return fault.InvalidField("positions", "must be 1 to %d", MaxBatch)
	}
	latest := s.cfg.Now().Add(s.cfg.Ahead)
	for i, p := range batch {
		field := func(name string) string { return fmt.Sprintf("positions[%d].%s", i, name) }
		switch {
		case p.At.Year() < 2000:
			return fault.InvalidField(field("at"), "must be a time such as 2026-03-31T09:30:00Z")
		case p.At.After(latest):
			return fault.InvalidField(field("at"), "must not be in the future")
		case !within(p.Latitude, -90, 90):
			return fault.InvalidField(field("latitude"), "must be between -90 and 90")
		case !within(p.Longitude, -180, 180):
			return fault.InvalidField(field("longitude"), "must be between -180 and 180")
		case p.Speed != nil && !within(*p.Speed, 0, 1000):
			return fault.InvalidField(field("speed"), "must be between 0 and 1000 km/h")
		case p.Heading != nil && (!within(*p.Heading, 0, 360) || *p.Heading == 360):
			return fault.InvalidField(field("heading"), "must be at least 0 and less than 360")
		}
	}
	return nil
}

// within is false for what is no number.
func within(v, low, high float64) bool { return v >= low && v <= high }
