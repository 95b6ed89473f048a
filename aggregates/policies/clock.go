package policies

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/events"
	"waybill/events/fault"
)

// ClockCommands are what the clock issues; [command.Service] has them.
type ClockCommands interface {
	ExpireGrant(ctx context.Context, c access.Caller, env command.Envelope, user, grant uuid.UUID) (aggregates.Result, error)
	ExpireInvitation(ctx context.Context, c access.Caller, env command.Envelope, user, invitation uuid.UUID) (aggregates.Result, error)
	ExpireClientInvitation(ctx context.Context, c access.Caller, env command.Envelope, in command.ExpireClientInvitation) (aggregates.Result, error)
}

// Deadlines knows what ends by itself, from the events so far.
type Deadlines interface {
	// Due returns the deadlines that are due at a time, the earliest first and
	// at most so many, and when the next one after that time is; zero when there
	// is none.
	Due(ctx context.Context, at time.Time, most int) (due []events.Deadline, next time.Time, err error)
}

// ClockConfig says what a clock works with.
type ClockConfig struct {
	Commands  ClockCommands // required
	Deadlines Deadlines     // required

	// Now is the time. Defaults to time.Now.
	Now func() time.Time

	// After returns a channel that gets something after a while, and what gives
	// it up. Defaults to a timer.
	After func(time.Duration) (<-chan time.Time, func())

	// Longest bounds one sleep, for clocks that are set. Nothing is looked up
	// after it but the time. Defaults to 1 min.
	Longest time.Duration

	// Retry is the pause after an outage. Defaults to 1 s.
	Retry time.Duration

	// Most is how many deadlines are looked up at a time. Defaults to 1,000.
	Most int

	// Logger defaults to discarding.
	Logger *slog.Logger
}

// Clock ends what is to end by itself. It sleeps until the earliest deadline, is
// woken when there may be an earlier one, and issues a command for each: one whose
// id comes from the event that set the deadline, so that it happens once however
// often it is issued. The event that it makes takes the deadline away.
type Clock struct {
	cfg   ClockConfig
	wake  chan struct{}
	fired map[uuid.UUID]bool // commands issued, by event, whose deadlines are still there
}

// NewClock returns a clock.
func NewClock(cfg ClockConfig) (*Clock, error) {
	if cfg.Commands == nil || cfg.Deadlines == nil {
		return nil, errors.New("policies: ClockConfig.Commands and Deadlines are required")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.After == nil {
		cfg.After = func(d time.Duration) (<-chan time.Time, func()) {
			t := time.NewTimer(d)
			return t.C, func() { t.Stop() }
		}
	}
	if cfg.Longest <= 0 {
		cfg.Longest = time.Minute
	}
	if cfg.Retry <= 0 {
		cfg.Retry = time.Second
	}
	if cfg.Most <= 0 {
		cfg.Most = 1000
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Clock{cfg: cfg, wake: make(chan struct{}, 1), fired: map[uuid.UUID]bool{}}, nil
}

// Wake makes the clock look at the deadlines again. It does not block.
func (c *Clock) Wake() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Run ends what is due until ctx ends, which returns nil. Outages it waits out. It
// must not run twice at a time.
func (c *Clock) Run(ctx context.Context) error {
	for {
		next, err := c.strike(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			c.cfg.Logger.WarnContext(ctx, "deadlines cannot be kept at the moment, to be tried again", "error", err)
			next = c.cfg.Now().Add(c.cfg.Retry)
		}
		if !c.sleep(ctx, next) {
			return nil
		}
	}
}

// strike issues the commands of all that is due and returns when to look again;
// zero: when woken.
func (c *Clock) strike(ctx context.Context) (time.Time, error) {
	due, next, err := c.cfg.Deadlines.Due(ctx, c.cfg.Now(), c.cfg.Most)
	if err != nil {
		return next, err
	}
	there := make(map[uuid.UUID]bool, len(due))
	for _, d := range due {
		if !c.fired[d.Event] {
			if err := c.expire(ctx, d); err != nil {
				return next, fmt.Errorf("end %s %s: %w", d.Kind, d.Key, err)
			}
		}
		there[d.Event] = true
	}
	c.fired = there
	return next, nil
}

// expire issues the command of a deadline.
func (c *Clock) expire(ctx context.Context, d events.Deadline) error {
	caller := access.System(d.Org)
	env := command.Envelope{CommandID: uuid.NewSHA1(d.Event, []byte("expired")), CausationID: d.Event, At: c.cfg.Now()}
	var err error
	switch d.Kind {
	case events.DeadlineGrant:
		_, err = c.cfg.Commands.ExpireGrant(ctx, caller, env, d.Aggregate, d.Key)
	case events.DeadlineUserInvitation:
		_, err = c.cfg.Commands.ExpireInvitation(ctx, caller, env, d.Aggregate, d.Key)
	case events.DeadlineClientInvitation:
		_, err = c.cfg.Commands.ExpireClientInvitation(ctx, caller, env, command.ExpireClientInvitation{Client: d.Aggregate, Invitation: d.Key})
	default:
		c.cfg.Logger.WarnContext(ctx, "a deadline of an unknown kind", "kind", d.Kind, "key", d.Key)
	}
	var refused *fault.Error
	if errors.As(err, &refused) && (refused.Kind == fault.NotFound || refused.Kind == fault.Conflict && refused.Code != "stream-busy") {
		c.cfg.Logger.InfoContext(ctx, "there is nothing to end any more", "kind", d.Kind, "key", d.Key, "code", refused.Code)
		return nil
	}
	return err
}

// sleep waits until a time (zero: for ever) or until woken. It reports false when
// ctx ended.
func (c *Clock) sleep(ctx context.Context, until time.Time) bool {
	for {
		var bell <-chan time.Time
		stop := func() {}
		if !until.IsZero() {
			left := until.Sub(c.cfg.Now())
			if left <= 0 {
				return ctx.Err() == nil
			}
			bell, stop = c.cfg.After(min(left, c.cfg.Longest))
		}
		select {
		case <-bell:
			stop()
		case <-c.wake:
			stop()
			return true
		case <-ctx.Done():
			stop()
			return false
		}
	}
}
