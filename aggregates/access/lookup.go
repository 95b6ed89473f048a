package access

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"

	"waybill/events"
	"waybill/events/fault"
)

// callerQuery finds everything about a session's caller in one round trip: the
// session, the user behind it with its switches, its open and unexpired grants
// on active groups, and its organisation.
const callerQuery = `
	SELECT s.session_id, s.identity_id, s.org_id, s.user_id, s.portal, u.role, u.permissions::text, o.timezone,
	       coalesce(g.all_groups, false), g.groups
	FROM identity.sessions s
	JOIN read.users u ON u.user_id = s.user_id AND u.org_id = s.org_id AND u.identity_id = s.identity_id
	JOIN read.organisations o ON o.org_id = s.org_id
	CROSS JOIN LATERAL (
		SELECT bool_or(gr.group_id IS NULL) AS all_groups,
		       array_agg(DISTINCT gr.group_id) FILTER (WHERE x.status = 'active') AS groups
		FROM read.grants gr
		LEFT JOIN read.groups x ON x.group_id = gr.group_id AND x.org_id = gr.org_id
		WHERE gr.user_id = s.user_id AND gr.org_id = s.org_id AND gr.ended_at IS NULL
		  AND (gr.expires_at IS NULL OR gr.expires_at > $2)
	) g
	WHERE s.token_hash = $1 AND s.expires_at > $2 AND u.status = 'active'`

// Caller returns who sends this session token, as it stands at this moment.
// Errors: Unauthenticated for whatever is no token of an open session of an
// active user.
func (s *Service) Caller(ctx context.Context, token string) (Caller, error) {
	hash, ok := tokenHash(token)
	if !ok {
		return Caller{}, errNoSession()
	}
	var c Caller
	var switches []byte
	err := s.cfg.Pool.QueryRow(ctx, callerQuery, hash, s.cfg.Now()).Scan(
		&c.Session, &c.Identity, &c.Org, &c.User, &c.Portal, &c.Role, &switches, &c.Timezone, &c.All, &c.Groups)
	switch {
	case isNoRows(err):
		return Caller{}, errNoSession()
	case err != nil:
		return Caller{}, Storage(fmt.Errorf("look up the caller: %w", err))
	}
	var permissions events.Permissions
	if len(switches) > len("{}") {
		if err := json.Unmarshal(switches, &permissions); err != nil {
			return Caller{}, fmt.Errorf("permissions of user %s: %w", c.User, err)
		}
	}
	c.Permissions = Effective(c.Role, permissions)
	c.Actor = events.Actor{Type: events.ActorUser, ID: c.User.String()}
	if c.All {
		c.Groups = nil
	}
	return c, nil
}

func errNoSession() error {
	return fault.New(fault.Unauthenticated, "", "The session token is missing, is not known, or its time is over. Sign in: POST /v1/sessions.")
}
