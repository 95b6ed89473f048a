package command

import (
	"context"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/user"
	"waybill/events"
)

// RequestPasswordReset records that somebody asked for a link that sets another
// password for the person behind a user. Whoever asks has proved nothing, so it is
// waybill itself that does it. Nothing is recorded while several such links are
// open. Errors: Denied, NotFound, Conflict (user-blocked).
func (s *Service) RequestPasswordReset(ctx context.Context, c access.Caller, env Envelope, id uuid.UUID) (aggregates.Result, error) {
	cmd := s.command(c, env)
	ask := user.RequestPasswordReset{At: cmd.At, ExpiresAt: cmd.At.UTC().Truncate(time.Microsecond).Add(s.cfg.ResetLifetime)}
	return s.bySystem(ctx, c, cmd, id, func(u user.State) ([]events.Payload, error) {
		if !u.Exists() {
			return nil, user.None()
		}
		return ask.Decide(u)
	})
}
