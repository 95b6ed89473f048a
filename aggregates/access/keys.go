package access

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"waybill/events"
)

// KeyRingConfig says what a [KeyRing] works with.
type KeyRingConfig struct {
	// Pool connects as the role waybill_identity. Required.
	Pool *pgxpool.Pool
	// CacheSize is how many keys are kept in memory. Defaults to 65536, about
	// 8 MiB.
	CacheSize int
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
	// Random makes the keys. Defaults to crypto/rand.
	Random io.Reader
}

// KeyRing is [events.Keys] on the table identity.subject_keys. It is safe for
// concurrent use by many processes: whoever comes first makes a subject's key.
type KeyRing struct {
	cfg   KeyRingConfig
	cache *lru.Cache[uuid.UUID, events.Key]
}

var _ events.Keys = (*KeyRing)(nil)

// NewKeyRing returns a key ring. It does not connect yet.
func NewKeyRing(cfg KeyRingConfig) (*KeyRing, error) {
	if cfg.Pool == nil {
		return nil, errors.New("key ring: no connection pool")
	}
	if cfg.CacheSize <= 0 {
		cfg.CacheSize = 1 << 16
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	cache, err := lru.New[uuid.UUID, events.Key](cfg.CacheSize)
	if err != nil {
		return nil, fmt.Errorf("key ring: %w", err)
	}
	return &KeyRing{cfg: cfg, cache: cache}, nil
}

// Ensure implements [events.Keys].
func (r *KeyRing) Ensure(ctx context.Context, subjects []uuid.UUID) (map[uuid.UUID]events.Key, error) {
	keys, missing := r.cached(subjects)
	if len(missing) == 0 {
		return keys, nil
	}
	made, err := r.insert(ctx, missing)
	if err != nil {
		return nil, err
	}
	r.remember(keys, made)
	// What was not inserted is there already: somebody else's, to be read.
	missing = slices.DeleteFunc(missing, func(s uuid.UUID) bool { _, ok := made[s]; return ok })
	if len(missing) == 0 {
		return keys, nil
	}
	read, err := r.read(ctx, missing)
	if err != nil {
		return nil, err
	}
	r.remember(keys, read)
	return keys, nil
}

// Lookup implements [events.Keys].
func (r *KeyRing) Lookup(ctx context.Context, subjects []uuid.UUID) (map[uuid.UUID]events.Key, error) {
	keys, missing := r.cached(subjects)
	if len(missing) == 0 {
		return keys, nil
	}
	read, err := r.read(ctx, missing)
	if err != nil {
		return nil, err
	}
	r.remember(keys, read)
	return keys, nil
}

// Forget drops subjects from memory; what is erased in the table stays readable
// here until it is forgotten.
func (r *KeyRing) Forget(subjects ...uuid.UUID) {
	for _, s := range subjects {
		r.cache.Remove(s)
	}
}

func (r *KeyRing) cached(subjects []uuid.UUID) (keys map[uuid.UUID]events.Key, missing []uuid.UUID) {
	keys = make(map[uuid.UUID]events.Key, len(subjects))
	for _, s := range subjects {
		if k, ok := r.cache.Get(s); ok {
			keys[s] = k
		} else {
			missing = append(missing, s)
		}
	}
	return keys, missing
}

func (r *KeyRing) remember(keys, found map[uuid.UUID]events.Key) {
	for s, k := range found {
		r.cache.Add(s, k)
		keys[s] = k
	}
}

// insert makes keys for the subjects that have none and returns those.
func (r *KeyRing) insert(ctx context.Context, subjects []uuid.UUID) (map[uuid.UUID]events.Key, error) {
	// One order for everybody, or two importers wait for each other in a circle.
	slices.SortFunc(subjects, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	subjects = slices.Compact(subjects)
	fresh := make([][]byte, len(subjects))
	all := make([]byte, len(subjects)*len(events.Key{}))
	if _, err := io.ReadFull(r.cfg.Random, all); err != nil {
		return nil, fmt.Errorf("make keys: %w", err)
	}
	for i := range fresh {
		fresh[i] = all[i*32 : (i+1)*32 : (i+1)*32]
	}
	const q = `
		INSERT INTO identity.subject_keys (subject, key, created_at)
		SELECT s, k, $3 FROM unnest($1::uuid[], $2::bytea[]) AS t(s, k)
		ON CONFLICT (subject) DO NOTHING
		RETURNING subject, key`
	return r.query(ctx, "make keys", q, subjects, fresh, r.cfg.Now())
}

func (r *KeyRing) read(ctx context.Context, subjects []uuid.UUID) (map[uuid.UUID]events.Key, error) {
	return r.query(ctx, "read keys", `SELECT subject, key FROM identity.subject_keys WHERE subject = ANY($1::uuid[])`, subjects)
}

func (r *KeyRing) query(ctx context.Context, what, sql string, args ...any) (map[uuid.UUID]events.Key, error) {
	rows, err := r.cfg.Pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, Storage(fmt.Errorf("%s: %w", what, err))
	}
	found := map[uuid.UUID]events.Key{}
	var subject uuid.UUID
	var key pgtype.DriverBytes // valid until the next row
	_, err = pgx.ForEachRow(rows, []any{&subject, &key}, func() error {
		if len(key) != len(events.Key{}) {
			return fmt.Errorf("key of subject %s has %d bytes, want %d", subject, len(key), len(events.Key{}))
		}
		found[subject] = events.Key(key)
		return nil
	})
	if err != nil {
		return nil, Storage(fmt.Errorf("%s: %w", what, err))
	}
	return found, nil
}
