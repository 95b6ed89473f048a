package readapi_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/access"
)

func TestWhoSendsSlowlyKeepsNothingThatWasTakenAwayMeanwhile(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	f := newFruit(t, s)
	for path, body := range map[string]string{
		"/v1/groups":   `{"name": "Backdoor ` + uuid.NewString()[:8] + `"}`,
		"/v1/api-keys": `{"name": "backdoor"}`,
	} {
		eve := f.owner.add(t, "Eve", access.RoleManager, `, "groups": ["`+f.apple.String()+`"]`)
		begun := time.Now()
		rest, sending := io.Pipe()
		answered := make(chan answer, 1)
		go func() {
			defer close(answered)
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+path, io.MultiReader(strings.NewReader(body[:5]), rest))
			if err != nil {
				t.Error(err)
				return
			}
			req.Header.Set("Authorization", "Bearer "+eve.token)
			req.Header.Set("Content-Type", "application/json")
			res, err := s.Client().Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			text, _ := io.ReadAll(res.Body)
			answered <- answer{res.StatusCode, res.Header, string(text)}
		}()
		until(t, func() bool { // the request was let in
			var seen bool
			must(t, s.pools.Identity.QueryRow(t.Context(), `SELECT coalesce(bool_or(last_seen_at IS NOT NULL), false) FROM identity.sessions WHERE user_id = $1`, eve.user).Scan(&seen))
			return seen
		})
		f.owner.done(t, "POST", "/v1/users/"+eve.user.String()+"/block", `{"reason": "left"}`)
		until(t, func() bool { return time.Since(begun) > time.Second })
		_, err := sending.Write([]byte(body[5:]))
		must(t, err)
		must(t, sending.Close())
		wantStatus(t, path, <-answered, http.StatusUnauthorized)
	}
}
