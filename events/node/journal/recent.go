package journal

// recent remembers the ids of recent events, for the best-effort idempotency of appends that name no revision. Two
// generations bound it: when the young one is full it becomes the old one, and the old one is dropped.
type recent struct {
	young, old map[recentKey]indexAt
}

type recentKey struct {
	stream uint64
	id     [16]byte
}

type indexAt struct {
	revision int64
	position uint64
}

const recentGeneration = 1 << 16

func newRecent() *recent { return &recent{young: make(map[recentKey]indexAt)} }

func (r *recent) add(stream uint64, id [16]byte, at indexAt) {
	if len(r.young) >= recentGeneration {
		r.old, r.young = r.young, make(map[recentKey]indexAt, recentGeneration)
	}
	r.young[recentKey{stream, id}] = at
}

func (r *recent) find(stream uint64, id [16]byte) (indexAt, bool) {
	at, ok := r.young[recentKey{stream, id}]
	if !ok {
		at, ok = r.old[recentKey{stream, id}]
	}
	return at, ok
}
