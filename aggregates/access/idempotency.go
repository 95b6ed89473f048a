package access

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"waybill/events/fault"
)

// Times of requests that may be repeated.
const (
	// KeptAnswers is how long an answer is kept for repetitions.
	KeptAnswers = 24 * time.Hour
	// busyTime is how long an execution may take before another try is let
	// through; whatever executed it may have been killed.
	busyTime = 2 * time.Minute
)

// Repeatable is a request that its caller may repeat.
type Repeatable struct {
	ID     uuid.UUID // of the method, the path and the caller's key
	Hash   [sha256.Size]byte
	Caller Caller
}

// Answer is what a request was answered.
type Answer struct {
	Status int
	Header map[string]string
	Body   []byte
}

// Attempt is one execution of a [Repeatable].
type Attempt struct {
	actor   string
	request uuid.UUID
	id      uuid.UUID
}

// Begin lets one caller at a time execute a request: it returns the attempt to
// be finished or released, or the answer that was kept. An answer is not given
// to a caller who sees or may something else than when it was made; the request
// is then executed again, which the event log knows to be a repetition.
//
// Errors: Invalid with code idempotency-key-reused when the request is another
// one; Conflict with code idempotency-key-in-flight while it is executed.
func (s *Service) Begin(ctx context.Context, r Repeatable) (Attempt, *Answer, error) {
	id, err := uuid.NewRandomFromReader(s.cfg.Random)
	if err != nil {
		return Attempt{}, nil, fmt.Errorf("attempt id: %w", err)
	}
	at := Attempt{actor: r.Caller.Actor.String(), request: r.ID, id: id}
	for range 3 {
		answer, begun, err := s.begin(ctx, at, r)
		switch {
		case begun:
			return at, nil, nil
		case isNoRows(err): // it was purged a moment ago
		case err != nil:
			return Attempt{}, nil, err
		default:
			return Attempt{}, answer, nil
		}
	}
	return Attempt{}, nil, errInFlight()
}

func (s *Service) begin(ctx context.Context, at Attempt, r Repeatable) (*Answer, bool, error) {
	now := s.cfg.Now()
	sight := sightHash(r.Caller)
	const take = `
		INSERT INTO identity.idempotency AS i (actor, request_id, org_id, request_hash, sight_hash, attempt, busy_until, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (actor, request_id) DO UPDATE
		SET request_hash = excluded.request_hash, sight_hash = excluded.sight_hash, attempt = excluded.attempt, busy_until = excluded.busy_until,
		    status = NULL, headers = NULL, body = NULL, created_at = excluded.created_at, expires_at = excluded.expires_at
		WHERE i.expires_at <= $8
		   OR i.request_hash = excluded.request_hash
		      AND CASE WHEN i.status IS NULL THEN i.busy_until <= $8 ELSE i.sight_hash <> excluded.sight_hash END`
	tag, err := s.cfg.Pool.Exec(ctx, take, at.actor, at.request, r.Caller.Org, r.Hash[:], sight[:], at.id, now.Add(busyTime), now, now.Add(KeptAnswers))
	if err != nil {
		return nil, false, Storage(fmt.Errorf("begin request %s: %w", r.ID, err))
	}
	if tag.RowsAffected() == 1 {
		return nil, true, nil
	}
	const look = `SELECT request_hash = $3, coalesce(status, 0), coalesce(headers::text, '{}'), body FROM identity.idempotency WHERE actor = $1 AND request_id = $2`
	var same bool
	var headers []byte
	var answer Answer
	if err := s.cfg.Pool.QueryRow(ctx, look, at.actor, at.request, r.Hash[:]).Scan(&same, &answer.Status, &headers, &answer.Body); err != nil {
		return nil, false, Storage(fmt.Errorf("look at request %s: %w", r.ID, err))
	}
	switch {
	case !same:
		return nil, false, fault.New(fault.Invalid, "idempotency-key-reused", "This key came with another request before. Make a new key for a new request.")
	case answer.Status == 0:
		return nil, false, errInFlight()
	}
	if err := json.Unmarshal(headers, &answer.Header); err != nil {
		return nil, false, fmt.Errorf("answer to request %s: %w", r.ID, err)
	}
	return &answer, false, nil
}

func errInFlight() error {
	return fault.New(fault.Conflict, "idempotency-key-in-flight", "The request with this key is being executed. Repeat it in a moment for its answer.")
}

// Finish keeps the answer for repetitions. An attempt that was overtaken because
// it took too long keeps nothing.
func (s *Service) Finish(ctx context.Context, at Attempt, answer Answer) error {
	headers, err := json.Marshal(answer.Header)
	if err != nil {
		return fmt.Errorf("answer to request %s: %w", at.request, err)
	}
	const q = `
		UPDATE identity.idempotency SET status = $4, headers = $5, body = $6
		WHERE actor = $1 AND request_id = $2 AND attempt = $3`
	_, err = s.cfg.Pool.Exec(ctx, q, at.actor, at.request, at.id, answer.Status, string(headers), answer.Body)
	return wrapStorage(err, "keep the answer to request %s", at.request)
}

// Release lets the same request be tried again at once.
func (s *Service) Release(ctx context.Context, at Attempt) error {
	const q = `UPDATE identity.idempotency SET busy_until = $4 WHERE actor = $1 AND request_id = $2 AND attempt = $3 AND status IS NULL`
	_, err := s.cfg.Pool.Exec(ctx, q, at.actor, at.request, at.id, s.cfg.Now())
	return wrapStorage(err, "release request %s", at.request)
}

// sightHash is equal for callers who see and may the same.
func sightHash(c Caller) [sha256.Size]byte {
	groups := slices.Clone(c.Groups)
	slices.SortFunc(groups, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	b := binary.BigEndian.AppendUint32(nil, uint32(c.Permissions))
	b = fmt.Appendf(b, "%t %t %s", c.All, c.System, c.Role)
	for _, g := range groups {
		b = append(b, g[:]...)
	}
	return sha256.Sum256(b)
}
