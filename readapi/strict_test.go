package readapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/problem"
)

func testBodiesAreReadStrictlyAndErrorsNameTheMember(t *testing.T, s *stack) {
	owner := s.organisation(t, "Bodies")
	const path = "/v1/deliveries"
	for name, tc := range map[string]struct {
		body, want string
		status     int
	}{
		"unknown member":       {`{"do_number": "1", "date": "2026-03-02", "gruop": "x"}`, `"field":"gruop"`, 400},
		"another case":         {`{"DO_Number": "1", "date": "2026-03-02"}`, `"field":"DO_Number"`, 400},
		"unknown in a list":    {`{"do_number": "1", "date": "2026-03-02", "items": [{"quantity": 1}, {"quantity": 1, "colour": "red"}]}`, `"field":"items[1].colour"`, 400},
		"twice":                {`{"do_number": "1", "do_number": "2", "date": "2026-03-02"}`, `"field":"do_number"`, 400},
		"another type":         {`{"do_number": 1, "date": "2026-03-02"}`, `"field":"do_number","detail":"must be text"`, 400},
		"no whole number":      {`{"do_number": "1", "date": "2026-03-02", "items": [{"quantity": 1.5}]}`, `"field":"items[0].quantity"`, 400},
		"no id":                {`{"do_number": "1", "date": "2026-03-02", "group": "Apple"}`, `"field":"group","detail":"must be an id (UUID)"`, 400},
		"no object":            {`["do_number"]`, "must be a JSON object", 400},
		"cut off":              {`{"do_number": "1", `, "no valid JSON", 400},
		"two values":           {`{"do_number": "1", "date": "2026-03-02"} {}`, "no valid JSON", 400},
		"not UTF-8":            {"{\"do_number\": \"\xff\", \"date\": \"2026-03-02\"}", "no valid JSON", 400},
		"empty":                {``, "Content-Type", 415},
		"too large":            {`{"do_number": "` + strings.Repeat("1", 1<<20) + `"}`, "body-too-large", 413},
		"against a rule":       {`{"do_number": "", "date": "2026-03-02"}`, `"field":"do_number"`, 422},
		"against another":      {`{"do_number": "1", "date": "2026-13-02"}`, `"field":"date"`, 422},
		"a group of nobody":    {`{"do_number": "1", "date": "2026-03-02", "group": "` + uuid.NewString() + `"}`, `group-not-found`, 404},
		"large number as text": {`{"do_number": "1", "date": "2026-03-02", "items": [{"quantity": "9007199254740993"}]}`, ``, 201},
		"null is not given":    {`{"do_number": "2", "date": "2026-03-02", "group": null, "items": null}`, ``, 201},
	} {
		a := owner.do(t, "POST", path, tc.body)
		if a.status != tc.status || !strings.Contains(a.body, tc.want) {
			t.Errorf("%s: %d %s, want %d with %s", name, a.status, a.body, tc.status, tc.want)
		}
		if a.status >= 400 {
			var p problem.Problem
			a.into(t, &p)
			if p.Status != a.status || !strings.HasPrefix(p.Type, "urn:waybill:problem:") || p.Title == "" || a.header.Get("Content-Type") != problem.MediaType {
				t.Errorf("%s: problem %+v of type %s", name, p, a.header.Get("Content-Type"))
			}
		}
	}
	if a := owner.do(t, "POST", path, `{"do_number": "3", "date": "2026-03-02"}`, "Content-Type", "text/plain"); a.status != http.StatusUnsupportedMediaType {
		t.Errorf("text/plain: %d %s", a.status, a.body)
	}
	// What is not said switches nothing.
	self := "/v1/users/" + owner.user.String()
	for _, empty := range []struct{ path, field, match string }{
		{"/v1/settings/group-field", "enabled", ""},
		{self + "/permissions", "permissions", owner.ok(t, self).header.Get("ETag")},
	} {
		var match []string
		if empty.match != "" {
			match = []string{"If-Match", empty.match}
		}
		a := owner.do(t, "PUT", empty.path, `{}`, match...)
		if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, `"field":"`+empty.field+`"`) {
			t.Errorf("PUT %s {}: %d %s", empty.path, a.status, a.body)
		}
	}
	for _, key := range []string{"", "a\tb", strings.Repeat("k", 256)} {
		if a := owner.do(t, "POST", "/v1/groups", `{"name": "G"}`, "Idempotency-Key", key); a.status != http.StatusBadRequest {
			t.Errorf("key of %d bytes: %d %s", len(key), a.status, a.body)
		}
	}
}

