package access

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/events"
	"waybill/events/fault"
)

// KeyPrefix begins every API key, so that one that got where it should not be is
// recognised.
const KeyPrefix = "wbk_"

// maxKeys is how many API keys of a user may be open at once.
const maxKeys = 100

// NewKey is an API key to be made. It never gives more than its user has at the
// moment of a request; what it leaves out it gives less.
type NewKey struct {
	Name        string
	Permissions []string    // nil: all that the user has
	Groups      []uuid.UUID // nil: all that the user sees
	ExpiresAt   time.Time   // zero: never
}

// APIKey is an API key as its user may see it.
type APIKey struct {
	ID          uuid.UUID
	Name        string
	Permissions []string    // nil: all that the user has
	Groups      []uuid.UUID // nil: all that the user sees
	CreatedAt   time.Time
	ExpiresAt   time.Time // zero: never
	LastUsed    time.Time // to ten minutes; zero: not used yet
}

// MakeKey makes an API key of the caller, who must be a person. Errors: Invalid;
// NotFound for a group that the caller does not see; Denied for who lacks what the
// key is to have; Conflict when there are too many.
func (s *Service) MakeKey(ctx context.Context, c Caller, k NewKey) (uuid.UUID, Token, error) {
	if err := k.check(c, s.cfg.Now()); err != nil {
		return uuid.Nil, Token{}, err
	}
	if err := s.groupsExist(ctx, c.Org, k.Groups); err != nil {
		return uuid.Nil, Token{}, err
	}
	token, hash, err := newToken(s.cfg.Random)
	if err != nil {
		return uuid.Nil, Token{}, err
	}
	token.text = KeyPrefix + token.text
	id, err := uuid.NewRandomFromReader(s.cfg.Random)
	if err != nil {
		return uuid.Nil, Token{}, fmt.Errorf("key id: %w", err)
	}
	const q = `
		INSERT INTO identity.api_keys (key_id, token_hash, org_id, user_id, name, permissions, groups, created_at, expires_at)
		SELECT $1, $2, $3, $4, $5, $6, $7, $8, nullif($9::timestamptz, '0001-01-01Z')
		WHERE (SELECT count(*) FROM identity.api_keys WHERE org_id = $3 AND user_id = $4 AND revoked_at IS NULL) < $10`
	tag, err := s.cfg.Pool.Exec(ctx, q, id, hash, c.Org, c.User, k.Name, k.Permissions, k.Groups, s.cfg.Now(), k.ExpiresAt, maxKeys)
	if err != nil {
		return uuid.Nil, Token{}, wrapStorage(err, "make an API key of user %s", c.User)
	}
	if tag.RowsAffected() == 0 {
		return uuid.Nil, Token{}, fault.New(fault.Conflict, "too-many-api-keys", "You have %d API keys; revoke one first.", maxKeys)
	}
	return id, token, nil
}

func (k *NewKey) check(c Caller, now time.Time) error {
	k.Name = strings.TrimSpace(k.Name)
	switch {
	case k.Name == "" || len(k.Name) > 100 || strings.ContainsFunc(k.Name, func(r rune) bool { return r < ' ' }):
		return fault.InvalidField("name", "must have 1 to 100 bytes, without control characters")
	case !k.ExpiresAt.IsZero() && !k.ExpiresAt.After(now):
		return fault.InvalidField("expires_at", "must be in the future")
	}
	for _, name := range k.Permissions {
		p, ok := ParsePermission(name)
		if !ok {
			return fault.InvalidField("permissions", "must be permissions, such as %q", ManageUsers)
		}
		if !c.May(p) {
			return fault.New(fault.Denied, "permission-missing", "This needs the permission %q.", p)
		}
	}
	for _, g := range k.Groups {
		if !c.MayGiveGroup(g) {
			return fault.New(fault.NotFound, "group-not-found", "There is no such group.")
		}
	}
	return nil
}

// KeysOf returns the API keys of a user that are not revoked, the latest first.
func (s *Service) KeysOf(ctx context.Context, org, user uuid.UUID) ([]APIKey, error) {
	const q = `
		SELECT key_id, name, permissions, groups, created_at, coalesce(expires_at, '0001-01-01Z'), coalesce(last_used_at, '0001-01-01Z')
		FROM identity.api_keys
		WHERE org_id = $1 AND user_id = $2 AND revoked_at IS NULL
		ORDER BY created_at DESC, key_id`
	rows, err := s.cfg.Pool.Query(ctx, q, org, user)
	if err != nil {
		return nil, wrapStorage(err, "list API keys of user %s", user)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[APIKey])
	return all, wrapStorage(err, "list API keys of user %s", user)
}

