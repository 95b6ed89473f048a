package readapi_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/events"
)

// Whoever found a link guesses whom it was made for: every guess counts, makes
// nobody known, is answered like any wrong link, and is told in the story of what
// the link is for, which works for whom it was made for still.
func TestGuessingTheEmailOfALinkCountsMakesNobodyAndIsRecorded(t *testing.T) {
	t.Parallel()
	s := newStackLimited(t, access.Limits{PerIP: 7, IPEvery: 24 * time.Hour})
	g := newGrove(t, s)
	ulf := g.owner.done(t, http.MethodPost, "/v1/users", `{"name": "Ulf", "email": "ulf@example.com", "role": "cso", "access": "none"}`).ID
	for _, link := range []struct {
		path, token, email string
		stream             events.StreamID
		refused            string
	}{
		{"/v1/client-invitations/accept", g.invite(t), g.email, events.Stream(events.CategoryClientAccount, g.org, g.client), "ClientInvitationAcceptanceRefused"},
		{"/v1/passwords", s.invitation(t, g.org, ulf, "ulf@example.com"), "ulf@example.com", events.Stream(events.CategoryUser, g.org, ulf), "UserInvitationAcceptanceRefused"},
	} {
		use := func(token, email string) answer {
			return person{s: s}.do(t, http.MethodPost, link.path, fmt.Sprintf(`{"token": %q, "email": %q%s}`, token, email, chosen))
		}
		madeUp := use("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", link.email)
		for range 2 {
			guess := "guess-" + uuid.NewString() + "@example.com"
			if a := use(link.token, guess); a.status != madeUp.status || a.body != madeUp.body {
				t.Errorf("%s: a good link is answered %s, a made-up one %s", link.path, a.body, madeUp.body)
			}
			if id, err := s.access.IdentityOf(t.Context(), guess); err != nil || id != uuid.Nil {
				t.Errorf("%s: a guess was made an identity (%v)", link.path, err)
			}
		}
		until(t, func() bool { return s.count(t, link.stream, link.refused) == 2 })
		if a := use(link.token, link.email); a.status != http.StatusOK {
			t.Errorf("%s: the right e-mail: %d %s", link.path, a.status, a.body)
		}
	}
	for i, want := range []int{http.StatusUnprocessableEntity, http.StatusTooManyRequests} {
		a := person{s: s}.do(t, http.MethodPost, "/v1/passwords", fmt.Sprintf(`{"token": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "email": "last@example.com"%s}`, chosen))
		wantStatus(t, fmt.Sprintf("guess %d of 7", 7+i), a, want)
	}
}

// count counts a stream's events of a type.
func (s *stack) count(t testing.TB, stream events.StreamID, kind string) int {
	t.Helper()
	records, err := s.store.Read(t.Context(), stream.String(), 0, 1000)
	must(t, err)
	n := 0
	for _, r := range records {
		if r.Type == kind {
			n++
		}
	}
	return n
}
