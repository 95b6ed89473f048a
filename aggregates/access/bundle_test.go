package access_test

import (
	"context"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/events"
	"waybill/projections"
	"waybill/projections/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// bundle is a service over a database of its own, with a clock that stands
// still until it is moved.
type bundle struct {
	*access.Service
	pools *projections.Pools
	clock *clock
	org   uuid.UUID
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newBundle(t testing.TB) *bundle {
	t.Helper()
	url := pgtest.Template(t, "migrated", func(url string) error {
		_, err := projections.Migrate(context.Background(), url)
		return err
	})
	pools, err := projections.Open(t.Context(), projections.Config{URL: url})
	must(t, err)
	t.Cleanup(pools.Close)
	b := (&bundle{pools: pools, org: uuid.New()}).withClock(t)
	b.exec(t, `INSERT INTO read.organisations (org_id, all_group_id, name, kind, timezone, group_field, position)
		VALUES ($1, $2, 'Acme', 'operator', 'Asia/Singapore', true, 1)`, b.org, uuid.New())
	return b
}

// withClock returns a service over the same database with a clock of its own.
func (b *bundle) withClock(t testing.TB) *bundle {
	t.Helper()
	other := &bundle{pools: b.pools, org: b.org, clock: &clock{now: time.Now().UTC().Truncate(time.Microsecond)}}
	var err error
	other.Service, err = access.New(access.Config{Pool: b.pools.Identity, Now: other.clock.Now})
	must(t, err)
	return other
}

// exec writes into the read model as the projections do.
func (b *bundle) exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	_, err := b.pools.Projector.Exec(t.Context(), sql, args...)
	must(t, err)
}

func (b *bundle) group(t testing.TB, name string) uuid.UUID {
	t.Helper()
	id := uuid.New()
	b.exec(t, `INSERT INTO read.groups (group_id, org_id, kind, name, status, created_at, revision, position)
		VALUES ($1, $2, 'standard', $3, 'active', now(), 0, 1)`, id, b.org, name)
	return id
}

// user makes an active user of the organisation.
func (b *bundle) user(t testing.TB, email, role string) access.Membership {
	t.Helper()
	identity, err := b.Ensure(t.Context(), email)
	must(t, err)
	m := access.Membership{Identity: identity, Org: b.org, User: uuid.New(), Role: role, Status: access.StatusActive}
	b.exec(t, `INSERT INTO read.users (user_id, org_id, identity_id, name, email, role, accepted, blocked, permissions, created_at, revision, position)
		VALUES ($1, $2, $3, 'Somebody', $4, $5, true, false, '{}', now(), 0, 1)`, m.User, b.org, identity, email, role)
	return m
}

// grant gives sight of a group, of ALL with the zero group.
func (b *bundle) grant(t testing.TB, user, group uuid.UUID) {
	t.Helper()
	b.exec(t, `INSERT INTO read.grants (grant_id, org_id, user_id, group_id, basis, source, granted_at, granted_by, reason, position)
		VALUES ($1, $2, $3, nullif($4::uuid, '00000000-0000-0000-0000-000000000000'), 'direct', '', now(), 'system:', '', 1)`,
		uuid.New(), b.org, user, group)
}

// password sets a password the way people do: with a one-time token.
func (b *bundle) password(t testing.TB, m access.Membership, email, password string) {
	t.Helper()
	token, _, err := b.IssueToken(t.Context(), access.Ticket{Purpose: access.PurposePasswordReset, Identity: m.Identity, Org: m.Org, User: m.User})
	must(t, err)
	_, err = b.SetPassword(t.Context(), token.Reveal(), email, password)
	must(t, err)
}

func (b *bundle) session(t testing.TB, m access.Membership) access.Session {
	t.Helper()
	s, err := b.OpenSession(t.Context(), m, events.Source{Portal: access.PortalOf(m.Role)})
	must(t, err)
	return s
}

func (b *bundle) callerOf(t testing.TB, s access.Session) (access.Caller, error) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+s.Token.Reveal())
	return b.CallerOfRequest(r)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
