package access

import (
	"fmt"
	"net/netip"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// Limits bound how often somebody may try to sign in or to use a one-time link.
// Only tries that fail count. They are kept per process, in memory.
type Limits struct {
	// PerIP is how many failed tries an address (of IPv6, a /64 network) has at
	// once, PerEmail how many an e-mail has, known or not. Default to 100 and 10.
	PerIP, PerEmail int
	// IPEvery and EmailEvery are how long it takes until one more is allowed.
	// Default to 1 s and 30 s.
	IPEvery, EmailEvery time.Duration
	// Remembered is how many addresses and how many e-mails are remembered; the
	// one that tried longest ago is forgotten first. Defaults to 65536, some
	// 20 MiB when full.
	Remembered int
}

func (l *Limits) setDefaults() {
	if l.PerIP <= 0 {
		l.PerIP = 100
	}
	if l.PerEmail <= 0 {
		l.PerEmail = 10
	}
	if l.IPEvery <= 0 {
		l.IPEvery = time.Second
	}
	if l.EmailEvery <= 0 {
		l.EmailEvery = 30 * time.Second
	}
	if l.Remembered <= 0 {
		l.Remembered = 1 << 16
	}
}

// Kinds of tries. Each has its own limits: who cannot guess a password any more
// may still use the link that sets another one.
const (
	TrySignIn = "sign-in"
	TryToken  = "one-time token"
	TryReset  = "password reset" // asking for a link; each counts, since none fails
)

// Try is one try that was let through.
type Try struct {
	at    time.Time
	taken []*rate.Reservation
}

// Succeeded gives back what the try took.
func (t Try) Succeeded() {
	for _, r := range t.taken {
		r.CancelAt(t.at)
	}
}

// Attempt lets a try through, or returns how long it has to wait. It looks at
// nothing but how often it was asked, so the answer tells nothing about accounts.
// An address that is none and an e-mail that is none are not limited by
// themselves.
func (s *Service) Attempt(kind, ip, email string) (Try, time.Duration) {
	t := Try{at: s.cfg.Now()}
	var wait time.Duration
	take := func(l *limiters, key string) {
		r := l.of(kind+" "+key).ReserveN(t.at, 1)
		wait = max(wait, r.DelayFrom(t.at))
		t.taken = append(t.taken, r)
	}
	if network, ok := networkOf(ip); ok {
		take(s.byIP, network)
	}
	if e, err := NormaliseEmail(email); err == nil && wait == 0 {
		take(s.byEmail, e)
	}
	if wait > 0 {
		t.Succeeded() // it was not tried at all
		return Try{}, wait
	}
	return t, 0
}

// networkOf returns what is limited together: an IPv4 address, or the IPv6
// network that one customer of a provider has.
func networkOf(ip string) (string, bool) {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return "", false
	}
	if addr = addr.Unmap().WithZone(""); addr.Is4() {
		return addr.String(), true
	}
	network, err := addr.Prefix(64)
	return network.String(), err == nil
}

// limiters are a bounded number of limiters, by key.
type limiters struct {
	mu    sync.Mutex
	cache *lru.Cache[string, *rate.Limiter]
	every rate.Limit
	burst int
}

func newLimiters(remembered, burst int, every time.Duration) (*limiters, error) {
	cache, err := lru.New[string, *rate.Limiter](remembered)
	if err != nil {
		return nil, fmt.Errorf("limits: %w", err)
	}
	return &limiters{cache: cache, every: rate.Every(every), burst: burst}, nil
}

func (l *limiters) of(key string) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	one, ok := l.cache.Get(key)
	if !ok {
		one = rate.NewLimiter(l.every, l.burst)
		l.cache.Add(key, one)
	}
	return one
}