func testTheRouterAnswersWithProblemsToo(t *testing.T, s *stack) {
	p := person{s: s}
	for path, status := range map[string]int{"/": 404, "/v1": 404, "/v1/nothing": 404, "/v1//deliveries": 404, "/v1/deliveries/": 404, "/v1/deliveries/a/b/c": 404} {
		a := p.get(t, path)
		if a.status != status || a.header.Get("Content-Type") != problem.MediaType {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	a := p.do(t, "PATCH", "/v1/deliveries", "")
	if a.status != http.StatusMethodNotAllowed || a.header.Get("Allow") != "GET, POST" || a.header.Get("Content-Type") != problem.MediaType {
		t.Errorf("PATCH: %d %s, allow %q", a.status, a.body, a.header.Get("Allow"))
	}
	for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"} {
		for _, path := range []string{"/livez", "/nothing", "/v1/me"} {
			if got := p.get(t, path).header.Get(name); got != want {
				t.Errorf("%s of %s: %q, want %q", name, path, got, want)
			}
		}
	}
}

func testARepetitionWithTheSameKeyIsTheSameCommand(t *testing.T, s *stack) {
	f := newFruit(t, s)
	for _, key := range []string{uuid.NewString(), "order 4711"} {
		body := `{"do_number": "K-` + key[:5] + `", "date": "2026-03-02", "group": "` + f.apple.String() + `"}`
		first := f.owner.done(t, "POST", "/v1/deliveries", body, "Idempotency-Key", key)
		again := f.owner.do(t, "POST", "/v1/deliveries", body, "Idempotency-Key", key)
		if again.status != http.StatusCreated || !strings.Contains(again.body, first.ID.String()) || !strings.Contains(again.body, `"position":"`+first.Position+`"`) {
			t.Errorf("again: %d %s, want the first answer %+v", again.status, again.body, first)
		}
		if a := f.owner.do(t, "POST", "/v1/deliveries", body); a.status != http.StatusConflict {
			t.Errorf("without the key: %d %s, want a conflict", a.status, a.body)
		}
		if a := f.vincent.do(t, "POST", "/v1/deliveries", body, "Idempotency-Key", key); a.status != http.StatusConflict {
			t.Errorf("somebody else with the same key: %d %s, want a conflict", a.status, a.body)
		}
	}
}

func TestNoSecretStandsInAnyErrorOrLog(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	f := newFruit(t, s)
	token := s.invitation(t, f.owner.org(t), f.adam.user, "leak@example.com")
	var seen strings.Builder
	keep := func(a answer) {
		if a.status >= 400 {
			seen.WriteString(a.body)
		}
	}
	const hunter = "hunter2-hunter2"
	for _, body := range []string{
		`{"token": "` + token + `", "email": "other@example.com", "password": "` + hunter + `"}`,
		`{"token": "` + token + `", "email": "` + hunter + `", "password": "` + hunter + `", "more": "` + hunter + `"}`,
		`{"token": ["` + token + `"], "password": {"` + hunter + `": 1}}`,
		`{"token": "` + token + `", "email": "x@example.com", "password": "` + strings.Repeat(hunter, 100) + `"}`,
		`{"token": "` + token + `" "` + hunter,
	} {
		keep(person{s: s}.do(t, "POST", "/v1/passwords", body))
		keep(person{s: s}.do(t, "POST", "/v1/sessions", strings.ReplaceAll(body, `"token"`, `"password"`)))
	}
	keep(person{s: s}.do(t, "POST", "/v1/organisations", `{"name": 1}`, "Waybill-Setup-Token", setupToken))
	keep(f.adam.get(t, "/v1/deliveries?x="+f.adam.token))
	keep(f.adam.get(t, "/v1/nothing"))
	s.pools.Reader.Close()
	keep(f.adam.get(t, "/v1/deliveries"))
	all := seen.String() + s.logs.String()
	if len(seen.String()) < 500 || s.logs.String() == "" {
		t.Fatal("there is nothing to look through")
	}
	for name, secret := range map[string]string{"token": token, "session": f.adam.token, "password": hunter, "set-up token": setupToken, "everybody's password": password} {
		if strings.Contains(all, secret) {
			t.Errorf("the %s stands in an error or in the log", name)
		}
	}
	if strings.Contains(seen.String(), "SQLSTATE") || strings.Contains(seen.String(), "closed pool") || strings.Contains(seen.String(), "read.") {
		t.Errorf("an answer tells of what is inside: %s", seen.String())
	}
	if access.MinPassword > len(hunter) {
		t.Fatal("the password of this test is too short")
	}
}
