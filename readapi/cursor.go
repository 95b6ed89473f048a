package readapi

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json"

	"waybill/aggregates/access"
	"waybill/aggregates/problem"
	"waybill/events/fault"
)

// cursors seals the place where a page ended. A cursor is opaque, cannot be
// made up, and opens only for the caller and the filters that it was made for.
type cursors struct{ aead cipher.AEAD }

func newCursors(key []byte) (*cursors, error) {
	if len(key) != 32 {
		return nil, fmt.Errorf("readapi: the cursor key has %d bytes, want 32", len(key))
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("readapi: cursor key: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("readapi: cursor key: %w", err)
	}
	return &cursors{aead}, nil
}

// binding is what a cursor is good for: this caller's view of this list.
func binding(c access.Caller, list string) []byte {
	b := make([]byte, 0, 64+len(list))
	b = append(b, c.Org[:]...)
	b = append(b, c.User[:]...)
	return append(b, list...)
}

// seal makes a cursor of a place.
func (s *cursors) seal(c access.Caller, list string, place []byte) string {
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, place, binding(c, list)))
}

// open reads a cursor's place.
func (s *cursors) open(c access.Caller, list, cursor string) ([]byte, error) {
	sealed, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(sealed) < s.aead.Overhead() {
		return nil, errCursor()
	}
	place, err := s.aead.Open(nil, nil, sealed, binding(c, list))
	if err != nil {
		return nil, errCursor()
	}
	return place, nil
}

// sealJSON and openJSON are for places with text in them.
func (s *cursors) sealJSON(c access.Caller, list string, place any) (string, error) {
	b, err := json.Marshal(place)
	if err != nil {
		return "", fmt.Errorf("seal cursor: %w", err)
	}
	return s.seal(c, list, b), nil
}

func (s *cursors) openJSON(c access.Caller, list, cursor string, place any) error {
	b, err := s.open(c, list, cursor)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, place); err != nil {
		return errCursor()
	}
	return nil
}

func errCursor() error {
	return &problem.HTTPError{Status: http.StatusBadRequest, Code: "cursor-not-valid",
		Detail: "This cursor does not belong to this list: it was made for another caller or other filters, or it was changed. Begin again without it.",
		Fields: []fault.Field{{Name: "cursor", Detail: "does not fit this caller and these filters"}}}
}
