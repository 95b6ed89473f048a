package access

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/events/fault"
)

// Purposes of one-time tokens.
const (
	PurposeInvitation    = "invitation"     // sets the first password and accepts the invitation
	PurposePasswordReset = "password_reset" // sets another password

	// PurposeClientInvitation accepts or declines the invitation of a client,
	// which is no user yet; see [Service.ClientInvitation].
	PurposeClientInvitation = "client_invitation"
)

// Ticket says what a one-time token is for.
type Ticket struct {
	Purpose    string    // one of the purposes above
	Identity   uuid.UUID // whose password it sets
	Org        uuid.UUID // of the invitation, or where the reset was asked for
	User       uuid.UUID // the membership it belongs to; zero for a client's invitation
	Client     uuid.UUID // whose invitation it is; purpose client invitation only
	Invitation uuid.UUID // zero = the one that is open; never with a password reset

	// Event and EventAt are the event whose mail carries the token, and when that
	// was. Zero: it is handed out by hand, such as printed for an operator.
	Event   uuid.UUID
	EventAt time.Time

	// Until is when the token stops working at the latest; zero = when its
	// lifetime is over.
	Until time.Time
}

// IssueToken makes a one-time token and returns it; it cannot be had again.
// Of the same purpose for the same user or client, earlier tokens stop working
// that went the same way, by mail or by hand: neither takes the other's link away.
// But a mail also ends whatever was issued before its event, such as a resending.
// The first one that is used ends the others.
func (s *Service) IssueToken(ctx context.Context, t Ticket) (Token, time.Time, error) {
	lifetime := s.cfg.InvitationLifetime
	switch t.Purpose {
	case PurposeInvitation, PurposeClientInvitation:
	case PurposePasswordReset:
		lifetime = s.cfg.ResetLifetime
	default:
		return Token{}, time.Time{}, fmt.Errorf("issue token: unknown purpose %q", t.Purpose)
	}
	token, hash, err := newToken(s.cfg.Random)
	if err != nil {
		return Token{}, time.Time{}, err
	}
	now := s.cfg.Now()
	expires := now.Add(lifetime)
	if !t.Until.IsZero() && t.Until.Before(expires) {
		expires = t.Until
	}
	batch := &pgx.Batch{}
	// The lock makes two issuers go one after the other, so that one token stays.
	batch.Queue(`SELECT 1 FROM identity.identities WHERE identity_id = $1 FOR UPDATE`, t.Identity)
	batch.Queue(`
		UPDATE identity.tokens SET superseded_at = $1
		WHERE (user_id = $2 OR client_id = $4) AND purpose = $3 AND used_at IS NULL AND superseded_at IS NULL
		  AND ((event_id IS NULL) = ($5::uuid IS NULL) OR $5::uuid IS NOT NULL AND created_at < $6)`,
		now, someID(t.User), t.Purpose, someID(t.Client), someID(t.Event), t.EventAt)
	batch.Queue(`
		INSERT INTO identity.tokens (token_hash, purpose, identity_id, org_id, user_id, client_id, invitation, created_at, expires_at, event_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		hash, t.Purpose, t.Identity, t.Org, someID(t.User), someID(t.Client), someID(t.Invitation), now, expires, someID(t.Event))
	if err := s.cfg.Pool.SendBatch(ctx, batch).Close(); err != nil {
		return Token{}, time.Time{}, Storage(fmt.Errorf("issue token for user %s, client %s: %w", t.User, t.Client, err))
	}
	return token, expires, nil
}

// errToken is the one answer to everything that is wrong with a one-time token,
// so that expired, used, superseded, foreign and made-up look the same.
func errToken() error {
	return fault.New(fault.Invalid, "token-not-valid",
		"This link does not work for that e-mail, or it was used already, or its time is over. Ask for a new one.")
}

// SetPassword uses up a one-time token: it sets the password of the identity
// behind the e-mail and ends all its sessions, in one transaction, and returns
// what the token was for. The e-mail must be the one the token was made for;
// otherwise the token stays good. Errors: Invalid, as [*WrongEmail] when the token
// is good.
func (s *Service) SetPassword(ctx context.Context, token, email, password string) (Ticket, error) {
	if err := CheckPassword(password, email); err != nil {
		return Ticket{}, err
	}
	email, err := NormaliseEmail(email)
	if err != nil {
		return Ticket{}, err
	}
	hash, ok := tokenHash(token)
	if !ok {
		return Ticket{}, errToken()
	}
	// Looked at before the password is hashed, so that guessing costs the
	// guesser more than the server.
	const look = `
		SELECT i.email = $2, t.purpose, t.org_id, t.user_id, coalesce(t.invitation, '00000000-0000-0000-0000-000000000000')
		FROM identity.tokens t JOIN identity.identities i USING (identity_id)
		WHERE t.token_hash = $1 AND t.purpose <> 'client_invitation' AND t.used_at IS NULL AND t.superseded_at IS NULL AND t.expires_at > $3`
	var own bool
	var t Ticket
	if err := s.cfg.Pool.QueryRow(ctx, look, hash, email, s.cfg.Now()).Scan(&own, &t.Purpose, &t.Org, &t.User, &t.Invitation); err != nil {
		if isNoRows(err) {
			return Ticket{}, errToken()
		}
		return Ticket{}, Storage(fmt.Errorf("look at one-time token: %w", err))
	}
	if !own {
		return Ticket{}, &WrongEmail{t, errToken()}
	}
	encoded, err := s.hasher.hash(ctx, password)
	if err != nil {
		return Ticket{}, err
	}
	return s.redeem(ctx, hash, email, encoded)
}

// redeem spends the token, conditionally, together with what it is spent on.
func (s *Service) redeem(ctx context.Context, hash []byte, email, encoded string) (Ticket, error) {
	var t Ticket
	var invitation *uuid.UUID
	now := s.cfg.Now()
	err := pgx.BeginFunc(ctx, s.cfg.Pool, func(tx pgx.Tx) error {
		const spend = `
			UPDATE identity.tokens t SET used_at = $3
			FROM identity.identities i
			WHERE t.token_hash = $1 AND t.purpose <> 'client_invitation' AND i.identity_id = t.identity_id AND i.email = $2
			  AND t.used_at IS NULL AND t.superseded_at IS NULL AND t.expires_at > $3
			RETURNING t.purpose, t.identity_id, t.org_id, t.user_id, t.invitation`
		if err := tx.QueryRow(ctx, spend, hash, email, now).Scan(&t.Purpose, &t.Identity, &t.Org, &t.User, &invitation); err != nil {
			if isNoRows(err) {
				return errToken()
			}
			return err
		}
		const others = `
			UPDATE identity.tokens SET superseded_at = $2
			WHERE user_id = $1 AND used_at IS NULL AND superseded_at IS NULL`
		if _, err := tx.Exec(ctx, others, t.User, now); err != nil {
			return err
		}
		return setPassword(ctx, tx, t.Identity, encoded, now)
	})
	if err != nil {
		if fault.Is(err, fault.Invalid) {
			return Ticket{}, err
		}
		return Ticket{}, Storage(fmt.Errorf("use one-time token: %w", err))
	}
	if invitation != nil {
		t.Invitation = *invitation
	}
	return t, nil
}

// setPassword writes the hash, ends the identity's sessions, its API keys (whoever
// stole a session may have made one) and its open tokens that would set yet
// another password.
func setPassword(ctx context.Context, tx pgx.Tx, identity uuid.UUID, encoded string, now time.Time) error {
	batch := &pgx.Batch{}
	batch.Queue(`UPDATE identity.identities SET password_hash = $2, password_set_at = $3 WHERE identity_id = $1`, identity, encoded, now)
	batch.Queue(`DELETE FROM identity.sessions WHERE identity_id = $1`, identity)
	batch.Queue(`
		UPDATE identity.api_keys k SET revoked_at = $2
		FROM read.users u
		WHERE u.identity_id = $1 AND k.user_id = u.user_id AND k.org_id = u.org_id AND k.revoked_at IS NULL`, identity, now)
	batch.Queue(`
		UPDATE identity.tokens SET superseded_at = $2
		WHERE identity_id = $1 AND purpose = 'password_reset' AND used_at IS NULL AND superseded_at IS NULL`, identity, now)
	return tx.SendBatch(ctx, batch).Close()
}
