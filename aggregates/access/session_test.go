package access_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/events/fault"
)

func TestWhatWasOpenedAfterABlockIsNotEndedWithIt(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	m := b.user(t, "adam@example.com", access.RoleManager)
	open := func() []string {
		s := b.session(t, m)
		c, err := b.callerOf(t, s)
		must(t, err)
		_, key, err := b.MakeKey(t.Context(), c, access.NewKey{Name: "robot"})
		must(t, err)
		return []string{s.Token.Reveal(), key.Reveal()}
	}
	before, blocked := open(), b.clock.Now()
	b.clock.forward(time.Second)
	after := open()
	must(t, b.EndSessionsUntil(t.Context(), b.org, m.User, blocked))
	for i, want := range []bool{false, true} {
		for kind, token := range [][]string{before, after}[i] {
			if _, err := b.Caller(t.Context(), token); (err == nil) != want {
				t.Errorf("opened before %v, kind %d: %v", i == 0, kind, err)
			}
		}
	}
}

func TestACallerKnowsWhatItSeesForATimeOnly(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	m := b.user(t, "adam@example.com", access.RoleManager)
	soon, later := b.clock.Now().Add(time.Hour), b.clock.Now().Add(2*time.Hour)
	until := func(group uuid.UUID, end time.Time) uuid.UUID {
		b.grant(t, m.User, group)
		b.exec(t, `UPDATE read.grants SET expires_at = $1 WHERE group_id = $2 AND expires_at IS NULL`, end, group)
		return group
	}
	once, twice, kept, ever := b.group(t, "Once"), b.group(t, "Twice"), b.group(t, "Kept"), b.group(t, "Ever")
	until(once, soon)
	until(until(twice, later), soon)
	b.grant(t, m.User, until(kept, soon)) // and for ever on another basis
	b.grant(t, m.User, ever)
	s := b.session(t, m)
	c, err := b.callerOf(t, s)
	must(t, err)
	_, token, err := b.MakeKey(t.Context(), c, access.NewKey{Name: "robot"})
	must(t, err)
	key, err := b.Caller(t.Context(), token.Reveal())
	must(t, err)
	for who, c := range map[string]access.Caller{"the user": c, "its key": key} {
		if len(c.Groups) != 4 || len(c.Ends) != 2 || !c.Ends[once].Equal(soon) || !c.Ends[twice].Equal(later) {
			t.Errorf("%s sees %v, for a time %v", who, c.Groups, c.Ends)
		}
		for _, give := range []struct {
			group uuid.UUID
			end   time.Time
			may   bool
		}{
			{once, soon, true}, {once, later, false}, {once, time.Time{}, false}, {twice, later, true}, {twice, later.Add(1), false},
			{kept, time.Time{}, true}, {ever, time.Time{}, true}, {ever, later, true}, {uuid.New(), soon, false}, {uuid.Nil, soon, false},
		} {
			if _, may := c.MayGiveUntil(give.group, give.end); may != give.may {
				t.Errorf("%s may give %s until %v: %v, want %v", who, give.group, give.end, may, give.may)
			}
		}
	}
	b.grant(t, m.User, uuid.Nil)
	if c, err = b.callerOf(t, s); err != nil || !c.All || c.Groups != nil || c.Ends != nil {
		t.Errorf("with ALL: %+v, %v", c, err)
	}
	if _, may := c.MayGiveUntil(once, time.Time{}); !may {
		t.Error("who sees everything may give any group for ever")
	}
}

func TestACallerIsWhatItsGrantsSayAtThisMoment(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	m := b.user(t, "adam@example.com", access.RoleCustomer)
	apple, banana, old := b.group(t, "Apple"), b.group(t, "Banana"), b.group(t, "Old")
	b.grant(t, m.User, apple)
	b.grant(t, m.User, banana)
	b.grant(t, m.User, banana) // by another basis
	b.grant(t, m.User, old)
	b.exec(t, `UPDATE read.groups SET status = 'archived' WHERE group_id = $1`, old)
	b.exec(t, `UPDATE read.users SET permissions = '{"export_deliveries": false, "update_status": true}'`)
	s := b.session(t, m)

	c, err := b.callerOf(t, s)
	must(t, err)
	if c.All || len(c.Groups) != 2 || !c.Sees(apple) || !c.Sees(banana) || c.Sees(old) || c.Sees(uuid.Nil) {
		t.Errorf("sees %v (all %v), want Apple and Banana and neither the archived group nor what is untagged", c.Groups, c.All)
	}
	if got := c.Permissions.Names(); !slices.Equal(got, []string{"update_status", "view_vehicles"}) {
		t.Errorf("may %v, want update_status and view_vehicles: the role's other default is switched off", got)
	}
	if c.Timezone != "Asia/Singapore" || c.User != m.User || c.Org != b.org || c.Session != s.ID || c.Portal != access.PortalClient {
		t.Errorf("caller %+v", c)
	}

	b.exec(t, `UPDATE read.grants SET ended_at = now() WHERE group_id = $1`, apple)
	c, err = b.callerOf(t, s)
	must(t, err)
	if c.Sees(apple) || !c.Sees(banana) {
		t.Error("a grant that ended a moment ago must be gone at the next request, and only that")
	}

	b.exec(t, `UPDATE read.grants SET expires_at = $1 WHERE group_id = $2`, b.clock.Now().Add(time.Minute), banana)
	if c, _ = b.callerOf(t, s); !c.Sees(banana) {
		t.Error("a grant that has not expired must count")
	}
	b.clock.forward(time.Minute)
	if c, _ = b.callerOf(t, s); c.Sees(banana) {
		t.Error("a grant ends at expires_at, also when no event says so yet")
	}
}

