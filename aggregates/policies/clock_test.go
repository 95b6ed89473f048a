package policies_test

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/aggregates/policies"
	"waybill/events"
	"waybill/events/fault"
)

// watch is a time that stands still until it is set, and those who wait for it.
type watch struct {
	mu     sync.Mutex
	now    time.Time
	bells  []bell
	sleeps chan time.Duration // one for each sleep that has a bound
}

type bell struct {
	at   time.Time
	ring chan time.Time
}

func (w *watch) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *watch) After(d time.Duration) (<-chan time.Time, func()) {
	w.mu.Lock()
	b := bell{w.now.Add(d), make(chan time.Time, 1)}
	w.bells = append(w.bells, b)
	w.mu.Unlock()
	w.sleeps <- d
	return b.ring, func() {}
}

func (w *watch) set(at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = at
	w.bells = slices.DeleteFunc(w.bells, func(b bell) bool {
		if b.at.After(at) {
			return false
		}
		b.ring <- at
		return true
	})
}

// agenda is deadlines in memory.
type agenda struct {
	mu   sync.Mutex
	list []events.Deadline
	down error
}

func (a *agenda) Due(_ context.Context, at time.Time, most int) (due []events.Deadline, next time.Time, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	slices.SortFunc(a.list, func(x, y events.Deadline) int { return cmp.Or(x.DueAt.Compare(y.DueAt)) })
	for _, d := range a.list {
		switch {
		case d.DueAt.After(at) && next.IsZero():
			next = d.DueAt
		case !d.DueAt.After(at) && len(due) < most:
			due = append(due, d)
		}
	}
	return due, next, a.down
}

func (a *agenda) add(d events.Deadline) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.list = append(a.list, d)
}

func (a *agenda) fails(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.down = err
}

// heard tells of every command that a clock issues.
type heard struct {
	*command.Service
	issued chan uuid.UUID
}

func (h heard) ExpireGrant(ctx context.Context, c access.Caller, env command.Envelope, user, grant uuid.UUID) (aggregates.Result, error) {
	res, err := h.Service.ExpireGrant(ctx, c, env, user, grant)
	h.issued <- grant
	return res, err
}

// clockwork is a clock on an organisation with a user who has grants that end.
type clockwork struct {
	*bundle
	w      *watch
	a      *agenda
	issued chan uuid.UUID
	betty  uuid.UUID
}

func setupClock(t *testing.T) *clockwork {
	b := setup(t)
	c := &clockwork{bundle: b, w: &watch{now: time.Now().UTC().Truncate(time.Microsecond), sleeps: make(chan time.Duration, 100)}, a: &agenda{}, issued: make(chan uuid.UUID, 100)}
	made, err := b.s.AddUser(b.ctx, b.owner, command.Envelope{}, command.AddUser{Name: "Betty", Email: "betty@example.com", Role: access.RoleCSO, Access: "none"})
	b.must(err)
	c.betty = made.ID
	return c
}

// grant gives betty a group for a while.
func (c *clockwork) grant(name string, until time.Time) events.Deadline {
	c.Helper()
	g, err := c.s.CreateGroup(c.ctx, c.owner, command.Envelope{}, command.CreateGroup{Name: name})
	c.must(err)
	res, err := c.s.GrantGroupAccess(c.ctx, c.owner, command.Envelope{}, command.GrantGroupAccess{User: c.betty, Group: g.ID, ExpiresAt: until})
	c.must(err)
	records, err := c.store.Read(c.ctx, res.Stream.String(), res.Revision, 1)
	c.must(err)
	ev, err := c.codec.Decode(records[0])
	c.must(err)
	d := events.Deadline{Kind: events.DeadlineGrant, Key: ev.Payload.(*events.GroupAccessGranted).Grant, Org: c.owner.Org,
		Aggregate: c.betty, DueAt: until, Event: ev.Record.ID}
	c.a.add(d)
	return d
}

// start runs a clock until the test, or stop, ends it.
func (c *clockwork) start() (clock *policies.Clock, stop func()) {
	c.Helper()
	clock, err := policies.NewClock(policies.ClockConfig{Commands: heard{c.s, c.issued}, Deadlines: c.a, Now: c.w.Now, After: c.w.After, Longest: 10 * time.Hour})
	c.must(err)
	ctx, cancel := context.WithCancel(c.ctx)
	ended := make(chan error, 1)
	go func() { ended <- clock.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		c.must(<-ended)
	})
	c.Cleanup(stop)
	return clock, stop
}

