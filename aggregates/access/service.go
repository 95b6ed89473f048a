package access

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Config says what a [Service] works with.
type Config struct {
	// Pool connects as the role waybill_identity. Required.
	Pool *pgxpool.Pool
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
	// Random gives tokens, salts and keys. Defaults to crypto/rand.
	Random io.Reader
	// SessionLifetime is how long a session lasts after signing in. Defaults to
	// 12 hours.
	SessionLifetime time.Duration
	// InvitationLifetime is how long an invitation's token works. Defaults to 7
	// days.
	InvitationLifetime time.Duration
	// ResetLifetime is how long a password reset's token works. Defaults to 1
	// hour.
	ResetLifetime time.Duration
	// Hashing bounds the work that goes into passwords.
	Hashing Hashing
	// Limits bound how often somebody may try.
	Limits Limits
}

func (c *Config) setDefaults() {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.SessionLifetime == 0 {
		c.SessionLifetime = 12 * time.Hour
	}
	if c.InvitationLifetime == 0 {
		c.InvitationLifetime = 7 * 24 * time.Hour
	}
	if c.ResetLifetime == 0 {
		c.ResetLifetime = time.Hour
	}
	c.Hashing.setDefaults()
	c.Limits.setDefaults()
}

// Service keeps identities, their passwords, sessions and one-time tokens, in
// Postgres beside the event log. It is safe for concurrent use.
type Service struct {
	cfg     Config
	hasher  *hasher
	callers *together

	byIP, byEmail *limiters
}

// New returns a service. It does not connect yet.
func New(cfg Config) (*Service, error) {
	if cfg.Pool == nil {
		return nil, errors.New("access: no connection pool")
	}
	cfg.setDefaults()
	h, err := newHasher(cfg.Hashing, cfg.Random)
	if err != nil {
		return nil, fmt.Errorf("access: %w", err)
	}
	s := &Service{cfg: cfg, hasher: h}
	if s.byIP, err = newLimiters(cfg.Limits.Remembered, cfg.Limits.PerIP, cfg.Limits.IPEvery); err != nil {
		return nil, fmt.Errorf("access: %w", err)
	}
	if s.byEmail, err = newLimiters(cfg.Limits.Remembered, cfg.Limits.PerEmail, cfg.Limits.EmailEvery); err != nil {
		return nil, fmt.Errorf("access: %w", err)
	}
	s.callers = &together{query: s.findCallers, slow: slowLookUp}
	return s, nil
}

// Ensure returns the identity behind an e-mail, making it when it is not known.
// The answer does not tell which of the two it was.
func (s *Service) Ensure(ctx context.Context, email string) (uuid.UUID, error) {
	email, err := NormaliseEmail(email)
	if err != nil {
		return uuid.Nil, err
	}
	id, err := uuid.NewRandomFromReader(s.cfg.Random)
	if err != nil {
		return uuid.Nil, fmt.Errorf("identity id: %w", err)
	}
	// The second arm sees the row that a concurrent caller committed before this
	// statement began; one that commits during it is met by the second round.
	const q = `
		WITH made AS (
			INSERT INTO identity.identities (identity_id, email, created_at)
			VALUES ($1, $2, $3)
			ON CONFLICT (email) DO NOTHING
			RETURNING identity_id
		)
		SELECT identity_id FROM made
		UNION ALL
		SELECT identity_id FROM identity.identities WHERE email = $2
		LIMIT 1`
	for range 3 {
		var found uuid.UUID
		err = s.cfg.Pool.QueryRow(ctx, q, id, email, s.cfg.Now()).Scan(&found)
		if err == nil {
			return found, nil
		}
		if !isNoRows(err) {
			break
		}
	}
	return uuid.Nil, Storage(fmt.Errorf("ensure identity: %w", err))
}
