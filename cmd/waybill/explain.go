package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"waybill/cmd/waybill/remote"
	"waybill/cmd/waybill/verb"
)

// serverError is what a server said instead of doing it, as one line that names the
// flag at fault and the remedy.
type serverError struct {
	text string
	code int

	problem string // code of the problem; empty when there was none
}

// Error implements error.
func (e *serverError) Error() string { return e.text }

// explain makes a serverError of a server's problem; other errors stay.
func (a *asking) explain(err error) error {
	return explain(a.v, err)
}

func explain(v verb.Verb, err error) error {
	var p *remote.ProblemError
	if !errors.As(err, &p) {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", v, strings.TrimSpace(p.Detail))
	for _, f := range p.Fields {
		name := v.Flag(f.Field)
		if name == "" {
			name = f.Field
		} else if in := strings.IndexAny(f.Field, ".["); in >= 0 && !strings.HasPrefix(f.Field, "approval") {
			name += " (" + f.Field + ")"
		}
		fmt.Fprintf(&b, " %s %s.", name, strings.TrimSuffix(f.Detail, "."))
	}
	if r := remedy(p); r != "" {
		b.WriteString(" " + r)
	}
	return &serverError{text: verb.Tame(b.String()), code: codeOf(p.Status), problem: p.Code}
}

// remedy is what to do about a problem, where the server does not say it.
func remedy(p *remote.ProblemError) string {
	switch {
	case p.Code == "session-needed":
		return "Sign in with waybill login E-MAIL."
	case p.Status == http.StatusUnauthorized:
		return "Sign in with waybill login E-MAIL, or give a key that works with --api-key-file or WAYBILL_API_KEY."
	case p.Code == "permission-missing":
		return "waybill permissions tells which roles may."
	case p.Status == http.StatusPreconditionFailed:
		return "Look again, and give the revision that you see then with --if-match."
	case p.Status == http.StatusTooManyRequests && p.RetryAfter > 0:
		return fmt.Sprintf("That is %s.", p.RetryAfter)
	}
	return ""
}

// codeOf returns the exit code of a status.
func codeOf(status int) int {
	switch status {
	case http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType:
		return exitUsage
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return exitUnavailable
	}
	if status < 400 || status >= 500 {
		return exitFailed
	}
	return exitInput
}
