package access

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
)

// tokenSize is the size of a token in bytes before encoding: as hard to guess as
// an AES-256 key.
const tokenSize = 32

// Token is a bearer secret: it is shown once to whom it is for, and only its
// hash is kept. Printing it shows nothing.
type Token struct{ text string }

// Reveal returns the token as its bearer sends it: base64url without padding.
func (t Token) Reveal() string { return t.text }

// String hides the token from logs.
func (Token) String() string { return "(token)" }

// GoString hides the token from %#v.
func (Token) GoString() string { return "(token)" }

func newToken(random io.Reader) (Token, []byte, error) {
	raw := make([]byte, tokenSize)
	if _, err := io.ReadFull(random, raw); err != nil {
		return Token{}, nil, fmt.Errorf("make token: %w", err)
	}
	return Token{text: base64.RawURLEncoding.EncodeToString(raw)}, hashToken(raw), nil
}

// tokenHash returns the stored hash of what a bearer sent, false when it cannot
// be a token.
func tokenHash(text string) ([]byte, bool) {
	if base64.RawURLEncoding.DecodedLen(len(text)) != tokenSize {
		return nil, false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, false
	}
	return hashToken(raw), true
}

// hashToken is a plain hash: a random token of 256 bits needs no slow one.
func hashToken(raw []byte) []byte {
	h := sha256.Sum256(raw)
	return h[:]
}
