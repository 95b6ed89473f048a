package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"waybill/cmd/waybill/remote"
	"waybill/cmd/waybill/verb"
	"waybill/events/fault"
	"waybill/events/node"
	"waybill/projections/postgres"
)

// Exit codes, as the README tells them.
const (
	exitOK          = 0
	exitFailed      = 1   // something unexpected
	exitUsage       = 2   // flags or arguments
	exitInput       = 3   // the file, or what a flag asks for, cannot be taken
	exitUnavailable = 4   // a port, a directory, Postgres or the event store is in use or out of reach
	exitRejected    = 5   // import only: it is done, and some rows were not taken
	exitInterrupted = 130 // stopped by a signal before it was done
)

// usageError is an error in the command line.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() + "; see waybill --help" }
func (e *usageError) Unwrap() error { return e.err }

// misused is what kong could not read, with where to look it up.
func misused(all verbs, err error) error {
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context != nil {
		if node := parse.Context.Selected(); node != nil {
			if words := typed(node); len(all.of(strings.Fields(words)[0])) > 0 {
				return &verb.UsageError{Verb: words, Text: err.Error() + "; see waybill " + words + " --help"}
			}
		}
	}
	return &usageError{err}
}

// errRejected says that an import is done but did not take every row. The report
// has told it all.
var errRejected = errors.New("some rows were not taken")

// fail writes an error as one line and returns its exit code.
func (m *Main) fail(err error) int {
	code := exitCode(err)
	if code != exitRejected {
		fmt.Fprintf(m.Stderr, "waybill: %s\n", oneLine(err))
	}
	return code
}

func exitCode(err error) int {
	var usage *usageError
	var inUse *postgres.InUseError
	var version *postgres.VersionError
	var unreachable *postgres.UnreachableError
	var refused *serverError
	var typed *verb.UsageError
	var asked *remote.UsageError
	var silent *remote.UnreachableError
	var broken *remote.BrokenError
	var interrupted *remote.InterruptedError
	switch {
	case errors.As(err, &refused):
		return refused.code
	case errors.As(err, &usage), errors.As(err, &typed), errors.As(err, &asked):
		return exitUsage
	case errors.As(err, &interrupted):
		return exitInterrupted
	case errors.As(err, &silent), errors.As(err, &broken):
		return exitUnavailable
	case errors.Is(err, errRejected):
		return exitRejected
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.Is(err, syscall.EADDRINUSE), errors.Is(err, node.ErrInUse), errors.Is(err, node.ErrVersion),
		errors.Is(err, postgres.ErrPortInUse), errors.Is(err, postgres.ErrNoBinaries),
		errors.As(err, &inUse), errors.As(err, &version), errors.As(err, &unreachable):
		return exitUnavailable
	}
	switch fault.KindOf(err) {
	case fault.Invalid, fault.NotFound, fault.Conflict, fault.Denied:
		return exitInput
	case fault.Unavailable:
		return exitUnavailable
	}
	return exitFailed
}

// oneLine makes one line of an error, whatever its parts hold.
func oneLine(err error) string {
	var asked *remote.InterruptedError
	if errors.Is(err, context.Canceled) && !errors.As(err, &asked) {
		return "interrupted before it was done; the same command goes on where it stopped"
	}
	return strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}