// RevokeKey makes an API key of a user stop working at once, for good. Errors:
// NotFound for what is no open key of this very user.
func (s *Service) RevokeKey(ctx context.Context, org, user, key uuid.UUID) error {
	const q = `UPDATE identity.api_keys SET revoked_at = $4 WHERE org_id = $1 AND user_id = $2 AND key_id = $3 AND revoked_at IS NULL`
	tag, err := s.cfg.Pool.Exec(ctx, q, org, user, key, s.cfg.Now())
	if err == nil && tag.RowsAffected() == 0 {
		return fault.New(fault.NotFound, "", "no such API key")
	}
	return wrapStorage(err, "revoke API key %s", key)
}

// keyQuery finds everything about the caller of an API key by its token.
const keyQuery = openKey + ` AND k.token_hash = $1`

// openKey is what is known about an open API key: the key, and its user as it
// stands. chosen are the key's groups that are active.
const openKey = `
	SELECT k.key_id, u.identity_id, k.org_id, k.user_id, u.role, u.permissions::text, o.timezone, coalesce(g.all_groups, false), g.groups, g.ending, g.ends,
	       k.permissions, k.groups IS NOT NULL, chosen.groups, coalesce(k.last_used_at <= $3, true)
	FROM identity.api_keys k
	JOIN read.users u ON u.user_id = k.user_id AND u.org_id = k.org_id
	JOIN read.organisations o ON o.org_id = k.org_id
	` + scopeOfUser + `
	CROSS JOIN LATERAL (
		SELECT array_agg(x.group_id) AS groups FROM read.groups x
		WHERE x.group_id = ANY(k.groups) AND x.org_id = k.org_id AND x.status = 'active' AND x.kind <> 'all'
	) chosen
	WHERE k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $2) AND u.status = 'active'`

// keyCaller returns who sends an API key, as it stands at this moment.
func (s *Service) keyCaller(ctx context.Context, token string) (Caller, error) {
	hash, ok := tokenHash(strings.TrimPrefix(token, KeyPrefix))
	if !ok {
		return Caller{}, errNoSession()
	}
	return s.findKey(ctx, keyQuery, hash)
}

// findKey runs openKey, narrowed to the key that is asked for.
func (s *Service) findKey(ctx context.Context, query string, asked any) (Caller, error) {
	now := s.cfg.Now()
	var c Caller
	var key uuid.UUID
	var switches []byte
	var permissions []string
	var groups, ending, chosen []uuid.UUID
	var ends []time.Time
	var choice, unseen bool
	err := s.cfg.Pool.QueryRow(ctx, query, asked, now, now.Add(-seenEvery)).Scan(&key, &c.Identity, &c.Org, &c.User, &c.Role, &switches, &c.Timezone,
		&c.All, &groups, &ending, &ends, &permissions, &choice, &chosen, &unseen)
	switch {
	case isNoRows(err):
		return Caller{}, errNoSession()
	case err != nil:
		return Caller{}, Storage(fmt.Errorf("look up an API key: %w", err))
	}
	var explicit events.Permissions
	if err := json.Unmarshal(switches, &explicit); err != nil {
		return Caller{}, fmt.Errorf("permissions of user %s: %w", c.User, err)
	}
	c.Permissions, c.Portal = Effective(c.Role, explicit), PortalOf(c.Role)
	c.Actor = events.Actor{Type: events.ActorAPIKey, ID: key.String()}
	c.scope(groups, ending, ends)
	c.narrow(permissions, choice, chosen)
	if unseen { // that it cannot be noted is no reason to turn the bearer away
		_, _ = s.cfg.Pool.Exec(ctx, `UPDATE identity.api_keys SET last_used_at = $2 WHERE key_id = $1`, key, now)
	}
	return c, nil
}

// narrow leaves of a caller what an API key gives.
func (c *Caller) narrow(permissions []string, choice bool, chosen []uuid.UUID) {
	if permissions != nil {
		var given Set
		for _, name := range permissions {
			if p, ok := ParsePermission(name); ok {
				given |= SetOf(p)
			}
		}
		c.Permissions &= given
	}
	if choice {
		if !c.All {
			chosen = slices.DeleteFunc(chosen, func(g uuid.UUID) bool { return !slices.Contains(c.Groups, g) })
		}
		c.All, c.Groups, c.Narrowed = false, chosen, true
	}
	if c.All {
		c.Groups = nil
	}
	// Who may less than the role is not of the role, which alone makes owners.
	if permissions != nil || choice {
		c.Role = ""
	}
}
