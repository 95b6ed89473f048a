package access

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/events"
	"waybill/events/fault"
)

// callerQuery finds everything about the callers of sessions in one round trip, by
// their tokens.
const callerQuery = openSession + ` AND s.token_hash = ANY($1)`

// openSession is what is known about an open session: the session, the user behind
// it with its switches, its open and unexpired grants on active groups, and its
// organisation.
const openSession = `
	SELECT s.token_hash, s.session_id, s.identity_id, s.org_id, s.user_id, s.portal, u.role, u.permissions::text, o.timezone,
	       coalesce(g.all_groups, false), g.groups, g.ending, g.ends, coalesce(s.last_seen_at <= $3, true) AS unseen
	FROM identity.sessions s
	JOIN read.users u ON u.user_id = s.user_id AND u.org_id = s.org_id AND u.identity_id = s.identity_id
	JOIN read.organisations o ON o.org_id = s.org_id
	` + scopeOfUser + `
	WHERE s.expires_at > $2 AND u.status = 'active'`

// scopeOfUser is the access scope of the user u at $2: whether it has ALL, the
// active groups with an open and unexpired grant, and of those the ones that it
// will not see any more by itself, with when.
const scopeOfUser = `CROSS JOIN LATERAL (
		SELECT bool_or(group_id IS NULL) AS all_groups,
		       array_agg(group_id ORDER BY group_id) FILTER (WHERE active) AS groups,
		       array_agg(group_id ORDER BY group_id) FILTER (WHERE active AND ends < 'infinity') AS ending,
		       array_agg(ends ORDER BY group_id) FILTER (WHERE active AND ends < 'infinity') AS ends
		FROM (
			SELECT gr.group_id, x.status = 'active' AS active, max(coalesce(gr.expires_at, 'infinity')) AS ends
			FROM read.grants gr
			LEFT JOIN read.groups x ON x.group_id = gr.group_id AND x.org_id = gr.org_id
			WHERE gr.user_id = u.user_id AND gr.org_id = u.org_id AND gr.ended_at IS NULL
			  AND (gr.expires_at IS NULL OR gr.expires_at > $2)
			GROUP BY gr.group_id, x.status
		) one
	) g`

// scope takes over what [scopeOfUser] found.
func (c *Caller) scope(groups, ending []uuid.UUID, ends []time.Time) {
	if c.All {
		return
	}
	c.Groups = groups
	if len(ending) > 0 {
		c.Ends = make(map[uuid.UUID]time.Time, len(ending))
		for i, g := range ending {
			c.Ends[g] = ends[i]
		}
	}
}

// Caller returns who sends this session token or API key, as it stands at this
// moment. Errors: Unauthenticated for whatever is neither a token of an open
// session nor an open key of an active user.
func (s *Service) Caller(ctx context.Context, token string) (Caller, error) {
	if strings.HasPrefix(token, KeyPrefix) {
		return s.keyCaller(ctx, token)
	}
	hash, ok := tokenHash(token)
	if !ok {
		return Caller{}, errNoSession()
	}
	return s.callers.find(ctx, tokenKey(hash))
}

// findCallers runs the query for some tokens. Those that are not in the answer
// are nobody's.
func (s *Service) findCallers(ctx context.Context, tokens [][]byte) (map[tokenKey]found, error) {
	return s.findSessions(ctx, callerQuery, tokens)
}

// findSessions runs openSession, narrowed to what is asked for.
func (s *Service) findSessions(ctx context.Context, query string, asked any) (map[tokenKey]found, error) {
	now := s.cfg.Now()
	rows, err := s.cfg.Pool.Query(ctx, query, asked, now, now.Add(-seenEvery))
	if err != nil {
		return nil, Storage(fmt.Errorf("look up callers: %w", err))
	}
	defer rows.Close()
	all := map[tokenKey]found{}
	var unseen []uuid.UUID
	for rows.Next() {
		token, f, first, err := scanCaller(rows)
		if err != nil {
			return nil, fmt.Errorf("look up callers: %w", err)
		}
		if first {
			unseen = append(unseen, f.caller.Session)
		}
		all[token] = f
	}
	if err := rows.Err(); err != nil {
		return nil, Storage(fmt.Errorf("look up callers: %w", err))
	}
	s.seen(ctx, unseen, now)
	return all, nil
}

// scanCaller reads one caller, and whether its session is to be noted as seen.
func scanCaller(rows pgx.Rows) (token tokenKey, f found, unseen bool, err error) {
	var c Caller
	var hash, switches []byte
	var groups, ending []uuid.UUID
	var ends []time.Time
	err = rows.Scan(&hash, &c.Session, &c.Identity, &c.Org, &c.User, &c.Portal, &c.Role, &switches, &c.Timezone, &c.All, &groups, &ending, &ends, &unseen)
	if err != nil || len(hash) != len(tokenKey{}) {
		return tokenKey{}, found{}, false, fmt.Errorf("read a session: %w", err)
	}
	if c.Portal != "" && c.Portal != PortalOf(c.Role) { // the role has changed since
		return tokenKey(hash), found{err: errNoSession()}, false, nil
	}
	var permissions events.Permissions
	if len(switches) > len("{}") {
		if err := json.Unmarshal(switches, &permissions); err != nil {
			return tokenKey(hash), found{err: fmt.Errorf("permissions of user %s: %w", c.User, err)}, false, nil
		}
	}
	c.Permissions = Effective(c.Role, permissions)
	c.Actor = events.Actor{Type: events.ActorUser, ID: c.User.String()}
	c.scope(groups, ending, ends)
	return tokenKey(hash), found{caller: c}, unseen, nil
}

func errNoSession() error {
	return fault.New(fault.Unauthenticated, "", "The session token is missing, is not known, or its time is over. Sign in: POST /v1/sessions.")
}
