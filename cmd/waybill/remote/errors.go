package remote

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-json-experiment/json"

	"waybill/aggregates/problem"
)

// UsageError is an error in what was asked for, found before anything was sent.
type UsageError struct{ text string }

// Error implements error.
func (e *UsageError) Error() string { return e.text }

func usage(format string, args ...any) error { return &UsageError{fmt.Sprintf(format, args...)} }

// UnreachableError says that a server did not answer.
type UnreachableError struct {
	Server string
	Err    error
}

// Error implements error.
func (e *UnreachableError) Error() string {
	why := e.Err.Error()
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.Is(e.Err, syscall.ECONNREFUSED):
		why = "nothing listens there"
	case errors.As(e.Err, &dns):
		why = "its name is not known"
	case errors.As(e.Err, &timeout) && timeout.Timeout():
		why = "it does not answer in time"
	}
	return fmt.Sprintf("the server %s cannot be reached: %s. Start one with waybill serve, or name another with --server", e.Server, why)
}

// Unwrap returns the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }

// InterruptedError says that the caller did not wait for the answer.
type InterruptedError struct {
	Changing bool // the request may have changed something
}

// Error implements error.
func (e *InterruptedError) Error() string {
	if e.Changing {
		return "interrupted before the server answered; it may have done it all the same"
	}
	return "interrupted"
}

// BrokenError says that an answer broke off in its middle.
type BrokenError struct {
	Server string
	Err    error
}

// Error implements error.
func (e *BrokenError) Error() string {
	return fmt.Sprintf("the answer of %s broke off: %v. What came is not all of it", e.Server, e.Err)
}

// Unwrap returns the cause.
func (e *BrokenError) Unwrap() error { return e.Err }

// ProblemError is what a server said instead of doing it.
type ProblemError struct {
	Status     int
	Code       string // the last word of the problem's type; empty when it sent none
	Detail     string // one sentence
	Fields     []problem.Field
	RetryAfter time.Duration // zero = not said
}

// Error implements error.
func (e *ProblemError) Error() string {
	text := e.Detail
	for _, f := range e.Fields {
		text += fmt.Sprintf(" %s: %s.", f.Field, strings.TrimSuffix(f.Detail, "."))
	}
	return text
}

// maxProblem bounds what is read of an error, in bytes.
const maxProblem = 64 << 10

func problemOf(answer *http.Response) *ProblemError {
	e := &ProblemError{Status: answer.StatusCode}
	if seconds, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil && seconds > 0 {
		e.RetryAfter = time.Duration(seconds) * time.Second
	}
	var p problem.Problem
	kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxProblem))
	if err != nil || kind != problem.MediaType || json.Unmarshal(text, &p) != nil {
		e.Detail = fmt.Sprintf("The server answered %s: is it a waybill server?", answer.Status)
		return e
	}
	e.Code, e.Detail, e.Fields = p.Type[strings.LastIndexByte(p.Type, ':')+1:], p.Detail, p.Errors
	if e.Detail == "" {
		e.Detail = p.Title + "."
	}
	if p.Instance != "" {
		e.Detail += " Its id in the server's log is " + p.Instance + "."
	}
	return e
}
