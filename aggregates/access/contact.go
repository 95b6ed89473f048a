package access

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"waybill/events/fault"
)

// Contact returns the e-mail of an identity, and whether it has a password.
// Errors: NotFound.
func (s *Service) Contact(ctx context.Context, identity uuid.UUID) (email string, password bool, err error) {
	const q = `SELECT email, password_hash IS NOT NULL FROM identity.identities WHERE identity_id = $1`
	err = s.cfg.Pool.QueryRow(ctx, q, identity).Scan(&email, &password)
	switch {
	case isNoRows(err):
		return "", false, fault.New(fault.NotFound, "identity-not-found", "There is no such identity.")
	case err != nil:
		return "", false, Storage(fmt.Errorf("look up identity %s: %w", identity, err))
	}
	return email, password, nil
}

// Resettable returns the membership of an e-mail's identity through which its
// password may be set anew: an active one, or one it is invited to when it has a
// password already. False when there is none, whatever the reason; who asks must
// not be told. Errors: of the storage only.
func (s *Service) Resettable(ctx context.Context, email string) (Membership, bool, error) {
	email, err := NormaliseEmail(email)
	if err != nil {
		return Membership{}, false, nil
	}
	_, encoded, members, err := s.findMemberships(ctx, email)
	if err != nil {
		return Membership{}, false, err
	}
	invited := -1
	for i, m := range members {
		if m.Status == StatusActive {
			return m, true, nil
		}
		if invited < 0 {
			invited = i
		}
	}
	if encoded == "" || invited < 0 {
		return Membership{}, false, nil
	}
	return members[invited], true, nil
}
