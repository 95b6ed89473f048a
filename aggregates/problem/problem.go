// Package problem renders errors as RFC 9457 problem details. It is the one
// place where kinds of error become HTTP statuses.
//
// It must never write an error's cause, a stack, an SQL text or anything of
// another tenant into an answer: the cause goes to the log, and the caller of an
// internal error gets nothing but an id to quote.
package problem

import (
	"math"
	"net/http"
	"strings"
	"time"

	"waybill/events/fault"
)

// MediaType is the content type of every problem.
const MediaType = "application/problem+json"

// typePrefix makes stable, absolute type URIs of codes.
const typePrefix = "urn:waybill:problem:"

// Problem is the answer's body.
type Problem struct {
	Type     string  `json:"type"`              // stable URI; what programs test
	Title    string  `json:"title"`             // the same for every problem of the type's kind
	Status   int     `json:"status"`            // the HTTP status
	Detail   string  `json:"detail,omitzero"`   // one sentence for a person
	Instance string  `json:"instance,omitzero"` // id to quote; internal errors only
	Errors   []Field `json:"errors,omitempty"`  // what is wrong with which field of the input
	Allow    string  `json:"-"`                 // Allow header of 405
	retry    int     // seconds of a Retry-After header; 0 = none
	sign     bool    // a WWW-Authenticate header is due
}

// Field is what is wrong with one field of the input.
type Field struct {
	Field  string `json:"field"`  // path as the caller wrote it, such as "items[2].quantity"
	Detail string `json:"detail"` // what is wrong, and what would be right
}

// kind is how one kind of error looks from outside.
type kind struct {
	status int
	code   string // used when the error has none
	title  string
	detail string // used when the error has none, or must not show its own
}

func kindOf(k fault.Kind) kind {
	switch k {
	case fault.Invalid:
		return kind{http.StatusUnprocessableEntity, "invalid", "Not valid", "The request breaks a rule."}
	case fault.Conflict:
		return kind{http.StatusConflict, "conflict", "Conflict", "Somebody else was first. Look again, then decide."}
	case fault.NotFound:
		return kind{http.StatusNotFound, "not-found", "Not found", "There is no such thing here."}
	case fault.Denied:
		return kind{http.StatusForbidden, "denied", "Not allowed", "You may not do this."}
	case fault.Unavailable:
		return kind{http.StatusServiceUnavailable, "unavailable", "Try again later", "A part that is needed for this is away at the moment. Try again."}
	case fault.Unauthenticated:
		return kind{http.StatusUnauthorized, "unauthenticated", "Sign in first", "Send a valid session token: Authorization: Bearer <token>."}
	default:
		return kind{http.StatusInternalServerError, "internal", "Internal error", "Something went wrong on our side; it was logged under the id in instance."}
	}
}

// of renders an error of a known kind.
func of(e *fault.Error) Problem {
	k := kindOf(e.Kind)
	p := Problem{Title: k.title, Status: k.status, Detail: k.detail}
	if e.Kind == fault.Unavailable {
		p.retry = 1
	}
	p.sign = e.Kind == fault.Unauthenticated
	code := e.Code
	if code == "" {
		code = k.code
	}
	switch e.Kind {
	case fault.NotFound:
		// What is foreign and what never existed must not be told apart, so
		// nothing of the error but its code is shown.
	case fault.Internal:
		code = k.code
	default:
		if e.Detail != "" {
			p.Detail = e.Detail
		}
		for _, f := range e.Fields {
			p.Errors = append(p.Errors, Field{Field: f.Name, Detail: f.Detail})
		}
	}
	p.Type = typePrefix + code
	return p
}

// HTTPError is an error that belongs to the protocol and not to the domain: a
// body that is no JSON, a method that a path does not have, a wait that timed
// out.
type HTTPError struct {
	Status int
	Code   string // stable machine word, as in [fault.Error]
	Detail string // one sentence for a person
	Fields []fault.Field
	Allow  []string // methods that the path has; 405 only

	// RetryAfter is when a repetition makes sense; zero = a second for 503, and
	// nothing is said for others.
	RetryAfter time.Duration

	Err error // cause, for logs only; may be nil
}

// Error returns the detail and the cause, for logs.
func (e *HTTPError) Error() string {
	if e.Err != nil {
		return e.Detail + ": " + e.Err.Error()
	}
	return e.Detail
}

// Unwrap returns the cause.
func (e *HTTPError) Unwrap() error { return e.Err }

func (e *HTTPError) problem() Problem {
	p := Problem{
		Type: typePrefix + e.Code, Title: http.StatusText(e.Status), Status: e.Status, Detail: e.Detail,
		Allow: strings.Join(e.Allow, ", "), retry: int(math.Ceil(e.RetryAfter.Seconds())),
	}
	if p.retry == 0 && e.Status == http.StatusServiceUnavailable {
		p.retry = 1
	}
	for _, f := range e.Fields {
		p.Errors = append(p.Errors, Field{Field: f.Name, Detail: f.Detail})
	}
	return p
}
