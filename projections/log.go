package projections

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"waybill/events"
	"waybill/events/consume"
)

// checkpointChannel is notified of "<projection> <position>" with every commit.
const checkpointChannel = "waybill_checkpoint"

// Rows is what a handler folds one run of events into.
type Rows interface {
	// Reset forgets everything folded.
	Reset()

	// Queue adds the statements that write what was folded. They run in one
	// implicit transaction, after the checkpoint was moved and thereby locked: no
	// other owner of the projection writes beside them. It does no I/O and must
	// leave the rows as they are.
	Queue(*pgx.Batch)
}

// LogConfig describes one consumer's progress in Postgres.
type LogConfig struct {
	// Name is the projection's name, its key in ops.projections. No blanks.
	// Required.
	Name string

	// Pool connects as waybill_projector. Required.
	Pool *pgxpool.Pool

	// NewRows makes the empty rows of a unit. Nil for a consumer that has no
	// rows of its own and needs just the checkpoint.
	NewRows func() Rows

	// Owner names this process to operators, such as host and process id. It
	// decides nothing: the fence is the position. Defaults to empty.
	Owner string

	// Now is the clock of the columns updated_at and parked_at. Defaults to
	// time.Now.
	Now func() time.Time
}

// Log is a consumer's progress in Postgres. It implements [consume.Log].
type Log struct{ cfg LogConfig }

// NewLog returns the log of one consumer; it does no I/O.
func NewLog(cfg LogConfig) (*Log, error) {
	if cfg.Name == "" || cfg.Pool == nil {
		return nil, errors.New("projections: a log needs a name and a pool")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Log{cfg: cfg}, nil
}

// Load implements [consume.Log].
func (l *Log) Load(ctx context.Context) (consume.Checkpoint, error) {
	var c consume.Checkpoint
	err := l.cfg.Pool.QueryRow(ctx, `
		SELECT coalesce(max(commit_position), 0), coalesce(max(prepare_position), 0), coalesce(max(state), ''),
		       ARRAY(SELECT DISTINCT stream FROM ops.parked WHERE projection = $1)
		FROM ops.projections
		WHERE name = $1`, l.cfg.Name).Scan(&c.Position.Commit, &c.Position.Prepare, &c.State, &c.Parked)
	if err != nil {
		return consume.Checkpoint{}, fmt.Errorf("load the checkpoint of %s: %w", l.cfg.Name, err)
	}
	return c, nil
}

// Begin implements [consume.Log]; the unit is a [Unit].
func (l *Log) Begin() consume.Unit {
	u := &Unit{log: l}
	if l.cfg.NewRows != nil {
		u.rows = l.cfg.NewRows()
	}
	return u
}

// SetState implements [consume.Log].
func (l *Log) SetState(ctx context.Context, state consume.State, reason string, at events.Position) error {
	_, err := l.cfg.Pool.Exec(ctx, `
		INSERT INTO ops.projections (name, state, reason, state_position, owner, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (name) DO UPDATE
		SET state = excluded.state, reason = excluded.reason, state_position = excluded.state_position,
		    owner = excluded.owner, updated_at = excluded.updated_at
		WHERE ops.projections.state <> 'paused'`,
		l.cfg.Name, string(state), sanitise(reason), at.Commit, l.cfg.Owner, l.cfg.Now().UTC())
	if err != nil {
		return fmt.Errorf("record that %s is %s: %w", l.cfg.Name, state, err)
	}
	return nil
}

// Clear empties the given tables, forgets what was parked and sets the checkpoint
// back to the start of the log, in one transaction: the next run of the consumer
// builds everything anew, and is said to be rebuilding until it is at the end of the
// log. A consumer that is running meanwhile is fenced and stops; a paused one is not
// paused any more. The tables are qualified names, such as "read.users".
func (l *Log) Clear(ctx context.Context, tables ...string) error {
	batch := &pgx.Batch{}
	// The checkpoint first: its lock is what a committing unit takes first too.
	batch.Queue(`
		INSERT INTO ops.projections (name, state, reason, owner, updated_at)
		VALUES ($1, $2, 'cleared, to be built from the start of the log', $3, $4)
		ON CONFLICT (name) DO UPDATE
		SET commit_position = 0, prepare_position = 0, state_position = 0,
		    state = excluded.state, reason = excluded.reason, owner = excluded.owner, updated_at = excluded.updated_at`,
		l.cfg.Name, string(consume.Rebuilding), l.cfg.Owner, l.cfg.Now().UTC())
	batch.Queue(`DELETE FROM ops.parked WHERE projection = $1`, l.cfg.Name)
	for _, t := range tables {
		batch.Queue(`TRUNCATE ` + t)
	}
	batch.Queue(`SELECT pg_notify($1, $2)`, checkpointChannel, l.cfg.Name+" 0")
	if err := l.cfg.Pool.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("clear projection %s: %w", l.cfg.Name, err)
	}
	return nil
}
