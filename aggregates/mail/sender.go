package mail

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	netmail "net/mail"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/events"
	"waybill/events/store"
)

// Access is what the sender needs of access.Service.
type Access interface {
	Ensure(ctx context.Context, email string) (uuid.UUID, error)
	Contact(ctx context.Context, identity uuid.UUID) (email string, password bool, err error)
	IssueToken(ctx context.Context, t access.Ticket) (access.Token, time.Time, error)
}

// Config says what a sender works with.
type Config struct {
	Pool      *pgxpool.Pool        // connects as waybill_identity; required
	Store     *store.Store         // required
	Codec     *events.Codec        // required
	Executor  *aggregates.Executor // required
	Access    Access               // required
	Transport Transport            // required
	From      netmail.Address      // required

	// PublicURL is where people reach the server, the base of links. Required.
	PublicURL string

	// Parallel is how many mails are sent at a time. Defaults to 4.
	Parallel int
	// Attempts is how often one mail is tried before it has failed. Defaults to
	// 10, which takes some three hours.
	Attempts int
	// MinRetry and MaxRetry bound the pause between two tries of a mail. Default
	// to 30 s and 1 h.
	MinRetry, MaxRetry time.Duration
	// MinPause and MaxPause bound the pause when no mail can be sent. Default to
	// 1 s and 5 min.
	MinPause, MaxPause time.Duration
	// Grace is how long a mail under way may take when the process ends. Defaults
	// to 5 s.
	Grace time.Duration

	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
	// Rand returns a number in [0, 1) to spread tries. Defaults to math/rand/v2.
	Rand func() float64
	// Registry gets the metrics; nil for none.
	Registry prometheus.Registerer
	// Logger defaults to discarding.
	Logger *slog.Logger
}

func (c *Config) setDefaults() error {
	if c.Pool == nil || c.Store == nil || c.Codec == nil || c.Executor == nil || c.Access == nil || c.Transport == nil || c.From.Address == "" || c.PublicURL == "" {
		return errors.New("mail: Config.Pool, Store, Codec, Executor, Access, Transport, From and PublicURL are required")
	}
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&c.MinRetry, 30 * time.Second}, {&c.MaxRetry, time.Hour}, {&c.MinPause, time.Second}, {&c.MaxPause, 5 * time.Minute}, {&c.Grace, 5 * time.Second},
	} {
		if *d.value <= 0 {
			*d.value = d.standard
		}
	}
	if c.Parallel <= 0 {
		c.Parallel = 4
	}
	if c.Attempts <= 0 {
		c.Attempts = 10
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Float64
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return nil
}

// Sender sends what is in the outbox. One may run at a time.
type Sender struct {
	cfg     Config
	outbox  Outbox
	wording *wording
	metrics *meters
	wake    chan struct{}
}

// NewSender returns a sender. Nothing is sent before [Sender.Run].
func NewSender(cfg Config) (*Sender, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	s := &Sender{cfg: cfg, outbox: Outbox{Pool: cfg.Pool, Now: cfg.Now}, wake: make(chan struct{}, 1)}
	var err error
	if s.wording, err = newWording(); err != nil {
		return nil, err
	}
	if s.metrics, err = newMeters(cfg.Registry); err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	return s, nil
}

// Wake makes the sender look at the outbox again. It does not block.
func (s *Sender) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run sends until ctx ends, which returns nil. Outages it waits out.
func (s *Sender) Run(ctx context.Context) error {
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return s.listen(ctx) })
	work.Go(func() error { return s.send(ctx) })
	return work.Wait()
}

func (s *Sender) send(ctx context.Context) error {
	recovered, failures := false, 0
	for {
		next, err := s.round(ctx, &recovered)
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			failures = 0
			if !s.sleep(ctx, next, s.wake) {
				return nil
			}
			continue
		}
		pause := s.spread(s.cfg.MinPause, s.cfg.MaxPause, failures)
		failures++
		s.metrics.outages.Inc()
		s.cfg.Logger.WarnContext(ctx, "no mail can be sent at the moment, to be tried again", "error", err, "again_in", pause)
		if !s.sleep(ctx, s.cfg.Now().Add(pause), nil) { // a commit does not make the server come back
			return nil
		}
	}
}

// page is how many mails are looked up at a time.
const page = 64

// round sends all that is due, and returns when to look again; zero: when woken.
func (s *Sender) round(ctx context.Context, recovered *bool) (time.Time, error) {
	if !*recovered {
		n, err := s.outbox.recover(ctx)
		if err != nil {
			return time.Time{}, err
		}
		if *recovered = true; n > 0 {
			s.cfg.Logger.WarnContext(ctx, "mails that a process was sending when it ended are sent again", "mails", n)
		}
	}
	for {
		n, err := s.outbox.expire(ctx)
		if err != nil {
			return time.Time{}, err
		}
		s.metrics.count("", StateDropped, n)
		due, next, err := s.outbox.due(ctx, page)
		if err != nil {
			return time.Time{}, err
		}
		if err := s.metrics.look(ctx, s.cfg.Pool); err != nil {
			return time.Time{}, err
		}
		if len(due) == 0 {
			return next, nil
		}
		work, working := errgroup.WithContext(ctx)
		work.SetLimit(s.cfg.Parallel)
		for _, e := range due {
			if working.Err() != nil {
				break
			}
			work.Go(func() error { return s.one(ctx, e) })
		}
		if err := work.Wait(); err != nil || ctx.Err() != nil {
			return time.Time{}, err
		}
	}
}

// spread is the pause after a number of failures: it doubles, and is spread, so
// that not everybody comes back at once.
func (s *Sender) spread(least, most time.Duration, failures int) time.Duration {
	d := most
	if failures < 30 && least<<failures < most {
		d = least << failures
	}
	return d/2 + time.Duration(s.cfg.Rand()*float64(d/2))
}

// sleep waits until a time (zero: for ever) or until woken. It reports false when
// ctx ended.
func (s *Sender) sleep(ctx context.Context, until time.Time, wake <-chan struct{}) bool {
	var bell <-chan time.Time
	if !until.IsZero() {
		t := time.NewTimer(max(0, until.Sub(s.cfg.Now())))
		defer t.Stop()
		bell = t.C
	}
	select {
	case <-bell:
	case <-wake:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}
