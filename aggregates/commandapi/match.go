package commandapi

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"

	"waybill/aggregates"
	"waybill/aggregates/problem"
	"waybill/events/fault"
)

// matchHeader says at which revision the caller saw what it wants to change.
const matchHeader = "If-Match"

// matching reads If-Match: one strong ETag, which is a stream's revision. It
// returns nil for any revision, which a command that would be dangerous blindly
// does not take; "*" is no revision and as blind as none.
func matching(r *http.Request, required bool) (*uint64, error) {
	values := r.Header.Values(matchHeader)
	if len(values) == 0 || len(values) == 1 && strings.TrimSpace(values[0]) == "*" {
		if required {
			return nil, &problem.HTTPError{Status: http.StatusPreconditionRequired, Code: "if-match-required",
				Detail: "Send the ETag of what you saw as If-Match, so that nobody else's change is overwritten unseen."}
		}
		return nil, nil
	}
	text := strings.TrimSpace(values[0])
	inner, quoted := strings.CutPrefix(text, `"`)
	inner, closed := strings.CutSuffix(inner, `"`)
	revision, err := strconv.ParseUint(inner, 10, 64)
	if len(values) > 1 || !quoted || !closed || err != nil || revision > math.MaxInt64 || strconv.FormatUint(revision, 10) != inner {
		return nil, &problem.HTTPError{Status: http.StatusBadRequest, Code: "invalid-if-match",
			Detail: `The header If-Match must hold one ETag as it was given, such as "7" with its quotes.`}
	}
	return &revision, nil
}

// unmatched makes a revision that has moved on a failed precondition, which is
// the protocol's word for it.
func unmatched(err error) error {
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != aggregates.CodeRevisionMismatch {
		return err
	}
	return &problem.HTTPError{Status: http.StatusPreconditionFailed, Code: f.Code, Detail: f.Detail, Err: err}
}
