package events

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

// Key is one subject's AES-256 key. It never leaves the process but into the
// key ring.
type Key [32]byte

// String hides the key from logs.
func (Key) String() string { return "(key)" }

// GoString hides the key from %#v.
func (Key) GoString() string { return "(key)" }

// Keys is the key ring: one key per subject (a user, a client, a delivery), kept
// outside the log so that deleting a key erases what it sealed.
type Keys interface {
	// Ensure returns every subject's key, making the missing ones. New keys are
	// durable before it returns.
	Ensure(ctx context.Context, subjects []uuid.UUID) (map[uuid.UUID]Key, error)
	// Lookup returns the keys that exist; an absent one was erased.
	Lookup(ctx context.Context, subjects []uuid.UUID) (map[uuid.UUID]Key, error)
}

// Personal is one field of personal data: sealed in the log, readable only with
// its subject's key. The zero value is "not given" and stays unsealed.
type Personal struct {
	Subject uuid.UUID
	text    string
	sealed  []byte
	erased  bool
}

// PersonalText returns a field about subject; an empty text is "not given".
func PersonalText(subject uuid.UUID, text string) Personal {
	if text == "" {
		return Personal{}
	}
	return Personal{Subject: subject, text: text}
}

// Text returns the plain text; empty when it was not given, is still sealed, or
// is erased.
func (p Personal) Text() string { return p.text }

// Erased reports whether opening found that the key is gone.
func (p Personal) Erased() bool { return p.erased }

// IsZero reports whether the field was not given.
func (p Personal) IsZero() bool { return p.text == "" && p.sealed == nil }

// String never shows the text, so that no log does by accident.
func (p Personal) String() string { return "(personal)" }

// GoString is String for %#v.
func (p Personal) GoString() string { return "(personal)" }

type sealedField struct {
	Subject uuid.UUID `json:"subject"`
	Sealed  string    `json:"sealed"`
}

// MarshalJSONTo writes the sealed form. An unsealed text is an error: nothing
// personal is ever written in the clear.
func (p *Personal) MarshalJSONTo(e *jsontext.Encoder) error {
	if p.sealed == nil {
		return errors.New("personal data was not sealed before encoding")
	}
	return json.MarshalEncode(e, sealedField{Subject: p.Subject, Sealed: base64.RawStdEncoding.EncodeToString(p.sealed)})
}

// UnmarshalJSONFrom reads the sealed form.
func (p *Personal) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	var f sealedField
	if err := json.UnmarshalDecode(d, &f); err != nil {
		return err
	}
	raw, err := base64.RawStdEncoding.DecodeString(f.Sealed)
	if err != nil {
		return fmt.Errorf("sealed field: %w", err)
	}
	*p = Personal{Subject: f.Subject, sealed: raw}
	return nil
}

// seal encrypts the text with AES-256-GCM (NIST SP 800-38D): a random 12-byte
// nonce, then ciphertext and tag. The event's id and the field's index are the
// additional data, so a sealed field cannot be moved to another event.
func (p *Personal) seal(k Key, random io.Reader, event uuid.UUID, index int) error {
	aead, err := newGCM(k)
	if err != nil {
		return err
	}
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(p.text)+aead.Overhead())
	if _, err := io.ReadFull(random, nonce); err != nil {
		return fmt.Errorf("nonce: %w", err)
	}
	p.sealed = aead.Seal(nonce, nonce, []byte(p.text), fieldData(event, index))
	return nil
}

func (p *Personal) open(k Key, event uuid.UUID, index int) error {
	aead, err := newGCM(k)
	if err != nil {
		return err
	}
	if len(p.sealed) < aead.NonceSize() {
		return errors.New("sealed field is too short")
	}
	n := aead.NonceSize()
	plain, err := aead.Open(nil, p.sealed[:n], p.sealed[n:], fieldData(event, index))
	if err != nil {
		return errors.New("sealed field does not open with its subject's key")
	}
	p.text = string(plain)
	return nil
}

func newGCM(k Key) (cipher.AEAD, error) {
	block, err := aes.NewCipher(k[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func fieldData(event uuid.UUID, index int) []byte {
	return append(event[:16:16], byte(index))
}
