package access

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"waybill/events"
)

// Again looks a caller up anew, for what takes longer than a request should be
// believed for: by the session or the API key that it came with. Waybill itself
// stays what it is. Errors: Unauthenticated for who has signed out, whose key was
// revoked, and who was blocked or removed.
func (s *Service) Again(ctx context.Context, c Caller) (Caller, error) {
	now, err := s.again(ctx, c)
	switch {
	case err != nil:
		return Caller{}, err
	case now.Org != c.Org || now.User != c.User: // ids are not used twice
		return Caller{}, fmt.Errorf("look up caller %s of organisation %s anew: found %s of %s", c.User, c.Org, now.User, now.Org)
	}
	now.Source = c.Source
	return now, nil
}

func (s *Service) again(ctx context.Context, c Caller) (Caller, error) {
	if c.System {
		return c, nil
	}
	if c.Actor.Type == events.ActorAPIKey {
		id, err := uuid.Parse(c.Actor.ID)
		if err != nil {
			return Caller{}, errNoSession()
		}
		return s.findKey(ctx, openKey+` AND k.key_id = $1`, id)
	}
	found, err := s.findSessions(ctx, openSession+` AND s.session_id = $1`, c.Session)
	if err != nil {
		return Caller{}, err
	}
	for _, f := range found { // one at most
		return f.caller, f.err
	}
	return Caller{}, errNoSession()
}
