package access

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"

	"github.com/google/uuid"

	"waybill/events"
)

// secretStrangers names the secret behind the ids of people who are not known. It
// must never change: the same person would look like two.
const secretStrangers = "strangers"

// Unproven returns the identity behind an e-mail that somebody merely gives, zero
// when it is not known, and what the log calls that person: the identity, or where
// there is none an opaque id, which is the same for the same e-mail and tells it to
// nobody without the installation's secret. Nobody becomes known by it. Errors:
// Invalid.
func (s *Service) Unproven(ctx context.Context, email string) (identity uuid.UUID, called events.Actor, err error) {
	called.Type = events.ActorIdentity
	if email, err = NormaliseEmail(email); err != nil {
		return identity, called, err
	}
	if identity, err = s.IdentityOf(ctx, email); err != nil {
		return identity, called, err
	}
	// Also for who is known, so that the time it takes does not tell.
	secret, err := Secret(ctx, s.cfg.Pool, s.cfg.Random, secretStrangers)
	if err != nil {
		return identity, called, err
	}
	called.ID = strangerID(secret, email).String()
	if identity != uuid.Nil {
		called.ID = identity.String()
	}
	return identity, called, nil
}

// strangerID is a UUID of version 8 (RFC 9562), so that it is none of an identity.
func strangerID(secret []byte, email string) (id uuid.UUID) {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(email))
	copy(id[:], mac.Sum(nil))
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80
	return id
}
