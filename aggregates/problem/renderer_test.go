package problem_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"waybill/aggregates/problem"
	"waybill/events/fault"
)

func render(t *testing.T, err error) (*httptest.ResponseRecorder, problem.Problem, string) {
	t.Helper()
	var log bytes.Buffer
	w := httptest.NewRecorder()
	w.Header().Set("Location", "/half/done")
	problem.NewRenderer(slog.New(slog.NewTextHandler(&log, nil)), func() uuid.UUID { return uuid.UUID{15: 7} }).
		Write(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/things/1?secret=x", nil), err)
	var p problem.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p, json.RejectUnknownMembers(true)); err != nil {
		t.Fatal(err)
	}
	return w, p, log.String()
}

func TestEveryKindOfErrorHasItsStatus(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err    error
		status int
		code   string
		header string
	}{
		"invalid":         {fault.InvalidField("email", "is required"), 422, "invalid-field", ""},
		"conflict":        {fault.New(fault.Conflict, "group-name-taken", "Taken."), 409, "group-name-taken", ""},
		"not found":       {fault.New(fault.NotFound, "", "x"), 404, "not-found", ""},
		"denied":          {fault.New(fault.Denied, "", ""), 403, "denied", ""},
		"unavailable":     {fmt.Errorf("query: %w", fault.New(fault.Unavailable, "", "")), 503, "unavailable", "Retry-After"},
		"unauthenticated": {fault.New(fault.Unauthenticated, "", ""), 401, "unauthenticated", "WWW-Authenticate"},
		"out of time":     {fmt.Errorf("query: %w", context.DeadlineExceeded), 503, "timeout", "Retry-After"},
		"unknown":         {errors.New("boom"), 500, "internal", ""},
		"internal fault":  {fault.New(fault.Internal, "table-read", "boom"), 500, "internal", ""},
		"of the protocol": {&problem.HTTPError{Status: 405, Code: "method-not-allowed", Detail: "No.", Allow: []string{"GET", "PUT"}}, 405, "method-not-allowed", "Allow"},
		"too often":       {&problem.HTTPError{Status: 429, Code: "too-many-tries", Detail: "No.", RetryAfter: 1500 * time.Millisecond}, 429, "too-many-tries", "Retry-After"},
	} {
		w, p, _ := render(t, tc.err)
		if w.Code != tc.status || p.Status != tc.status || p.Type != "urn:waybill:problem:"+tc.code || p.Title == "" || p.Detail == "" {
			t.Errorf("%s: %d %+v, want %d %s", name, w.Code, p, tc.status, tc.code)
		}
		if w.Header().Get("Content-Type") != problem.MediaType || w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Location") != "" {
			t.Errorf("%s: headers %v", name, w.Header())
		}
		if tc.header != "" && w.Header().Get(tc.header) == "" {
			t.Errorf("%s: no %s", name, tc.header)
		}
	}
}

func TestFieldsAreNamed(t *testing.T) {
	t.Parallel()
	_, p, _ := render(t, fault.InvalidField("items[2].quantity", "must be at least %d", 1))
	if len(p.Errors) != 1 || p.Errors[0] != (problem.Field{Field: "items[2].quantity", Detail: "must be at least 1"}) {
		t.Errorf("%+v", p)
	}
}

func TestWhatIsNotFoundLooksTheSameWhateverTheErrorSays(t *testing.T) {
	t.Parallel()
	a, _, _ := render(t, fault.New(fault.NotFound, "group-not-found", "Group 7 of Apple is not yours."))
	b, _, _ := render(t, fmt.Errorf("grant: %w", fault.Wrap(errors.New("no rows"), fault.NotFound, "group-not-found", "There is no group 8.")))
	if a.Body.String() != b.Body.String() {
		t.Errorf("%s and %s", a.Body, b.Body)
	}
}

func TestAnInternalErrorTellsNothingButAnIDThatTheLogExplains(t *testing.T) {
	t.Parallel()
	w, p, log := render(t, fmt.Errorf("query: %w", errors.New("relation read.deliveries: SQLSTATE 42P01")))
	if strings.Contains(w.Body.String(), "SQLSTATE") || p.Instance != "urn:uuid:00000000-0000-0000-0000-000000000007" {
		t.Errorf("%s", w.Body)
	}
	if !strings.Contains(log, "SQLSTATE") || !strings.Contains(log, "00000000-0000-0000-0000-000000000007") || strings.Contains(log, "secret") {
		t.Errorf("log: %s", log)
	}
}

func TestAPanicIsAnInternalError(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	r := problem.NewRenderer(slog.New(slog.NewTextHandler(&log, nil)), uuid.New)
	w := httptest.NewRecorder()
	r.Recover(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("the inside") })).
		ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "inside") || !strings.Contains(log.String(), "the inside") {
		t.Errorf("%d %s, log %s", w.Code, w.Body, &log)
	}
}
