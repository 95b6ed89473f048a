package projections

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"waybill/events/fault"
)

// The roles that connections take on. None can log in; [Migrate] makes them.
const (
	RoleProjector = "waybill_projector" // writes the read model and the checkpoints
	RoleReader    = "waybill_reader"    // reads the read model, row by row as its settings allow
	RoleIdentity  = "waybill_identity"  // people, sessions and keys, and who may do what
)

// Config says how to reach Postgres.
type Config struct {
	// URL is the connection string, postgres://... Its user must be the one who
	// migrated, or another member of the three roles. Required.
	URL string

	// ProjectorConns, ReaderConns and IdentityConns bound the three pools. A
	// small pool gives the better tail. Default to 4, 8 and 4.
	ProjectorConns, ReaderConns, IdentityConns int32

	// ConnectTimeout bounds one attempt to connect. Defaults to the URL's
	// connect_timeout, and without one to 5 s.
	ConnectTimeout time.Duration
}

// Pools are the program's connections to Postgres, one pool per role.
type Pools struct {
	Projector *pgxpool.Pool // waybill_projector
	Reader    *pgxpool.Pool // waybill_reader, in read-only transactions
	Identity  *pgxpool.Pool // waybill_identity
}

// Open connects with every role once, so that a wrong URL or a missing schema is
// known at the start, and returns the pools. The error names the host, never the
// password.
func Open(ctx context.Context, cfg Config) (*Pools, error) {
	p := &Pools{}
	for _, one := range []struct {
		role string
		max  int32
		std  int32
		pool **pgxpool.Pool
	}{
		{RoleProjector, cfg.ProjectorConns, 4, &p.Projector},
		{RoleReader, cfg.ReaderConns, 8, &p.Reader},
		{RoleIdentity, cfg.IdentityConns, 4, &p.Identity},
	} {
		if one.max <= 0 {
			one.max = one.std
		}
		pool, err := openAs(ctx, cfg, one.role, one.max)
		if err != nil {
			p.Close()
			return nil, err
		}
		*one.pool = pool
	}
	return p, nil
}

// Close closes the pools after the connections in use have come back.
func (p *Pools) Close() {
	for _, pool := range []*pgxpool.Pool{p.Projector, p.Reader, p.Identity} {
		if pool != nil {
			pool.Close()
		}
	}
}

func openAs(ctx context.Context, cfg Config, role string, conns int32) (*pgxpool.Pool, error) {
	c, err := pgxpool.ParseConfig(cfg.URL)
	if err != nil {
		return nil, invalidURL()
	}
	c.MaxConns = conns
	if cfg.ConnectTimeout > 0 {
		c.ConnConfig.ConnectTimeout = cfg.ConnectTimeout
	}
	if c.ConnConfig.ConnectTimeout <= 0 {
		c.ConnConfig.ConnectTimeout = 5 * time.Second
	}
	// As a session default, the role is also what RESET goes back to.
	c.ConnConfig.RuntimeParams["role"] = role
	c.ConnConfig.RuntimeParams["application_name"] = role
	c.ConnConfig.RuntimeParams["timezone"] = "UTC"
	for name, value := range roleSettings[role] {
		c.ConnConfig.RuntimeParams[name] = value
	}
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("pool of %s: %w", role, err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, unreachable(c.ConnConfig, err)
	}
	return pool, nil
}

// roleSettings are the session defaults of a role's connections. A projector's
// statements reach every table by its key. They are planned once, possibly while a
// table is still empty, so the plans that would suit only a small table are ruled
// out.
var roleSettings = map[string]map[string]string{
	RoleReader: {"default_transaction_read_only": "on"},
	RoleProjector: {
		"plan_cache_mode":  "force_generic_plan",
		"enable_seqscan":   "off",
		"enable_hashjoin":  "off",
		"enable_mergejoin": "off",
	},
}

func invalidURL() error {
	return fault.New(fault.Invalid, "postgres-url",
		"the Postgres URL cannot be read: want postgres://user@host:port/database")
}

// unreachable never shows the URL: it may hold a password. pgx's own errors name
// user, database and host only.
func unreachable(cfg *pgx.ConnConfig, err error) error {
	return fault.Wrap(err, fault.Unavailable, "postgres-unavailable",
		"Postgres at %s:%d, database %s, cannot be used; is it running, and migrated (waybill migrate)?",
		cfg.Host, cfg.Port, cfg.Database)
}
