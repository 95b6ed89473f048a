package access

import (
	"context"
	"fmt"

	"github.com/google/uuid"
)

// WrongEmail is the refusal of a one-time token that is good, by whoever says
// another e-mail than the one it was made for. Whoever tried is answered as about
// any other token that does not work; that it happened belongs to the story of what
// the token is for.
type WrongEmail struct {
	Ticket  Ticket // what the token is for; without the identity
	refusal error
}

// Error implements error.
func (e *WrongEmail) Error() string { return e.refusal.Error() }

// Unwrap returns the refusal, which is that of any other token.
func (e *WrongEmail) Unwrap() error { return e.refusal }

// IdentityOf returns the identity behind an e-mail without making one; zero when
// it is not known. Whoever asked for it must not be told which. Errors: Invalid.
func (s *Service) IdentityOf(ctx context.Context, email string) (uuid.UUID, error) {
	email, err := NormaliseEmail(email)
	if err != nil {
		return uuid.Nil, err
	}
	var id uuid.UUID
	err = s.cfg.Pool.QueryRow(ctx, `SELECT identity_id FROM identity.identities WHERE email = $1`, email).Scan(&id)
	if err != nil && !isNoRows(err) {
		return uuid.Nil, Storage(fmt.Errorf("look up the identity of an e-mail: %w", err))
	}
	return id, nil
}
