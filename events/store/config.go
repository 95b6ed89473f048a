package store

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"
)

// Config says which store to talk to and how patient to be.
type Config struct {
	// URL is the connection string, such as "esdb://localhost:2113?tls=false",
	// "esdb://user:password@a:2113,b:2113,c:2113?tls=true&tlsCaFile=ca.pem" or
	// "esdb+discover://user:password@cluster.example:2113". Required.
	URL string

	// Logger gets outages and recoveries, never data or credentials.
	// Defaults to discarding.
	Logger *slog.Logger

	// Timeout bounds every call that is not a subscription, retries included; a
	// context that ends earlier wins. Defaults to 10 s.
	Timeout time.Duration

	// AttemptTimeout bounds one try within a call. A connection on which a try
	// got no answer for so long is replaced and the call tried again. The end of
	// a member of a group waits so long at most for its last word to be heard.
	// Defaults to a third of Timeout, at most 5 s.
	AttemptTimeout time.Duration

	// Silence is how long a subscription may hear nothing before it asks the
	// server whether there is something to hear, and reconnects when there is
	// or when nobody answers. Defaults to 20 s.
	Silence time.Duration

	// MinBackoff and MaxBackoff bound the pause between two tries; it doubles
	// from one to the other and is shortened at random by up to a half.
	// Default to 50 ms and 2 s.
	MinBackoff, MaxBackoff time.Duration

	// Rand returns a number in [0, 1) to spread retries; it must be safe for
	// concurrent use. Defaults to math/rand/v2.
	Rand func() float64
}

func (c Config) withDefaults() (Config, error) {
	if c.URL == "" {
		return c, errors.New("event store: Config.URL is required")
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Timeout <= 0 {
		c.Timeout = 10 * time.Second
	}
	if c.AttemptTimeout <= 0 {
		c.AttemptTimeout = min(c.Timeout/3, 5*time.Second)
	}
	if c.Silence <= 0 {
		c.Silence = 20 * time.Second
	}
	if c.MinBackoff <= 0 {
		c.MinBackoff = 50 * time.Millisecond
	}
	if c.MaxBackoff < c.MinBackoff {
		c.MaxBackoff = max(2*time.Second, c.MinBackoff)
	}
	if c.Rand == nil {
		c.Rand = rand.Float64
	}
	return c, nil
}
