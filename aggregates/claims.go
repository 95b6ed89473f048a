package aggregates

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"waybill/events"
	"waybill/events/fault"
	"waybill/events/store"
)

// Key is something that only one holder may have in an organisation.
type Key struct {
	Kind  string   // such as events.KeyGroupName
	Parts []string // in their normal form
}

// Fate is what became of the holder of a claim.
type Fate int

// The fates of a holder.
const (
	Unborn    Fate = iota // it has not been created: it is about to be, or never will
	Abandoned             // it will never be created
	Holds                 // it exists and has the key
	Moved                 // it exists and has another key: it is about to change to this one or from it, or stopped half-way
)

// Judge finds out what became of the holder of a key, as of now.
type Judge func(ctx context.Context, org, holder uuid.UUID, key Key) (Fate, error)

// ClaimsConfig says what claims work with.
type ClaimsConfig struct {
	Executor *Executor // required

	// Secret makes the names of the claims' streams, so that they tell nothing
	// about the keys. All processes need the same, for ever. Required.
	Secret []byte

	// Judges know the holders, by kind of key. A kind without one cannot be
	// claimed.
	Judges map[string]Judge

	// Grace is how long somebody who claimed a key may take for the next step
	// before it counts as dead. It must be well above what an append takes.
	// Defaults to 5 s.
	Grace time.Duration
}

// Claims keep keys unique in an organisation, race-proof between processes: a
// key's stream can be created only once, and changed only by who knows its last
// revision. They are safe for concurrent use.
type Claims struct {
	cfg ClaimsConfig
	x   *Executor
}

// NewClaims returns claims.
func NewClaims(cfg ClaimsConfig) (*Claims, error) {
	if cfg.Executor == nil || len(cfg.Secret) < 16 {
		return nil, errors.New("claims: an executor and a secret of at least 16 bytes are required")
	}
	if cfg.Grace <= 0 {
		cfg.Grace = 5 * time.Second
	}
	cfg.Secret = slices.Clone(cfg.Secret)
	return &Claims{cfg: cfg, x: cfg.Executor}, nil
}

// Stream returns the stream of a key's claim.
func (c *Claims) Stream(org uuid.UUID, key Key) events.StreamID {
	mac := hmac.New(sha256.New, c.cfg.Secret)
	mac.Write([]byte(key.Kind))
	for _, p := range key.Parts {
		mac.Write([]byte{0})
		mac.Write([]byte(p))
	}
	return events.StreamID{Category: events.CategoryClaim, Org: org, ID: hex.EncodeToString(mac.Sum(nil))}
}

// Look returns who holds a key as of now.
func (c *Claims) Look(ctx context.Context, org uuid.UUID, key Key) (Claim, error) {
	return c.read(ctx, c.Stream(org, key).String())
}

func (c *Claims) read(ctx context.Context, stream string) (Claim, error) {
	claim := Claim{seen: events.NoStream}
	for {
		records, err := c.x.store.Read(ctx, stream, claim.seen.Next(), readPage)
		if fault.Is(err, fault.NotFound) && claim.seen == events.NoStream {
			return claim, nil
		}
		if err != nil {
			return claim, err
		}
		for _, r := range records {
			ev, err := c.x.codec.Decode(r)
			if err != nil {
				return claim, fmt.Errorf("claim: %w", err)
			}
			claim = claim.evolve(r, ev.Payload)
		}
		if len(records) < readPage {
			return claim, nil
		}
	}
}

// append writes to a claim's stream at the revision where it was seen.
func (c *Claims) append(ctx context.Context, cmd Command, stream string, seen events.Expected, payloads ...events.Payload) error {
	proposed, err := c.encode(ctx, cmd, stream, seen, payloads...)
	if err != nil {
		return err
	}
	_, err = c.x.appends.append(ctx, stream, seen, proposed)
	return err
}

func (c *Claims) encode(ctx context.Context, cmd Command, stream string, seen events.Expected, payloads ...events.Payload) ([]events.Proposed, error) {
	drafts := make([]events.Draft, len(payloads))
	for i, p := range payloads {
		// By the revision: one command may claim and release a key in turn.
		drafts[i] = c.x.Draft(cmd, stream, int(seen.Next())+i, nil, p)
	}
	return c.x.codec.Encode(ctx, drafts)
}

// Taken is the answer to a claim of a key that somebody has.
func Taken(kind string) error {
	switch kind {
	case events.KeyGroupName:
		return fault.New(fault.Conflict, "group-name-taken", "A group of that name exists already; choose another name.")
	case events.KeyCustomerCode:
		return fault.New(fault.Conflict, "customer-code-taken", "That customer code is mapped to another group already; unmap it first.")
	case events.KeyUserEmail:
		return fault.New(fault.Conflict, "email-taken", "A user with that e-mail exists in this organisation already.")
	case events.KeyDelivery:
		return fault.New(fault.Conflict, "do-number-taken", "A delivery of that type with that D.O. number and date exists in the group already.")
	default:
		return fault.New(fault.Conflict, "key-taken", "Somebody else has that already.")
	}
}

func isTaken(err error, kind string) bool {
	var f, taken *fault.Error
	return errors.As(err, &f) && errors.As(Taken(kind), &taken) && f.Code == taken.Code
}

// lost reports whether an append came too late.
func lost(err error) bool {
	var moved *store.ConflictError
	return errors.As(err, &moved)
}
