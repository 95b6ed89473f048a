package access

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync/atomic"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/sync/semaphore"
	"golang.org/x/text/unicode/norm"

	"waybill/events/fault"
)

// Lengths of a password. There are no composition rules.
const (
	MinPassword      = 8    // characters
	MaxPasswordBytes = 1024 // bytes, so that hashing stays cheap to refuse
)

// Argon2id as OWASP recommends for servers: 19 MiB, 2 passes, 1 lane.
const (
	argonMemory  = 19 * 1024 // KiB
	argonPasses  = 2
	argonLanes   = 1
	argonSalt    = 16 // bytes
	argonKeySize = 32 // bytes
)

// Hashing bounds the memory and time that passwords may take, whoever asks.
type Hashing struct {
	// Parallel is how many hashes are computed at once, 19 MiB each. Defaults to
	// the number of processors.
	Parallel int
	// Waiting is how many more may queue; beyond it the answer is Unavailable.
	// Defaults to 64.
	Waiting int
}

func (h *Hashing) setDefaults() {
	if h.Parallel <= 0 {
		h.Parallel = runtime.GOMAXPROCS(0)
	}
	if h.Waiting <= 0 {
		h.Waiting = 64
	}
}

// hasher computes and checks Argon2id hashes, a bounded number at a time.
type hasher struct {
	random io.Reader
	queue  *semaphore.Weighted // those computing and those waiting
	work   *semaphore.Weighted // those computing
	done   atomic.Int64        // hashes computed
	dummy  string              // hash of nothing anybody knows; checked when there is no real one
}

func newHasher(cfg Hashing, random io.Reader) (*hasher, error) {
	h := &hasher{
		random: random,
		queue:  semaphore.NewWeighted(int64(cfg.Parallel + cfg.Waiting)),
		work:   semaphore.NewWeighted(int64(cfg.Parallel)),
	}
	unknown := make([]byte, argonKeySize)
	if _, err := io.ReadFull(random, unknown); err != nil {
		return nil, fmt.Errorf("randomness: %w", err)
	}
	var err error
	h.dummy, err = h.hash(context.Background(), string(unknown))
	return h, err
}

// enter takes a place in the queue and then a place to work.
func (h *hasher) enter(ctx context.Context) (leave func(), err error) {
	if !h.queue.TryAcquire(1) {
		return nil, fault.New(fault.Unavailable, "sign-in-busy", "Too many people are signing in at this moment. Try again.")
	}
	if err := h.work.Acquire(ctx, 1); err != nil {
		h.queue.Release(1)
		return nil, fault.Wrap(err, fault.Unavailable, "sign-in-busy", "Signing in took too long. Try again.")
	}
	return func() {
		h.work.Release(1)
		h.queue.Release(1)
	}, nil
}

// hash returns the encoded hash of a password (PHC string format).
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	leave, err := h.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	salt := make([]byte, argonSalt)
	if _, err := io.ReadFull(h.random, salt); err != nil {
		return "", fmt.Errorf("salt: %w", err)
	}
	h.done.Add(1)
	key := argon2.IDKey(passwordBytes(password), salt, argonPasses, argonMemory, argonLanes, argonKeySize)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonPasses, argonLanes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key)), nil
}

// matches reports whether the password has the encoded hash. With an empty hash
// it does the same work and says no, so that the time tells nothing.
func (h *hasher) matches(ctx context.Context, password, encoded string) (bool, error) {
	real := encoded != ""
	if !real {
		encoded = h.dummy
	}
	leave, err := h.enter(ctx)
	if err != nil {
		return false, err
	}
	defer leave()
	h.done.Add(1)
	ok, err := compare(password, encoded)
	return ok && real, err
}

func compare(password, encoded string) (bool, error) {
	p, err := parseHash(encoded)
	if err != nil {
		return false, err
	}
	key := argon2.IDKey(passwordBytes(password), p.salt, p.passes, p.memory, p.lanes, uint32(len(p.key)))
	return subtle.ConstantTimeCompare(key, p.key) == 1, nil
}

// passwordBytes makes the same characters the same bytes, whatever keyboard they
// were typed on.
func passwordBytes(password string) []byte { return norm.NFKC.Bytes([]byte(password)) }

// CheckPassword refuses, with kind Invalid, what may not become the password of
// the account of an e-mail: what is too short or too long, and what anybody would
// try first.
func CheckPassword(password, email string) error {
	switch {
	case !utf8.ValidString(password):
		return fault.InvalidField("password", "must be valid UTF-8")
	case utf8.RuneCountInString(password) < MinPassword:
		return fault.InvalidField("password", "must have at least %d characters", MinPassword)
	case len(password) > MaxPasswordBytes:
		return fault.InvalidField("password", "must have at most %d bytes", MaxPasswordBytes)
	case isCommon(password, email):
		return fault.InvalidField("password", "is one of those that are tried first: a common word or pattern, or made of the e-mail; choose another")
	}
	return nil
}

// errHash never tells what the stored text was.
var errHash = errors.New("stored password hash is not readable")
