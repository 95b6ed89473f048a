package consume

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"waybill/events"
	"waybill/events/backoff"
	"waybill/events/store"
)

// Config describes one consumer.
type Config struct {
	// Name identifies the consumer in logs, metrics and errors. Required.
	Name string

	// Prefixes are the stream prefixes to follow, such as "Delivery-".
	// Required; see [events.AggregatePrefixes].
	Prefixes []string

	// Store is where the events come from. Required.
	Store *store.Store

	// Log is where progress lives. Required.
	Log Log

	// Handler folds a run into run.Unit. It is called for one run at a time,
	// possibly several times for the same events, and must take nothing for
	// done before its unit is committed. An error that is [Permanent], of kind
	// fault.Invalid, or a panic parks the event it is about (found by splitting
	// the run); an outage (fault.Unavailable, network and connection errors) is
	// waited out; any other error of a single event is retried Retries times and
	// then parks it, provided that Log can be loaded at that moment. An error of a
	// commit that is no outage is tried Retries times, and then for ever, while the
	// consumer is said to have failed. Required.
	Handler func(ctx context.Context, run *Run) error

	// MaxRun is the greatest number of events in a run. A run is whatever is
	// there, without waiting for more. Defaults to 500.
	MaxRun int

	// Retries is how often an error that is neither permanent nor an outage is
	// tried again before its event is parked. Defaults to 8; -1 means never.
	Retries int

	// MinBackoff and MaxBackoff bound the pause between two tries, of a handler
	// or of a commit. Default to 100 ms and 10 s.
	MinBackoff, MaxBackoff time.Duration

	// Progress is how often, at most, the checkpoint is moved when there are
	// only events of other consumers. Defaults to 5 s.
	Progress time.Duration

	// Look is how often a consumer that has nothing to do, or is paused, looks
	// whether an operator has paused it, let it go on, or set it back to rebuild
	// something. Defaults to 5 s.
	Look time.Duration

	// Rand returns a number in [0, 1) to spread retries. Defaults to math/rand/v2.
	Rand func() float64

	// Committed, when set, is called after each commit with the new checkpoint,
	// one call at a time, in order. It must not block.
	Committed func(events.Position)

	// Logger defaults to discarding.
	Logger *slog.Logger

	// Registry gets the consumer's metrics; nil for none. Consumers may share
	// one: the name is a label.
	Registry prometheus.Registerer
}

func (c Config) withDefaults() (Config, error) {
	switch {
	case c.Name == "":
		return c, errors.New("consumer: Config.Name is required")
	case len(c.Prefixes) == 0:
		return c, fmt.Errorf("consumer %s: Config.Prefixes is required", c.Name)
	case c.Store == nil:
		return c, fmt.Errorf("consumer %s: Config.Store is required", c.Name)
	case c.Log == nil:
		return c, fmt.Errorf("consumer %s: Config.Log is required", c.Name)
	case c.Handler == nil:
		return c, fmt.Errorf("consumer %s: Config.Handler is required", c.Name)
	}
	if c.MaxRun <= 0 {
		c.MaxRun = 500
	}
	switch {
	case c.Retries == 0:
		c.Retries = 8
	case c.Retries < 0:
		c.Retries = 0
	}
	if c.MinBackoff <= 0 {
		c.MinBackoff = 100 * time.Millisecond
	}
	if c.MaxBackoff < c.MinBackoff {
		c.MaxBackoff = max(10*time.Second, c.MinBackoff)
	}
	if c.Progress <= 0 {
		c.Progress = 5 * time.Second
	}
	if c.Look <= 0 {
		c.Look = 5 * time.Second
	}
	if c.Rand == nil {
		c.Rand = rand.Float64
	}
	if c.Committed == nil {
		c.Committed = func(events.Position) {}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	c.Logger = c.Logger.With("consumer", c.Name)
	return c, nil
}

func (c *Config) backoff() backoff.Backoff {
	return backoff.Backoff{Min: c.MinBackoff, Max: c.MaxBackoff, Rand: c.Rand}
}

// Consumer feeds a handler from the log. Make one with [New].
type Consumer struct {
	cfg     Config
	metrics *meters
}

// New checks the configuration and registers the consumer's metrics.
func New(cfg Config) (*Consumer, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	m, err := newMeters(cfg.Registry, cfg.Name)
	if err != nil {
		return nil, fmt.Errorf("consumer %s: %w", cfg.Name, err)
	}
	return &Consumer{cfg: cfg, metrics: m}, nil
}

// Run consumes until ctx ends, which returns nil once the commit under way is
// finished, or until somebody else owns the progress, which returns
// [ErrFenced]. Everything else it waits out, also a pause. Run may be called again after it
// has returned, but not twice at a time.
func (c *Consumer) Run(ctx context.Context) error {
	f := newFeeder(&c.cfg, c.metrics)
	router, err := c.router(f)
	if err != nil {
		return fmt.Errorf("consumer %s: %w", c.cfg.Name, err)
	}
	if err := router.Run(ctx); err != nil {
		f.setState(context.WithoutCancel(ctx), Failed, err.Error(), f.at)
		return fmt.Errorf("consumer %s: %w", c.cfg.Name, err)
	}
	if err := f.wait(); err != nil {
		return fmt.Errorf("consumer %s: %w", c.cfg.Name, err)
	}
	return nil
}
