package access

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/events"
	"waybill/events/fault"
)

// Portals: where a session belongs. Staff use one, clients the other.
const (
	PortalDispatcher = "dispatcher"
	PortalClient     = "client"
)

// PortalOf returns the portal of a role.
func PortalOf(role string) string {
	if role == RoleCustomer {
		return PortalClient
	}
	return PortalDispatcher
}

// Session is a session as it was opened.
type Session struct {
	ID        uuid.UUID
	Token     Token // what its bearer sends; cannot be had again
	ExpiresAt time.Time
}

// OpenSession starts a session of a membership. Whoever calls it has checked a
// password.
func (s *Service) OpenSession(ctx context.Context, m Membership, source events.Source) (Session, error) {
	token, hash, err := newToken(s.cfg.Random)
	if err != nil {
		return Session{}, err
	}
	id, err := uuid.NewRandomFromReader(s.cfg.Random)
	if err != nil {
		return Session{}, fmt.Errorf("session id: %w", err)
	}
	now := s.cfg.Now()
	session := Session{ID: id, Token: token, ExpiresAt: now.Add(s.cfg.SessionLifetime).UTC()}
	const q = `
		INSERT INTO identity.sessions (session_id, token_hash, identity_id, org_id, user_id, portal, source_ip, user_agent, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
	_, err = s.cfg.Pool.Exec(ctx, q, id, hash, m.Identity, m.Org, m.User, source.Portal, source.IP, source.UserAgent, now, session.ExpiresAt)
	if err != nil {
		return Session{}, Storage(fmt.Errorf("open session of user %s: %w", m.User, err))
	}
	return session, nil
}

// EndSession ends one session. Ending one that is gone is no error.
func (s *Service) EndSession(ctx context.Context, session uuid.UUID) error {
	_, err := s.cfg.Pool.Exec(ctx, `DELETE FROM identity.sessions WHERE session_id = $1`, session)
	return wrapStorage(err, "end session %s", session)
}

// SignOut ends all sessions of a user in its organisation, at its own wish; its
// API keys stay.
func (s *Service) SignOut(ctx context.Context, org, user uuid.UUID) error {
	_, err := s.cfg.Pool.Exec(ctx, `DELETE FROM identity.sessions WHERE org_id = $1 AND user_id = $2`, org, user)
	return wrapStorage(err, "end sessions of user %s", user)
}

// EndSessionsOf ends all sessions and API keys of a user in its organisation, so
// that nothing that lets it in again, lets in what was opened before.
func (s *Service) EndSessionsOf(ctx context.Context, org, user uuid.UUID) error {
	batch := &pgx.Batch{}
	batch.Queue(`DELETE FROM identity.sessions WHERE org_id = $1 AND user_id = $2`, org, user)
	batch.Queue(`UPDATE identity.api_keys SET revoked_at = $3 WHERE org_id = $1 AND user_id = $2 AND revoked_at IS NULL`, org, user, s.cfg.Now())
	return wrapStorage(s.cfg.Pool.SendBatch(ctx, batch).Close(), "end sessions and keys of user %s", user)
}

// EndSessionsUntil is EndSessionsOf for what was opened up to a time, for whoever
// ends it later than that.
func (s *Service) EndSessionsUntil(ctx context.Context, org, user uuid.UUID, at time.Time) error {
	batch := &pgx.Batch{}
	batch.Queue(`DELETE FROM identity.sessions WHERE org_id = $1 AND user_id = $2 AND created_at <= $3`, org, user, at)
	batch.Queue(`
		UPDATE identity.api_keys SET revoked_at = $4
		WHERE org_id = $1 AND user_id = $2 AND created_at <= $3 AND revoked_at IS NULL`, org, user, at, s.cfg.Now())
	return wrapStorage(s.cfg.Pool.SendBatch(ctx, batch).Close(), "end sessions and keys of user %s", user)
}

// OpenedSession is an open session as its user may see it.
type OpenedSession struct {
	ID        uuid.UUID
	Portal    string
	IP        string // where it was opened
	UserAgent string
	CreatedAt time.Time
	ExpiresAt time.Time
	LastSeen  time.Time // to ten minutes; zero = not used yet
}

// maxListed is how many sessions of a user are told of at once.
const maxListed = 200

// SessionsOf returns the latest 200 open sessions of a user in its organisation,
// the latest first.
func (s *Service) SessionsOf(ctx context.Context, org, user uuid.UUID) ([]OpenedSession, error) {
	const q = `
		SELECT session_id, portal, source_ip, user_agent, created_at, expires_at, coalesce(last_seen_at, '0001-01-01Z')
		FROM identity.sessions
		WHERE org_id = $1 AND user_id = $2 AND expires_at > $3
		ORDER BY created_at DESC, session_id
		LIMIT $4`
	rows, err := s.cfg.Pool.Query(ctx, q, org, user, s.cfg.Now(), maxListed)
	if err != nil {
		return nil, wrapStorage(err, "list sessions of user %s", user)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[OpenedSession])
	return all, wrapStorage(err, "list sessions of user %s", user)
}

// EndSessionOf ends one session of a user in its organisation. Errors: NotFound
// for what is no open session of this very user.
func (s *Service) EndSessionOf(ctx context.Context, org, user, session uuid.UUID) error {
	tag, err := s.cfg.Pool.Exec(ctx, `DELETE FROM identity.sessions WHERE org_id = $1 AND user_id = $2 AND session_id = $3 AND expires_at > $4`,
		org, user, session, s.cfg.Now())
	if err == nil && tag.RowsAffected() == 0 {
		return fault.New(fault.NotFound, "", "no such session")
	}
	return wrapStorage(err, "end session %s", session)
}

// seen notes that sessions are in use. That it cannot be noted is no reason to
// turn their bearers away.
func (s *Service) seen(ctx context.Context, sessions []uuid.UUID, now time.Time) {
	if len(sessions) > 0 {
		_, _ = s.cfg.Pool.Exec(ctx, `UPDATE identity.sessions SET last_seen_at = $2 WHERE session_id = ANY($1)`, sessions, now)
	}
}

// seenEvery is how often it is noted that a session is in use.
const seenEvery = 10 * time.Minute

// PurgeExpired deletes sessions, kept answers and one-time tokens whose time is
// over, for the tokens after a month, and returns how many rows went.
func (s *Service) PurgeExpired(ctx context.Context) (int64, error) {
	now := s.cfg.Now()
	sessions, err := s.cfg.Pool.Exec(ctx, `DELETE FROM identity.sessions WHERE expires_at <= $1`, now)
	if err != nil {
		return 0, wrapStorage(err, "purge sessions")
	}
	answers, err := s.cfg.Pool.Exec(ctx, `DELETE FROM identity.idempotency WHERE expires_at <= $1`, now)
	if err != nil {
		return sessions.RowsAffected(), wrapStorage(err, "purge kept answers")
	}
	tokens, err := s.cfg.Pool.Exec(ctx, `DELETE FROM identity.tokens WHERE expires_at <= $1`, now.AddDate(0, -1, 0))
	return sessions.RowsAffected() + answers.RowsAffected() + tokens.RowsAffected(), wrapStorage(err, "purge one-time tokens")
}

func wrapStorage(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return Storage(fmt.Errorf(format+": %w", append(args, err)...))
}
