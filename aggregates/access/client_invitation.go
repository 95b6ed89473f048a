package access

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/events/fault"
)

// A client's invitation is answered in two steps around the client's own events:
// the token says which invitation it is about, and is spent when the answer is in
// the log. Stopped in between, the same link finishes it.

// ErrToken is the one answer to everything that is wrong with a one-time token or
// with what it is for.
func ErrToken() error { return errToken() }

// ClientInvitation returns what the token of a client's invitation is for, without
// using it up. Errors: Invalid, the same for whatever is wrong.
func (s *Service) ClientInvitation(ctx context.Context, token string) (Ticket, error) {
	hash, ok := tokenHash(token)
	if !ok {
		return Ticket{}, errToken()
	}
	const look = `
		SELECT purpose, identity_id, org_id, client_id, invitation FROM identity.tokens
		WHERE token_hash = $1 AND purpose = 'client_invitation' AND client_id IS NOT NULL AND invitation IS NOT NULL
		  AND used_at IS NULL AND superseded_at IS NULL AND expires_at > $2`
	var t Ticket
	err := s.cfg.Pool.QueryRow(ctx, look, hash, s.cfg.Now()).Scan(&t.Purpose, &t.Identity, &t.Org, &t.Client, &t.Invitation)
	switch {
	case isNoRows(err):
		return Ticket{}, errToken()
	case err != nil:
		return Ticket{}, Storage(fmt.Errorf("look at a client's invitation: %w", err))
	}
	return t, nil
}

// UseClientInvitation uses up the token of a client's invitation. With a password,
// it sets that of the identity that the token was made for and ends its sessions,
// in one transaction. Errors: Invalid.
func (s *Service) UseClientInvitation(ctx context.Context, token, password string) error {
	hash, ok := tokenHash(token)
	if !ok {
		return errToken()
	}
	var encoded string
	if password != "" {
		if err := CheckPassword(password, ""); err != nil {
			return err
		}
		var err error
		if encoded, err = s.hasher.hash(ctx, password); err != nil {
			return err
		}
	}
	now := s.cfg.Now()
	err := pgx.BeginFunc(ctx, s.cfg.Pool, func(tx pgx.Tx) error {
		const spend = `
			UPDATE identity.tokens SET used_at = $2
			WHERE token_hash = $1 AND purpose = 'client_invitation' AND used_at IS NULL AND superseded_at IS NULL AND expires_at > $2
			RETURNING identity_id, client_id`
		var identity uuid.UUID
		var client *uuid.UUID
		if err := tx.QueryRow(ctx, spend, hash, now).Scan(&identity, &client); err != nil {
			if isNoRows(err) {
				return errToken()
			}
			return err
		}
		const others = `
			UPDATE identity.tokens SET superseded_at = $2
			WHERE client_id = $1 AND used_at IS NULL AND superseded_at IS NULL`
		if _, err := tx.Exec(ctx, others, client, now); err != nil {
			return err
		}
		if encoded == "" {
			return nil
		}
		return setPassword(ctx, tx, identity, encoded, now)
	})
	if err != nil && !fault.Is(err, fault.Invalid) {
		return Storage(fmt.Errorf("use a client's invitation: %w", err))
	}
	return err
}

// someID makes the zero id null.
func someID(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}
