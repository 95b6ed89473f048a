package events

import (
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

// Canonical returns the bytes of an event that a hash is taken of: the JSON
// Canonicalization Scheme (RFC 8785) of {stream, revision, id, type, metadata,
// data}, data as stored (sealed), the revision as a string. The position is not
// part of it, so a log moved to another server keeps its hashes.
func Canonical(r Record) ([]byte, error) {
	v, err := json.Marshal(struct {
		Stream   string         `json:"stream"`
		Revision uint64         `json:"revision,string"`
		ID       uuid.UUID      `json:"id"`
		Type     string         `json:"type"`
		Metadata jsontext.Value `json:"metadata"`
		Data     jsontext.Value `json:"data"`
	}{r.Stream, r.Revision, r.ID, r.Type, r.Metadata, r.Data})
	if err != nil {
		return nil, fmt.Errorf("canonical bytes of %s@%d: %w", r.Stream, r.Revision, err)
	}
	value := jsontext.Value(v)
	if err := value.Canonicalize(); err != nil {
		return nil, fmt.Errorf("canonical bytes of %s@%d: %w", r.Stream, r.Revision, err)
	}
	return value, nil
}
