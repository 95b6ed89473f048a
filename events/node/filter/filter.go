// Package filter decides which events of the log a reader wants: by prefixes or by a regular expression, on the name of
// the stream or on the type of the event. It reads names only, never an event's data.
package filter

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
)

// Filter matches events. The zero value matches all of them.
type Filter struct {
	byType   bool
	prefixes [][]byte
	regex    *regexp.Regexp
}

// ErrEmpty means that a filter was asked for and names neither a prefix nor a regular expression.
var ErrEmpty = errors.New("filter names neither a prefix nor a regular expression")

// New makes a filter on event types (byType) or stream names. The regular expression, in RE2 syntax, may match anywhere
// in the name; given together with prefixes, the prefixes win, as on the servers.
func New(byType bool, prefixes []string, regex string) (*Filter, error) {
	f := &Filter{byType: byType}
	switch {
	case len(prefixes) > 0:
		for _, p := range prefixes {
			f.prefixes = append(f.prefixes, []byte(p))
		}
	case regex != "":
		re, err := regexp.Compile(regex)
		if err != nil {
			return nil, fmt.Errorf("filter: %w", err)
		}
		f.regex = re
	default:
		return nil, ErrEmpty
	}
	return f, nil
}

// Match tells whether an event of this stream and type is wanted. A nil filter wants all.
func (f *Filter) Match(stream, eventType []byte) bool {
	if f == nil {
		return true
	}
	name := stream
	if f.byType {
		name = eventType
	}
	if f.regex != nil {
		return f.regex.Match(name)
	}
	for _, p := range f.prefixes {
		if bytes.HasPrefix(name, p) {
			return true
		}
	}
	return len(f.prefixes) == 0
}
