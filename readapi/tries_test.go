package readapi_test

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"
)

func testWhoTriesTooOftenWaitsWhetherOrNotThereIsAnAccount(t *testing.T, s *stack) {
	owner := s.organisation(t, "Tries")
	setting := s
	s = s.beside(t)
	s.clock.stop(time.Now()) // no try comes back meanwhile
	const known, unknown = "ann-tries@example.com", "nobody-tries@example.com"
	setting.join(t, owner.org(t), owner.done(t, "POST", "/v1/users", `{"name": "Ann", "email": "`+known+`", "role": "manager"}`).ID, known)
	for name, path := range map[string]string{
		"sign-in": "/v1/sessions", "one-time link": "/v1/passwords",
	} {
		body := `{"email": %q, "password": "wrong horse"}`
		if path == "/v1/passwords" {
			body = `{"email": %q, "password": "wrong horse", "token": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`
		}
		var limited [2]answer
		var tries [2]int
		for i, email := range []string{known, unknown} {
			for tries[i] < 50 && limited[i].status != http.StatusTooManyRequests {
				limited[i] = person{s: s}.do(t, "POST", path, fmt.Sprintf(body, email))
				tries[i]++
			}
		}
		if limited[0].status != http.StatusTooManyRequests || limited[0].body != limited[1].body || tries[0] != tries[1] {
			t.Errorf("%s: after %v tries %d %s and %d %s", name, tries, limited[0].status, limited[0].body, limited[1].status, limited[1].body)
		}
		for _, a := range limited {
			if n, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || n < 1 || n > 30 {
				t.Errorf("%s: Retry-After %q", name, a.header.Get("Retry-After"))
			}
		}
	}
	if a := s.credentials(t, fmt.Sprintf(`{"email": %q, "password": %q}`, known, password)); a.status != http.StatusTooManyRequests {
		t.Errorf("the right password is not told from a wrong one: %d %s", a.status, a.body)
	}
}
