package access_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/events/fault"
)

func TestAOneTimeTokenWorksOnce(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	m := b.user(t, "adam@example.com", access.RoleManager)
	ticket := access.Ticket{Purpose: access.PurposeInvitation, Identity: m.Identity, Org: m.Org, User: m.User, Invitation: uuid.New()}
	token, expires, err := b.IssueToken(t.Context(), ticket)
	must(t, err)
	if want := b.clock.Now().Add(7 * 24 * time.Hour); !expires.Equal(want) {
		t.Errorf("expires %v, want %v", expires, want)
	}
	var good, bad atomic.Int32
	var got sync.Map
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			ticket, err := b.SetPassword(t.Context(), token.Reveal(), "adam@example.com", secret)
			switch {
			case err == nil:
				good.Add(1)
				got.Store("ticket", ticket)
			case fault.Is(err, fault.Invalid):
				bad.Add(1)
			}
		})
	}
	wg.Wait()
	if good.Load() != 1 || bad.Load() != 7 {
		t.Errorf("%d of 8 racing uses went well and %d were refused, want 1 and 7", good.Load(), bad.Load())
	}
	if v, _ := got.Load("ticket"); v != ticket {
		t.Errorf("the token was for %+v, want %+v", v, ticket)
	}
}

func TestWhateverIsWrongWithATokenLooksTheSame(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	m := b.user(t, "adam@example.com", access.RoleManager)
	b.user(t, "eve@example.com", access.RoleManager)
	issue := func() string {
		token, _, err := b.IssueToken(t.Context(), access.Ticket{Purpose: access.PurposePasswordReset, Identity: m.Identity, Org: m.Org, User: m.User})
		must(t, err)
		return token.Reveal()
	}
	superseded := issue()
	used := issue()
	_, err := b.SetPassword(t.Context(), used, "adam@example.com", secret)
	must(t, err)
	expired := issue()
	b.clock.forward(time.Hour)
	fresh := issue()
	made := strings.Repeat("A", 43)
	var texts []string
	for name, tc := range map[string][2]string{
		"superseded": {superseded, "adam@example.com"}, "used": {used, "adam@example.com"}, "expired": {expired, "adam@example.com"},
		"for another e-mail": {fresh, "eve@example.com"}, "for an unknown e-mail": {fresh, "nobody@example.com"},
		"made up": {made, "adam@example.com"}, "no token": {"?", "adam@example.com"},
	} {
		_, err := b.SetPassword(t.Context(), tc[0], tc[1], secret)
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want invalid", name, err)
			continue
		}
		texts = append(texts, fmt.Sprintf("%#v", *errAs(t, err)))
	}
	for _, text := range texts {
		if text != texts[0] {
			t.Errorf("answers differ: %s and %s", text, texts[0])
		}
	}
	if _, err := b.SetPassword(t.Context(), fresh, "adam@example.com", "short"); !fault.Is(err, fault.Invalid) {
		t.Errorf("a short password: %v, want invalid", err)
	}
	if _, err := b.SetPassword(t.Context(), fresh, "adam@example.com", secret); err != nil {
		t.Errorf("a token stays good after a wrong e-mail and a short password: %v", err)
	}
}

func TestNothingReadableIsStoredOfPasswordsAndTokens(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	m := b.user(t, "adam@example.com", access.RoleManager)
	token, _, err := b.IssueToken(t.Context(), access.Ticket{Purpose: access.PurposeInvitation, Identity: m.Identity, Org: m.Org, User: m.User})
	must(t, err)
	b.password(t, m, "adam@example.com", secret)
	s := b.session(t, m)
	for _, table := range []string{"identities", "sessions", "tokens"} {
		var all string
		must(t, b.pools.Identity.QueryRow(t.Context(), `SELECT string_agg(x::text, ' ') FROM identity.`+table+` x`).Scan(&all))
		for _, text := range []string{secret, token.Reveal(), s.Token.Reveal()} {
			if all == "" || strings.Contains(all, text) {
				t.Errorf("identity.%s is empty or holds a secret as it is", table)
			}
		}
	}
	if shown := fmt.Sprintf("%v %+v %#v %s", token, s, s, s.Token); strings.Contains(shown, s.Token.Reveal()) || strings.Contains(shown, token.Reveal()) {
		t.Error("printing a token shows it")
	}
}

