package node

import (
	"math"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
)

// expectation is an expected revision as the calls carry it: a number, or one of three words. The calls have a type of
// their own for each; this is what they have in common.
type expectation struct {
	revision uint64
	word     int64 // journal.NoStream, Any, StreamExists; 0 = the number counts
	given    bool
}

func revision(r uint64) expectation { return expectation{revision: r, given: true} }

func word(w int64) expectation { return expectation{word: w, given: true} }

// parse names the stream and the revision it is expected at; call is the call's name, for errors.
func (e expectation) parse(call string, id *shared.StreamIdentifier) (stream string, expected int64, err error) {
	switch {
	case len(id.GetStreamName()) == 0:
		return "", 0, invalid("%s: no stream was named", call)
	case !e.given:
		return "", 0, invalid("%s: no expected revision was given", call)
	case e.word != 0:
		return string(id.GetStreamName()), e.word, nil
	case e.revision > math.MaxInt64:
		return "", 0, invalid("%s: expected revision %d is out of range", call, e.revision)
	}
	return string(id.GetStreamName()), int64(e.revision), nil
}
