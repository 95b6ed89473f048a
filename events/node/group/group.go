package group

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"waybill/events/node/filter"
	"waybill/events/node/journal"
)

// Deps are what groups work with.
type Deps struct {
	Journal *journal.Journal
	Now     func() time.Time
	Log     *slog.Logger
	// NewEvent makes the events that park others.
	NewEvent func(eventType string, data, metadata []byte) journal.Event
	// Resolve reads the event that a link points at, nil when it is gone.
	Resolve func(ctx context.Context, link *journal.Record) (*journal.Record, error)
}

// Group is one group at work.
type Group struct {
	key    Key
	deps   *Deps
	filter *filter.Filter
	cancel context.CancelFunc
	ended  chan struct{}
	kick   chan struct{}
	tasks  sync.WaitGroup // parking

	mu        sync.Mutex
	settings  Settings
	consumers []*Consumer
	turn      int
	waiting   []*Message // retries first, then new ones in their order
	progress  progress
	stored    uint64 // the position that is stored
	storeBy   time.Time
	wake      time.Time // when something times out; zero = never
	replay    replay
	total     int64
	closing   bool
}

func newGroup(key Key, deps *Deps, s Settings, next uint64) (*Group, error) {
	f, err := s.filter()
	if err != nil {
		return nil, err
	}
	return &Group{
		key: key, deps: deps, settings: s, filter: f, progress: newProgress(next), stored: next,
		ended: make(chan struct{}), kick: make(chan struct{}, 1),
	}, nil
}

// start begins the group's work, which goes on until stop.
func (g *Group) start() {
	ctx, cancel := context.WithCancel(context.Background())
	g.cancel = cancel
	go g.run(ctx)
}

// stop drops the consumers, ends the work and stores how far it came.
func (g *Group) stop(reason error) {
	g.mu.Lock()
	g.closing = true
	for _, c := range g.consumers {
		c.drop(reason)
	}
	g.consumers = nil
	g.mu.Unlock()
	g.cancel()
	<-g.ended
	g.tasks.Wait()
}

func (g *Group) nudge() {
	select {
	case g.kick <- struct{}{}:
	default:
	}
}

// run moves events from the journal to the consumers.
func (g *Group) run(ctx context.Context) {
	defer close(g.ended)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for ctx.Err() == nil {
		_, changed := g.deps.Journal.Durable()
		busy, err := g.step(ctx)
		if err != nil && ctx.Err() == nil {
			g.deps.Log.Error("persistent subscription cannot go on for now", "stream", g.key.Stream, "group", g.key.Name, "error", err)
			g.wakeLater(time.Second)
		}
		if err := g.checkpoint(ctx, false); err != nil && ctx.Err() == nil {
			g.deps.Log.Error("persistent subscription cannot store its position", "stream", g.key.Stream, "group", g.key.Name, "error", err)
		}
		if !busy {
			changed = nil // nobody is there to get what comes
		}
		timer.Reset(g.untilWake())
		select {
		case <-changed:
		case <-g.kick:
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	final, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := g.checkpoint(final, true); err != nil {
		g.deps.Log.Warn("persistent subscription did not store its last position", "stream", g.key.Stream, "group", g.key.Name, "error", err)
	}
}

// step does what can be done now; busy tells that new events concern the group.
func (g *Group) step(ctx context.Context) (busy bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.expire()
	for len(g.consumers) > 0 {
		g.dispatch()
		if len(g.waiting) >= int(g.settings.HistoryBuffer) {
			break
		}
		again, err := g.fillReplay(ctx)
		if err != nil {
			return true, err
		}
		more, err := g.fill(ctx)
		if err != nil {
			return true, err
		}
		if !more && !again {
			g.dispatch()
			break
		}
	}
	return len(g.consumers) > 0 && len(g.waiting) < int(g.settings.HistoryBuffer), nil
}

// expire takes back what consumers held for too long.
func (g *Group) expire() {
	now := g.deps.Now()
	if g.wake.IsZero() || now.Before(g.wake) {
		return
	}
	g.wake = time.Time{}
	for _, c := range g.consumers {
		late := c.takeAll(func(m *Message) bool {
			if m.deadline.IsZero() {
				return false
			}
			if now.Before(m.deadline) {
				g.wakeAt(m.deadline)
				return false
			}
			return true
		})
		for _, m := range late {
			g.retry(m, "the consumer took too long")
		}
	}
}

func (g *Group) wakeAt(t time.Time) {
	if g.wake.IsZero() || t.Before(g.wake) {
		g.wake = t
	}
}

func (g *Group) wakeLater(d time.Duration) {
	g.mu.Lock()
	g.wakeAt(g.deps.Now().Add(d))
	g.mu.Unlock()
}

// untilWake is how long the group may sleep.
func (g *Group) untilWake() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	until := g.wake
	if !g.storeBy.IsZero() && (until.IsZero() || g.storeBy.Before(until)) {
		until = g.storeBy
	}
	if until.IsZero() {
		return time.Hour
	}
	return max(until.Sub(g.deps.Now()), time.Millisecond)
}
