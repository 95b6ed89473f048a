// Package fault names the few kinds of failure that callers tell apart.
//
// Every floor of waybill returns ordinary errors; an error that a caller has to
// act on carries one of these kinds, found with [KindOf] or errors.As. The HTTP
// rendering of a kind lives in one other place only. This package must never
// know about transport, storage or a particular aggregate.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Kind says what a caller can do about an error.
type Kind uint8

// The kinds. The zero value is Internal: an error nobody has classified.
const (
	Internal        Kind = iota // a defect or an unexpected state; nothing the caller sent is at fault
	Invalid                     // the input breaks a rule; send something else
	Conflict                    // the input was fine, but somebody else was first; look again, then decide
	NotFound                    // it does not exist, or not for this caller (which must look the same)
	Denied                      // the caller sees the thing but may not do this to it
	Unavailable                 // try again later; nothing was changed, or the outcome can be settled by the same retry
	Unauthenticated             // nobody the system knows is asking
)

// String returns the kind's name in lower case, as used in logs and metrics.
func (k Kind) String() string {
	switch k {
	case Invalid:
		return "invalid"
	case Conflict:
		return "conflict"
	case NotFound:
		return "not found"
	case Denied:
		return "denied"
	case Unavailable:
		return "unavailable"
	case Unauthenticated:
		return "unauthenticated"
	default:
		return "internal"
	}
}

// Field is what is wrong with one field of the input.
type Field struct {
	Name   string // path of the field as the caller wrote it, such as "email" or "items[2].quantity"
	Detail string // what is wrong and what would be right
}

// Error is an error of a known kind, fit to be shown to the caller: its text
// holds no secret and nothing of another tenant.
type Error struct {
	Kind   Kind
	Code   string  // stable machine word such as "group-name-taken"; empty = the kind alone
	Detail string  // one sentence for a person: what happened and what to do
	Fields []Field // which input fields are at fault; may be empty
	Err    error   // the cause, for logs only; may be nil
}

// Error returns the detail, the fields and the cause, for logs.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Detail)
	for _, f := range e.Fields {
		fmt.Fprintf(&b, "; %s: %s", f.Name, f.Detail)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the outermost [Error] in err's tree, Internal when
// there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Is reports whether err carries kind k.
func Is(err error, k Kind) bool { return err != nil && KindOf(err) == k }

// New returns an error of a kind with a stable code and a sentence for people.
func New(k Kind, code, format string, args ...any) *Error {
	return &Error{Kind: k, Code: code, Detail: fmt.Sprintf(format, args...)}
}

// Wrap is New with a cause.
func Wrap(err error, k Kind, code, format string, args ...any) *Error {
	e := New(k, code, format, args...)
	e.Err = err
	return e
}

// InvalidField returns an Invalid error about one input field.
func InvalidField(name, format string, args ...any) *Error {
	d := fmt.Sprintf(format, args...)
	return &Error{Kind: Invalid, Code: "invalid-field", Detail: "The request is not valid.", Fields: []Field{{Name: name, Detail: d}}}
}
