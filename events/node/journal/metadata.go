package journal

import (
	"math"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The types of the events that the journal itself understands.
const (
	TypeMetadata  = "$metadata"
	TypeTombstone = "$streamDeleted"
	TypeLink      = "$>"
)

// parseLimits reads a metadata document. What is absent, or is no number, limits nothing: the newest document replaces
// the one before as a whole, and a document that is no JSON object limits nothing at all, as on the servers.
func parseLimits(document []byte) Limits {
	var fields map[string]jsontext.Value
	if json.Unmarshal(document, &fields) != nil {
		return Limits{}
	}
	number := func(key string) int64 {
		var v int64
		if raw, ok := fields[key]; !ok || json.Unmarshal(raw, &v) != nil || v < 0 {
			return 0
		}
		return v
	}
	return Limits{MaxCount: number("$maxCount"), MaxAge: number("$maxAge"), TruncateBefore: number("$tb")}
}

// withTruncateBefore rewrites $tb of a metadata document and keeps its other keys as they are.
func withTruncateBefore(document []byte, revision int64) []byte {
	fields := map[string]jsontext.Value{}
	if json.Unmarshal(document, &fields) != nil || fields == nil {
		fields = map[string]jsontext.Value{}
	}
	number, err := json.Marshal(revision)
	if err != nil {
		return nil
	}
	fields["$tb"] = number
	out, err := json.Marshal(fields, json.Deterministic(true))
	if err != nil {
		return nil
	}
	return out
}

var softDeleteDocument = withTruncateBefore(nil, math.MaxInt64)
