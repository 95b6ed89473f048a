package consume

import (
	"context"
	"errors"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"waybill/events"
)

// feeder is the subscriber that a consumer's Router listens to: it cuts the log
// into runs, hands out one at a time, and commits each while the next is being
// folded.
type feeder struct {
	cfg     *Config
	metrics *meters
	out     chan *message.Message
	stop    context.CancelFunc
	ended   chan struct{}
	err     error           // set before ended is closed
	state   State           // what the Log was told last, or says
	at      events.Position // what was committed when it was looked at last
}

func newFeeder(cfg *Config, m *meters) *feeder {
	return &feeder{cfg: cfg, metrics: m, out: make(chan *message.Message), ended: make(chan struct{})}
}

// Subscribe starts the feeding. It is called once, by the Router.
func (f *feeder) Subscribe(ctx context.Context, _ string) (<-chan *message.Message, error) {
	ctx, f.stop = context.WithCancel(ctx)
	go func() {
		defer close(f.ended)
		defer close(f.out)
		f.err = f.feed(ctx)
	}()
	return f.out, nil
}

// Close stops the feeding and waits for the commit under way.
func (f *feeder) Close() error {
	f.stop()
	<-f.ended
	return nil
}

// wait returns how the feeding ended.
func (f *feeder) wait() error {
	<-f.ended
	return f.err
}

// feed keeps a session going until ctx ends or another owner shows up.
func (f *feeder) feed(ctx context.Context) error {
	defer f.stop()
	for tries := 1; ; tries++ {
		moved, err := f.session(ctx)
		switch {
		case errors.Is(err, ErrFenced):
			return err
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, ErrPaused):
			if !f.rest(ctx) {
				return nil
			}
			tries = 0
			continue
		case moved:
			tries = 1
		}
		if tries > f.cfg.Retries && !isOutage(err) {
			f.setState(ctx, Failed, err.Error(), f.at)
		}
		f.metrics.restarts.Inc()
		f.cfg.Logger.Warn("consumer interrupted, starting again from its checkpoint", "try", tries, "err", err)
		if !f.cfg.backoff().Wait(ctx, tries) {
			return nil
		}
	}
}

// session consumes from the committed checkpoint until something fails. It
// reports whether anything was committed.
func (f *feeder) session(ctx context.Context) (moved bool, err error) {
	progress, err := f.cfg.Log.Load(ctx)
	if err != nil {
		return false, err
	}
	f.at = progress.Position
	f.metrics.position.Set(float64(progress.Position.Commit))
	switch progress.State {
	case Paused:
		return false, ErrPaused
	case Failed, Rebuilding:
		f.state = progress.State // until the session has shown that it is over
	default:
		f.works(ctx, len(progress.Parked))
	}
	s := newSession(ctx, f, progress)
	defer s.close()
	err = s.consume()
	if broken := s.settle(); broken != nil {
		err = broken
	}
	return s.moved, err
}

// rest waits until an operator lets the consumer go on, and reports whether they
// did before ctx ended.
func (f *feeder) rest(ctx context.Context) bool {
	f.state = Paused
	f.cfg.Logger.Warn("consumer paused by an operator", "position", f.at.String())
	tick := time.NewTicker(f.cfg.Look)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
		if progress, err := f.cfg.Log.Load(ctx); err == nil && progress.State != Paused {
			return true
		}
	}
}

// works records that the consumer does, with so many streams set aside.
func (f *feeder) works(ctx context.Context, parked int) {
	state, reason := Running, ""
	if parked > 0 {
		state, reason = Parked, plural(parked, "stream has", "streams have")+" parked events"
	}
	f.setState(ctx, state, reason, f.at)
}

func (f *feeder) setState(ctx context.Context, state State, reason string, at events.Position) {
	if state == f.state && state != Parked {
		return
	}
	if err := f.cfg.Log.SetState(ctx, state, reason, at); err != nil {
		if ctx.Err() != nil {
			return // told to stop while starting
		}
		f.cfg.Logger.Warn("the consumer's state could not be recorded", "state", string(state), "err", err)
		return
	}
	f.state = state
}