func wait[T any](c *clockwork, what string, from <-chan T) T {
	c.Helper()
	select {
	case v := <-from:
		return v
	case <-c.ctx.Done():
		c.Fatalf("%s: not in time", what)
		panic("unreachable")
	}
}

func (c *clockwork) sleeps(want time.Duration) {
	c.Helper()
	if d := wait(c, "a sleep", c.w.sleeps); d != want {
		c.Errorf("it sleeps for %s, want %s", d, want)
	}
}

func (c *clockwork) expired() (expired []events.Event) {
	c.Helper()
	records, err := c.store.Read(c.ctx, events.Stream(events.CategoryUser, c.owner.Org, c.betty).String(), 0, 100)
	c.must(err)
	for _, r := range records {
		if r.Type != "GroupAccessExpired" {
			continue
		}
		ev, err := c.codec.Decode(r)
		c.must(err)
		expired = append(expired, ev)
	}
	return expired
}

func TestTheClockSleepsUntilTheEarliestDeadlineAndEndsItOnce(t *testing.T) {
	t.Parallel()
	c := setupClock(t)
	now := c.w.Now()
	first, second := c.grant("Apple", now.Add(time.Hour)), c.grant("Banana", now.Add(3*time.Hour))
	clock, stop := c.start()
	c.sleeps(time.Hour)
	c.w.set(first.DueAt)
	if got := wait(c, "a command", c.issued); got != first.Key {
		t.Errorf("it ended %s, want %s", got, first.Key)
	}
	c.sleeps(2 * time.Hour) // though the deadline is still there
	clock.Wake()            // nothing new
	c.sleeps(2 * time.Hour)
	earlier := c.grant("Orange", now.Add(2*time.Hour))
	clock.Wake()
	c.sleeps(time.Hour)
	stop()

	c.start() // another process: it does not know what was issued
	if got := wait(c, "a command", c.issued); got != first.Key {
		t.Errorf("it ended %s, want %s", got, first.Key)
	}
	c.sleeps(time.Hour)
	c.w.set(second.DueAt)
	for _, want := range []uuid.UUID{earlier.Key, second.Key} {
		if got := wait(c, "a command", c.issued); got != want {
			t.Errorf("it ended %s, want %s", got, want)
		}
	}
	var ended []uuid.UUID
	for i, ev := range c.expired() {
		ended = append(ended, ev.Payload.(*events.GroupAccessExpired).Grant)
		if i == 0 && (ev.Metadata.CausationID != first.Event || ev.Metadata.Actor.Type != events.ActorSystem || !ev.Metadata.RecordedAt.Equal(first.DueAt)) {
			t.Errorf("the end says %+v", ev.Metadata)
		}
	}
	if want := []uuid.UUID{first.Key, earlier.Key, second.Key}; !slices.Equal(ended, want) {
		t.Errorf("ended are %v, want %v", ended, want)
	}
}

func TestTheClockWaitsOutages(t *testing.T) {
	t.Parallel()
	c := setupClock(t)
	due := c.grant("Apple", c.w.Now().Add(time.Hour))
	c.w.set(due.DueAt)
	c.a.fails(fault.Wrap(errors.New("down"), fault.Unavailable, "", "down"))
	c.start()
	c.sleeps(time.Second)
	c.a.fails(nil)
	c.w.set(due.DueAt.Add(time.Second))
	wait(c, "a command", c.issued)
}

func TestTheClockPassesOverWhatHasEndedBefore(t *testing.T) {
	t.Parallel()
	c := setupClock(t)
	due := c.grant("Apple", c.w.Now().Add(time.Hour))
	_, err := c.s.EndGrant(c.ctx, access.System(c.owner.Org), command.Envelope{}, command.EndGrant{User: c.betty, Grant: due.Key})
	c.must(err)
	c.a.add(events.Deadline{Kind: events.DeadlineGrant, Key: uuid.New(), Org: c.owner.Org, Aggregate: uuid.New(), DueAt: due.DueAt, Event: uuid.New()}) // of nobody
	c.w.set(due.DueAt)
	c.start()
	wait(c, "a command", c.issued)
	wait(c, "a command", c.issued)
	if got := c.expired(); len(got) != 0 {
		t.Errorf("there are ends %v", got)
	}
}