func TestOnlyAnOpenSessionOfAnActiveUserIsACaller(t *testing.T) {
	t.Parallel()
	shared := newBundle(t)
	for name, end := range map[string]func(b *bundle, m access.Membership, s access.Session) error{
		"blocked": func(b *bundle, m access.Membership, _ access.Session) error {
			b.exec(t, `UPDATE read.users SET blocked = true WHERE user_id = $1`, m.User)
			return nil
		},
		"invited": func(b *bundle, m access.Membership, _ access.Session) error {
			b.exec(t, `UPDATE read.users SET accepted = false WHERE user_id = $1`, m.User)
			return nil
		},
		"gone": func(b *bundle, m access.Membership, _ access.Session) error {
			b.exec(t, `DELETE FROM read.users WHERE user_id = $1`, m.User)
			return nil
		},
		"signed out": func(b *bundle, _ access.Membership, s access.Session) error { return b.EndSession(t.Context(), s.ID) },
		"all sessions ended": func(b *bundle, m access.Membership, _ access.Session) error {
			return b.EndSessionsOf(t.Context(), m.Org, m.User)
		},
		"another password": func(b *bundle, m access.Membership, _ access.Session) error {
			b.password(t, m, "another-password@example.com", "quite another secret")
			return nil
		},
		"expired": func(b *bundle, _ access.Membership, _ access.Session) error {
			b.clock.forward(12 * time.Hour)
			return nil
		},
		"purged": func(b *bundle, _ access.Membership, _ access.Session) error {
			b.clock.forward(12 * time.Hour)
			_, err := b.PurgeExpired(t.Context())
			b.clock.forward(-12 * time.Hour)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := shared.withClock(t)
			m := b.user(t, strings.ReplaceAll(name, " ", "-")+"@example.com", access.RoleManager)
			b.grant(t, m.User, uuid.Nil)
			s := b.session(t, m)
			if c, err := b.callerOf(t, s); err != nil || !c.All {
				t.Fatalf("before: all %v, %v; want a caller with ALL", c.All, err)
			}
			must(t, end(b, m, s))
			if c, err := b.callerOf(t, s); !fault.Is(err, fault.Unauthenticated) || c.User != uuid.Nil {
				t.Errorf("after: caller %v, %v; want unauthenticated", c.User, err)
			}
		})
	}
}

func TestWhatIsNoSessionTokenIsNobody(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	good := b.session(t, b.user(t, "adam@example.com", access.RoleManager)).Token.Reveal()
	for _, token := range []string{"", "x", good[:42], good + "A", good[1:] + "A", "====", "\x00", good + "="} {
		if _, err := b.Caller(t.Context(), token); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("token of %d characters: %v, want unauthenticated", len(token), err)
		}
	}
	if _, err := b.Caller(t.Context(), good); err != nil {
		t.Error(err)
	}
}

func TestCallersWhoAskAtOnceAreLookedUpTogetherAndGetTheirOwn(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	type member struct {
		access.Membership
		access.Session
		group uuid.UUID
	}
	var members []member
	for i := range 10 {
		m := member{Membership: b.user(t, fmt.Sprintf("u%d@example.com", i), access.RoleManager), group: b.group(t, fmt.Sprintf("G%d", i))}
		b.grant(t, m.User, m.group)
		m.Session = b.session(t, m.Membership)
		members = append(members, m)
	}
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			m := members[i%len(members)]
			token := m.Token.Reveal()
			if i%7 == 0 {
				token = token[1:] + "A" // somebody's, but for a character
			}
			c, err := b.Caller(t.Context(), token)
			switch {
			case i%7 == 0 && !fault.Is(err, fault.Unauthenticated):
				t.Errorf("a wrong token among right ones: %v, %v", c.User, err)
			case i%7 != 0 && (err != nil || c.User != m.User || len(c.Groups) != 1 || c.Groups[0] != m.group):
				t.Errorf("asked for %s, got %s with %v, %v", m.User, c.User, c.Groups, err)
			}
		})
	}
	wg.Wait()

	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Caller(gone, members[0].Token.Reveal()); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("whose request is over: %v", err)
	}
	b.pools.Identity.Close()
	if _, err := b.Caller(t.Context(), members[0].Token.Reveal()); err == nil || fault.Is(err, fault.Unauthenticated) {
		t.Errorf("without a database: %v, want an error, and not that nobody is signed in", err)
	}
}
