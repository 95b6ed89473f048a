package access_test

import (
	"crypto/rand"
	"sync"
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/events"
)

func newRing(t testing.TB, b *bundle, size int) *access.KeyRing {
	t.Helper()
	r, err := access.NewKeyRing(access.KeyRingConfig{Pool: b.pools.Identity, CacheSize: size})
	must(t, err)
	return r
}

func TestASubjectHasOneKeyWhoeverAsksFirst(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	subjects := make([]uuid.UUID, 200)
	for i := range subjects {
		subjects[i] = uuid.New()
	}
	const n = 8
	answers := make([]map[uuid.UUID]events.Key, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			ring := newRing(t, b, 10) // a process of its own, with a cache that is too small
			mine := append([]uuid.UUID(nil), subjects[i*10:]...)
			mine = append(mine, subjects[:i*10]...)
			var err error
			if answers[i], err = ring.Ensure(t.Context(), append(mine, mine[0])); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i, keys := range answers {
		if len(keys) != len(subjects) {
			t.Fatalf("ring %d gave %d keys, want %d", i, len(keys), len(subjects))
		}
		for s, k := range keys {
			if k != answers[0][s] || k == (events.Key{}) {
				t.Fatalf("subject %s has two keys, or an empty one", s)
			}
		}
	}
}

func TestAnErasedKeyIsAbsent(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	ring := newRing(t, b, 0)
	known, erased, never := uuid.New(), uuid.New(), uuid.New()
	_, err := ring.Ensure(t.Context(), []uuid.UUID{known, erased})
	must(t, err)
	_, err = b.pools.Identity.Exec(t.Context(), `DELETE FROM identity.subject_keys WHERE subject = $1`, erased)
	must(t, err)
	ring.Forget(erased)
	for name, r := range map[string]*access.KeyRing{"with a cache": ring, "afresh": newRing(t, b, 0)} {
		keys, err := r.Lookup(t.Context(), []uuid.UUID{known, erased, never})
		if err != nil || len(keys) != 1 || keys[known] == (events.Key{}) {
			t.Errorf("%s: %d keys, %v; want the one that is left", name, len(keys), err)
		}
	}
}

func TestASecretIsMadeOnce(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	const n = 8
	got := make(chan string, n)
	for range n {
		go func() {
			s, err := access.Secret(t.Context(), b.pools.Identity, rand.Reader, access.SecretClaims)
			if err != nil {
				got <- err.Error()
				return
			}
			got <- string(s)
		}()
	}
	first := <-got
	for range n - 1 {
		if next := <-got; next != first {
			t.Error("two callers got two secrets of one name")
		}
	}
	other, err := access.Secret(t.Context(), b.pools.Identity, rand.Reader, "other")
	if err != nil || len(first) != 32 || string(other) == first {
		t.Errorf("a secret has 32 bytes and another name another secret: %v", err)
	}
}

func BenchmarkEnsureKeys(b *testing.B) {
	bundle := newBundle(b)
	ring := newRing(b, bundle, 1<<16)
	subjects := make([]uuid.UUID, 500)
	for b.Loop() {
		for i := range subjects {
			subjects[i] = uuid.New()
		}
		if _, err := ring.Ensure(b.Context(), subjects); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(subjects))/b.Elapsed().Seconds(), "keys/s")
}
