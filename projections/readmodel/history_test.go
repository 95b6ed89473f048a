package readmodel_test

import (
	"context"
	"encoding/binary"
	"sync"
	"time"

	"github.com/google/uuid"

	"waybill/events"
)

// ring is a key ring in memory. It implements events.Keys.
type ring struct {
	mu     sync.Mutex
	keys   map[uuid.UUID]events.Key
	erased map[uuid.UUID]bool
	down   error
}

func newRing() *ring {
	return &ring{keys: map[uuid.UUID]events.Key{}, erased: map[uuid.UUID]bool{}}
}

func (r *ring) Ensure(_ context.Context, subjects []uuid.UUID) (map[uuid.UUID]events.Key, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[uuid.UUID]events.Key{}
	for _, s := range subjects {
		if _, ok := r.keys[s]; !ok {
			var k events.Key
			copy(k[:], s[:])
			r.keys[s] = k
		}
		out[s] = r.keys[s]
	}
	return out, nil
}

func (r *ring) Lookup(_ context.Context, subjects []uuid.UUID) (map[uuid.UUID]events.Key, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down != nil {
		return nil, r.down
	}
	out := map[uuid.UUID]events.Key{}
	for _, s := range subjects {
		if k, ok := r.keys[s]; ok && !r.erased[s] {
			out[s] = k
		}
	}
	return out, nil
}

// fail makes every Lookup fail with err until it is called with nil.
func (r *ring) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = err
}

func (r *ring) erase(subject uuid.UUID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.erased[subject] = true
}

// history writes a log: streams with revisions, and positions with gaps.
type history struct {
	ring      *ring
	codec     *events.Codec
	records   []events.Record
	revisions map[string]uint64
	position  uint64
}

func newHistory() *history {
	r := newRing()
	codec, err := events.NewCodec(r)
	if err != nil {
		panic(err)
	}
	return &history{ring: r, codec: codec, revisions: map[string]uint64{}}
}

// happens appends one event to a stream and returns its position.
func (h *history) happens(category string, org, id uuid.UUID, p events.Payload, with ...func(*events.Metadata)) events.Position {
	stream := events.Stream(category, org, id).String()
	m := events.Metadata{
		Org: org, Actor: events.Actor{Type: events.ActorUser, ID: number(7).String()},
		CommandID: number(1), CorrelationID: number(1), CausationID: number(1),
		RecordedAt: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC).Add(time.Duration(len(h.records)) * time.Minute),
	}
	for _, f := range with {
		f(&m)
	}
	proposed, err := h.codec.Encode(context.Background(), []events.Draft{{ID: number(100_000 + len(h.records)), Metadata: m, Payload: p}})
	if err != nil {
		panic(err)
	}
	h.position += 100
	at := events.Position{Commit: h.position, Prepare: h.position}
	h.records = append(h.records, events.Record{
		Stream: stream, Revision: h.revisions[stream], ID: proposed[0].ID, Type: proposed[0].Type,
		Position: at, Created: m.RecordedAt, Metadata: proposed[0].Metadata, Data: proposed[0].Data,
	})
	h.revisions[stream]++
	return at
}

// number makes an id that reads well in failures.
func number(n int) uuid.UUID {
	var u uuid.UUID
	binary.BigEndian.PutUint64(u[8:], uint64(n))
	return u
}
