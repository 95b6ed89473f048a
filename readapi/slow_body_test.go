package readapi_test

import (
	"io"
	"net/http"
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
		sent, sending := io.Pipe()
		answered := make(chan answer, 1)
		go func() {
			defer close(answered)
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+path, sent)
			if err != nil {
				t.Error(err)
				return
			}
			req.Header.Set("Authorization", "Bearer "+eve.token)
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Expect", "100-continue")
			res, err := s.Client().Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			text, _ := io.ReadAll(res.Body)
			answered <- answer{res.StatusCode, res.Header, string(text)}
		}()
		_, err := io.WriteString(sending, body[:5]) // the body is asked for: the request was let in
		must(t, err)
		begun := time.Now()
		f.owner.done(t, "POST", "/v1/users/"+eve.user.String()+"/block", `{"reason": "left"}`)
		until(t, func() bool { return time.Since(begun) > time.Second })
		_, err = io.WriteString(sending, body[5:])
		must(t, err)
		must(t, sending.Close())
		wantStatus(t, path, <-answered, http.StatusUnauthorized)
	}
}
