package trail

import (
	"net/netip"
	"sync"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"

	"waybill/events"
)

// actorsKnown bounds the memory for shares; the actor that did nothing for the
// longest time is forgotten first.
const actorsKnown = 10_000

// shares bound how many facts one actor of an organisation may cause, and remember
// how many of its facts were lost, until that is told.
type shares struct {
	every rate.Limit
	burst int

	mu    sync.Mutex
	known *lru.LRU[actorKey, *share]
	gone  []loss // of actors that were forgotten; told with the next
}

type actorKey struct {
	org uuid.UUID
	who string
}

// share is that of one actor.
type share struct {
	who   events.Actor
	limit *rate.Limiter
	lost  int64
	since time.Time
}

// loss is how many facts of an actor were lost since when.
type loss struct {
	org   uuid.UUID
	who   events.Actor
	facts int64
	since time.Time
}

func newShares(burst int, every time.Duration) (*shares, error) {
	s := &shares{every: rate.Every(every), burst: burst}
	var err error
	s.known, err = lru.NewLRU(actorsKnown, func(k actorKey, one *share) {
		if one.lost > 0 && len(s.gone) < actorsKnown {
			s.gone = append(s.gone, loss{k.org, one.who, one.lost, one.since})
		}
	})
	return s, err
}

// keyOf names who is bounded together: an actor, or a network of strangers.
func keyOf(org uuid.UUID, who events.Actor, from events.Source) actorKey {
	if who.ID != "" {
		return actorKey{org, who.String()}
	}
	ip, err := netip.ParseAddr(from.IP)
	if err != nil {
		return actorKey{org, who.Type}
	}
	if ip = ip.Unmap().WithZone(""); ip.Is4() {
		return actorKey{org, who.Type + " " + ip.String()}
	}
	network, err := ip.Prefix(64)
	if err != nil {
		return actorKey{org, who.Type}
	}
	return actorKey{org, who.Type + " " + network.String()}
}

func (s *shares) of(k actorKey, who events.Actor) *share {
	one, ok := s.known.Get(k)
	if !ok {
		one = &share{who: who, limit: rate.NewLimiter(s.every, s.burst)}
		s.known.Add(k, one)
	}
	return one
}

// take reports whether an actor may cause one more fact, and counts it as lost
// when it may not.
func (s *shares) take(k actorKey, who events.Actor, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.of(k, who)
	if one.limit.AllowN(now, 1) {
		return true
	}
	one.lose(now)
	return false
}

// lose counts a fact that was let through and lost all the same.
func (s *shares) lose(k actorKey, who events.Actor, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of(k, who).lose(now)
}

func (o *share) lose(now time.Time) {
	if o.lost++; o.lost == 1 {
		o.since = now
	}
}

// losses returns what was lost since it was last asked.
func (s *shares) losses() []loss {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.gone
	s.gone = nil
	for _, k := range s.known.Keys() {
		if one, ok := s.known.Peek(k); ok && one.lost > 0 {
			all = append(all, loss{k.org, one.who, one.lost, one.since})
			one.lost = 0
		}
	}
	return all
}
