package access

import (
	"context"

	"github.com/google/uuid"
)

// RevokeTokens makes the one-time tokens of a user stop working, those of one
// purpose.
func (s *Service) RevokeTokens(ctx context.Context, org, user uuid.UUID, purpose string) error {
	_, err := s.cfg.Pool.Exec(ctx, `
		UPDATE identity.tokens SET superseded_at = $4
		WHERE org_id = $1 AND user_id = $2 AND purpose = $3 AND used_at IS NULL AND superseded_at IS NULL`,
		org, user, purpose, s.cfg.Now())
	return wrapStorage(err, "revoke one-time tokens of user %s", user)
}
