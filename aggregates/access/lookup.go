package access

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/jackc/pgx/v5"

	"waybill/events"
	"waybill/events/fault"
)

// callerQuery finds everything about the callers of sessions in one round trip:
// the session, the user behind it with its switches, its open and unexpired
// grants on active groups, and its organisation.
const callerQuery = `
	SELECT s.token_hash, s.session_id, s.identity_id, s.org_id, s.user_id, s.portal, u.role, u.permissions::text, o.timezone,
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
	WHERE s.token_hash = ANY($1) AND s.expires_at > $2 AND u.status = 'active'`

// Caller returns who sends this session token, as it stands at this moment.
// Errors: Unauthenticated for whatever is no token of an open session of an
// active user.
func (s *Service) Caller(ctx context.Context, token string) (Caller, error) {
	hash, ok := tokenHash(token)
	if !ok {
		return Caller{}, errNoSession()
	}
	return s.callers.find(ctx, tokenKey(hash))
}

// findCallers runs the query for some tokens. Those that are not in the answer
// are nobody's.
func (s *Service) findCallers(ctx context.Context, tokens [][]byte) (map[tokenKey]found, error) {
	rows, err := s.cfg.Pool.Query(ctx, callerQuery, tokens, s.cfg.Now())
	if err != nil {
		return nil, Storage(fmt.Errorf("look up callers: %w", err))
	}
	defer rows.Close()
	all := make(map[tokenKey]found, len(tokens))
	for rows.Next() {
		token, f, err := scanCaller(rows)
		if err != nil {
			return nil, fmt.Errorf("look up callers: %w", err)
		}
		all[token] = f
	}
	if err := rows.Err(); err != nil {
		return nil, Storage(fmt.Errorf("look up callers: %w", err))
	}
	return all, nil
}

func scanCaller(rows pgx.Rows) (tokenKey, found, error) {
	var c Caller
	var hash, switches []byte
	err := rows.Scan(&hash, &c.Session, &c.Identity, &c.Org, &c.User, &c.Portal, &c.Role, &switches, &c.Timezone, &c.All, &c.Groups)
	if err != nil || len(hash) != len(tokenKey{}) {
		return tokenKey{}, found{}, fmt.Errorf("read a session: %w", err)
	}
	var permissions events.Permissions
	if len(switches) > len("{}") {
		if err := json.Unmarshal(switches, &permissions); err != nil {
			return tokenKey(hash), found{err: fmt.Errorf("permissions of user %s: %w", c.User, err)}, nil
		}
	}
	c.Permissions = Effective(c.Role, permissions)
	c.Actor = events.Actor{Type: events.ActorUser, ID: c.User.String()}
	if c.All {
		c.Groups = nil
	}
	return tokenKey(hash), found{caller: c}, nil
}

func errNoSession() error {
	return fault.New(fault.Unauthenticated, "", "The session token is missing, is not known, or its time is over. Sign in: POST /v1/sessions.")
}
