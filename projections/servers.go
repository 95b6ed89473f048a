package projections

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// silence is how long a server may say nothing until it is taken for dead.
const silence = time.Minute

// Server is a process that answers requests, as it says of itself.
type Server struct {
	Owner  string    `json:"owner"`  // names it to operators, such as host and process id
	URL    string    `json:"url"`    // where people reach it
	Public bool      `json:"public"` // an operator said the URL; otherwise it is the address it listens on
	Since  time.Time `json:"since"`
}

// Servers returns the servers of a database that run now, those with a URL that an
// operator gave first, then the latest. One that was killed within the last minute
// may be among them.
func Servers(ctx context.Context, pool *pgxpool.Pool) ([]Server, error) {
	rows, err := pool.Query(ctx, `
		SELECT owner, url, public, started_at
		FROM ops.servers
		WHERE seen_at > now() - $1::interval
		ORDER BY public DESC, started_at DESC, server_id`, silence)
	if err != nil {
		return nil, fmt.Errorf("list servers: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Server])
	if err != nil {
		return nil, fmt.Errorf("list servers: %w", err)
	}
	return list, nil
}

// PresenceConfig says which server is there.
type PresenceConfig struct {
	// Pool connects as waybill_projector. Required.
	Pool *pgxpool.Pool

	// Server is what others learn; Since is ignored. Required.
	Server Server

	// Alone says that no other process can be a server of this database, so that
	// whatever it still knows is dead.
	Alone bool

	// Every is how often the server says that it is there. Defaults to 15 s.
	Every time.Duration

	// Patience is how long the database may take to hear it, or that it has ended.
	// Defaults to 5 s.
	Patience time.Duration

	// Logger defaults to discarding.
	Logger *slog.Logger
}

// Presence tells others on the same database that a server runs, and where.
type Presence struct {
	cfg PresenceConfig
	id  uuid.UUID
}

// NewPresence returns the presence of one server; it does no I/O.
func NewPresence(cfg PresenceConfig) (*Presence, error) {
	if cfg.Pool == nil || cfg.Server.URL == "" {
		return nil, errors.New("projections: a presence needs a pool and a URL")
	}
	if cfg.Every <= 0 {
		cfg.Every = 15 * time.Second
	}
	if cfg.Patience <= 0 {
		cfg.Patience = 5 * time.Second
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Presence{cfg: cfg, id: uuid.New()}, nil
}

// Announce says for the first time that the server is there. What others see of
// servers that were killed goes.
func (p *Presence) Announce(ctx context.Context) error {
	batch := &pgx.Batch{}
	batch.Queue(`DELETE FROM ops.servers WHERE $1 OR seen_at < now() - $2::interval`, p.cfg.Alone, silence)
	p.queue(batch)
	if err := p.cfg.Pool.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("announce the server: %w", err)
	}
	return nil
}

func (p *Presence) queue(batch *pgx.Batch) {
	s := p.cfg.Server
	batch.Queue(`
		INSERT INTO ops.servers (server_id, owner, url, public, started_at, seen_at)
		VALUES ($1, $2, $3, $4, now(), now())
		ON CONFLICT (server_id) DO UPDATE SET seen_at = excluded.seen_at`, p.id, s.Owner, s.URL, s.Public)
}

// Run goes on saying so until ctx ends, and then takes it back. An outage of the
// database is waited out.
func (p *Presence) Run(ctx context.Context) error {
	tick := time.NewTicker(p.cfg.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			p.leave(context.WithoutCancel(ctx))
			return nil
		case <-tick.C:
		}
		if err := p.say(context.WithoutCancel(ctx)); err != nil && ctx.Err() == nil {
			p.cfg.Logger.WarnContext(ctx, "the server could not say that it is there, to be tried again", "error", err, "again_in", p.cfg.Every)
		}
	}
}

// say is not broken off by the end of Run: the database might hear it after it was
// taken back.
func (p *Presence) say(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Patience)
	defer cancel()
	batch := &pgx.Batch{}
	p.queue(batch)
	return p.cfg.Pool.SendBatch(ctx, batch).Close()
}

// leave is worth a try: what it cannot take back is known by its silence.
func (p *Presence) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Patience)
	defer cancel()
	if _, err := p.cfg.Pool.Exec(ctx, `DELETE FROM ops.servers WHERE server_id = $1`, p.id); err != nil {
		p.cfg.Logger.WarnContext(ctx, "the server could not take back that it is there", "error", err)
	}
}