func TestHashingIsBounded(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	s, err := access.New(access.Config{Pool: b.pools.Identity, Hashing: access.Hashing{Parallel: 1, Waiting: 1}})
	must(t, err)
	leave, err := s.EnterHashing(t.Context())
	must(t, err)
	waits := make(chan error, 1)
	go func() {
		_, err := s.SignIn(t.Context(), "nobody@example.com", secret)
		for err != nil && strings.Contains(err.Error(), "Too many") { // the other one stood there at that moment
			_, err = s.SignIn(t.Context(), "nobody@example.com", secret)
		}
		waits <- err
	}()
	// One computes and one waits; a third, which is in no mood to wait, is turned
	// away at the door as soon as the second stands in the queue.
	hurried, cancel := context.WithCancel(t.Context())
	cancel()
	for deadline := time.Now().Add(5 * time.Minute); ; {
		_, err := s.EnterHashing(hurried)
		if !fault.Is(err, fault.Unavailable) {
			t.Fatalf("%v, want unavailable", err)
		}
		if strings.Contains(err.Error(), "Too many") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the queue has no end")
		}
		runtime.Gosched()
	}
	leave()
	if err := <-waits; !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("who waited: %v, want an answer", err)
	}
}

func TestMailedAndPrintedLinksStandSideBySideUntilOneIsUsed(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	m := b.user(t, "adam@example.com", access.RoleManager)
	ticket := access.Ticket{Purpose: access.PurposeInvitation, Identity: m.Identity, Org: m.Org, User: m.User, Invitation: uuid.New()}
	issue := func(event uuid.UUID, at time.Time) string {
		ticket := ticket
		ticket.Event, ticket.EventAt = event, at
		b.clock.forward(time.Second)
		token, _, err := b.IssueToken(t.Context(), ticket)
		must(t, err)
		return token.Reveal()
	}
	works := func(what, token string, want bool) {
		t.Helper()
		var good bool
		raw, err := base64.RawURLEncoding.DecodeString(token)
		must(t, err)
		hash := sha256.Sum256(raw)
		must(t, b.pools.Identity.QueryRow(t.Context(), `SELECT used_at IS NULL AND superseded_at IS NULL FROM identity.tokens WHERE token_hash = $1`, hash[:]).Scan(&good))
		if good != want {
			t.Errorf("%s works: %v, want %v", what, good, want)
		}
	}
	invited, first := b.clock.Now(), uuid.New()
	printed := issue(uuid.Nil, time.Time{})
	mailed := issue(first, invited)
	works("what was printed before the mail, and after its event,", printed, true)
	again := issue(first, invited)
	works("the first mail", mailed, false)
	reprinted := issue(uuid.Nil, time.Time{})
	works("what was printed first", printed, false)
	works("the mail beside what was printed", again, true)
	b.clock.forward(time.Minute)
	resent := issue(uuid.New(), b.clock.Now())
	works("the mail before a resending", again, false)
	works("what was printed before a resending", reprinted, false)
	last := issue(uuid.Nil, time.Time{})
	_, err := b.SetPassword(t.Context(), resent, "adam@example.com", secret)
	must(t, err)
	works("what was printed, once the mailed one was used,", last, false)
}

func TestATokenEndsWithWhatItIsForAtTheLatest(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	m := b.user(t, "adam@example.com", access.RoleManager)
	for until, want := range map[time.Duration]time.Duration{10 * time.Minute: 10 * time.Minute, 2 * time.Hour: time.Hour} {
		_, expires, err := b.IssueToken(t.Context(), access.Ticket{Purpose: access.PurposePasswordReset, Identity: m.Identity, Org: m.Org, User: m.User, Until: b.clock.Now().Add(until)})
		must(t, err)
		if !expires.Equal(b.clock.Now().Add(want)) {
			t.Errorf("expires %v, want in %v", expires, want)
		}
	}
}

func TestWhoMayResetAPassword(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	adam := b.user(t, "adam@example.com", access.RoleManager)
	b.password(t, adam, "adam@example.com", secret)
	if m, ok, err := b.Resettable(t.Context(), " ADAM@example.com"); err != nil || !ok || m.User != adam.User || m.Org != adam.Org {
		t.Errorf("an active user: %+v, %v, %v", m, ok, err)
	}
	b.exec(t, `UPDATE read.users SET accepted = false WHERE user_id = $1`, adam.User)
	if m, ok, err := b.Resettable(t.Context(), "adam@example.com"); err != nil || !ok || m.Status != access.StatusInvited {
		t.Errorf("somebody with a password, invited: %+v, %v, %v", m, ok, err)
	}
	_, err := b.pools.Identity.Exec(t.Context(), `UPDATE identity.identities SET password_hash = NULL WHERE identity_id = $1`, adam.Identity)
	must(t, err)
	_, invited, _ := b.Resettable(t.Context(), "adam@example.com")
	b.exec(t, `UPDATE read.users SET accepted = true, blocked = true WHERE user_id = $1`, adam.User)
	_, blocked, _ := b.Resettable(t.Context(), "adam@example.com")
	_, unknown, err := b.Resettable(t.Context(), "nobody@example.com")
	_, none, _ := b.Resettable(t.Context(), "nothing")
	if invited || blocked || unknown || none || err != nil {
		t.Errorf("without a password %v, blocked %v, unknown %v, no e-mail %v, %v; want nobody", invited, blocked, unknown, none, err)
	}
}
