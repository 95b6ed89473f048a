package consume

import (
	"context"
	"errors"

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
	err     error // set before ended is closed
	state   State // what the Log was told last
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
		case moved:
			tries = 1
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
	s := newSession(ctx, f, progress)
	defer s.close()
	f.tell(ctx, progress)
	err = s.consume()
	if broken := s.settle(); broken != nil {
		err = broken
	}
	return s.moved, err
}

// tell records what the consumer is doing, when that has changed.
func (f *feeder) tell(ctx context.Context, progress Checkpoint) {
	state, reason := Running, ""
	if n := len(progress.Parked); n > 0 {
		state, reason = Parked, plural(n, "stream has", "streams have")+" parked events"
	}
	f.metrics.position.Set(float64(progress.Position.Commit))
	f.setState(ctx, state, reason, progress.Position)
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
