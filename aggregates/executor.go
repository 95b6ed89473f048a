package aggregates

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"

	"waybill/events"
	"waybill/events/fault"
	"waybill/events/store"
)

// Config says what an executor works with.
type Config struct {
	Store *store.Store  // required
	Codec *events.Codec // required

	// Now is the clock for recorded_at. Defaults to time.Now.
	Now func() time.Time

	// CacheSize is how many recent states are kept. Defaults to 10,000.
	CacheSize int
}

// Executor loads, decides and appends. It is safe for concurrent use, also
// beside executors in other processes.
type Executor struct {
	store   *store.Store
	appends *appends
	codec   *events.Codec
	now     func() time.Time
	cache   *lru.Cache[string, any] // stream -> *entry[S]
}

// New returns an executor.
func New(cfg Config) (*Executor, error) {
	if cfg.Store == nil || cfg.Codec == nil {
		return nil, errors.New("aggregates: Config.Store and Config.Codec are required")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.CacheSize <= 0 {
		cfg.CacheSize = 10_000
	}
	cache, err := lru.New[string, any](cfg.CacheSize)
	if err != nil {
		return nil, fmt.Errorf("aggregates: cache of states: %w", err)
	}
	shared := &appends{store: cfg.Store, idle: idleCall}
	return &Executor{store: cfg.Store, appends: shared, codec: cfg.Codec, now: cfg.Now, cache: cache}, nil
}

// Now returns the time as events record it: UTC, whole microseconds.
func (x *Executor) Now() time.Time { return x.now().UTC().Truncate(time.Microsecond) }

// recordedAt returns when a command's events happen.
func (x *Executor) recordedAt(c Command) time.Time {
	if c.At.IsZero() {
		return x.Now()
	}
	return c.At.UTC().Truncate(time.Microsecond)
}

// A command is decided anew because somebody else was first, at least so often
// and at least so long, before it is refused. Commands of this process that lost
// a race queue up; on a stream that several processes keep busy it may take a
// while.
const (
	tries    = 32
	patience = 5 * time.Second
)

// Load returns an aggregate's state as it is now; the zero state for one that
// does not exist.
func Load[S any](ctx context.Context, x *Executor, kind Kind[S], org, id uuid.UUID) (S, error) {
	stream := events.Stream(kind.Category, org, id).String()
	e := lookup[S](x, stream)
	if err := e.refreshShared(ctx, x, kind, stream); err != nil {
		var none S
		return none, err
	}
	state, _ := e.snapshot()
	return state, nil
}

// Peek is Load for who looks at many aggregates once: what was not in the cache
// of recent states does not get there.
func Peek[S any](ctx context.Context, x *Executor, kind Kind[S], org, id uuid.UUID) (S, error) {
	stream := events.Stream(kind.Category, org, id).String()
	e := lookup[S](x, stream)
	if err := e.read(ctx, x, kind, stream); err != nil {
		var none S
		return none, err
	}
	state, _ := e.snapshot()
	return state, nil
}

// Execute lets decide choose events from the state of an aggregate and appends
// them, provided that nobody else came first; else it decides again on what the
// stream has become. A command id that is in the stream already answers what it
// did then, undecided. Nothing decided means that nothing had to change.
//
// decide may be called several times, possibly with a state that is behind; a
// refusal is returned only when it was decided on the stream's very end.
//
// Errors: those of decide; fault.Conflict when others keep coming first, or with
// [CodeRevisionMismatch] when the stream is not at cmd.Expected;
// fault.Unavailable, with an outcome that the same command settles.
func Execute[S any](ctx context.Context, x *Executor, kind Kind[S], id uuid.UUID, cmd Command,
	decide func(S) ([]events.Payload, error)) (Result, error) {
	return run(ctx, x, kind, id, cmd, decide, false)
}

// Done returns what a command did to an aggregate, if it did anything before.
func Done[S any](ctx context.Context, x *Executor, kind Kind[S], id uuid.UUID, cmd Command) (Result, bool, error) {
	stream := events.Stream(kind.Category, cmd.Org, id)
	e := lookup[S](x, stream.String())
	if err := e.refresh(ctx, x, kind, stream.String()); err != nil {
		return Result{}, false, err
	}
	d, ok := e.find(cmd.Actor, cmd.ID)
	if !ok {
		return Result{}, false, nil
	}
	return Result{stream, d.revision, d.position, d.events}, true, nil
}

// Create is Execute for a command that makes the aggregate, with an id derived
// from the command: it does not look first whether the stream exists.
func Create[S any](ctx context.Context, x *Executor, kind Kind[S], id uuid.UUID, cmd Command,
	decide func(S) ([]events.Payload, error)) (Result, error) {
	return run(ctx, x, kind, id, cmd, decide, true)
}

func run[S any](ctx context.Context, x *Executor, kind Kind[S], id uuid.UUID, cmd Command,
	decide func(S) ([]events.Payload, error), create bool) (Result, error) {
	c := call[S]{x: x, kind: kind, id: id, cmd: cmd, stream: events.Stream(kind.Category, cmd.Org, id), create: create}
	c.name = c.stream.String()
	e := lookup[S](x, c.name)
	fresh := false // the state was read up to the stream's end for this command
	if e.unread() && !create {
		if err := e.refresh(ctx, x, kind, c.name); err != nil {
			return Result{}, err
		}
		fresh = true
	}
	lost, queued, pause := false, false, time.Duration(0)
	started := time.Now()
	for try := 0; try < tries || time.Since(started) < patience; try++ {
		// Who lost a race lines up, and who comes while others are lined up does
		// so as well: so nobody is overtaken for ever by commands of this process.
		if !queued && (lost || e.busy()) {
			if err := e.queue(ctx); err != nil {
				return Result{}, err
			}
			defer func() { e.leave(pause) }()
			queued = true
		}
		state, seen := e.snapshot()
		payloads, res, decided, err := c.consider(e, state, seen, decide)
		if decided { // there is something to append
			begun := time.Now()
			res, err = c.append(ctx, e, state, seen, payloads)
			var moved *store.ConflictError
			if !errors.As(err, &moved) {
				pause = e.courtesy(time.Since(begun))
				return res, err
			}
			if lost = true; e.beyond(seen) {
				fresh = false
				continue // another command of this process was first; its state is here
			}
			e.meetRival()
		} else if fresh {
			return res, err
		}
		if err := e.refresh(ctx, x, kind, c.name); err != nil {
			return Result{}, err
		}
		fresh = true
	}
	return Result{}, fault.New(fault.Conflict, "stream-busy", "Others keep changing this at the same time; try again.")
}

// CodeRevisionMismatch is the code of the refusal of a command whose
// [Command.Expected] is not the stream's revision.
const CodeRevisionMismatch = "revision-mismatch"

// call is one command on its way.
type call[S any] struct {
	x      *Executor
	kind   Kind[S]
	id     uuid.UUID
	cmd    Command
	stream events.StreamID
	name   string
	create bool
}

// consider decides on a state. It reports whether there is something to append;
// if not, the answer is in res and err.
func (c *call[S]) consider(e *entry[S], state S, seen place, decide func(S) ([]events.Payload, error)) (
	payloads []events.Payload, res Result, decided bool, err error) {
	if d, ok := e.find(c.cmd.Actor, c.cmd.ID); ok {
		return nil, Result{c.stream, d.revision, d.position, d.events}, false, nil
	}
	payloads, err = decide(state)
	if !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Denied) {
		// Whoever may not know learns nothing by naming revisions.
		if moved := c.expected(seen); moved != nil {
			err = moved
		}
	}
	if err != nil || len(payloads) == 0 {
		return nil, Result{Stream: c.stream, Revision: uint64(max(seen.revision, 0)), Position: seen.position}, false, err
	}
	return payloads, Result{}, true, nil
}

// expected refuses a stream that is not where the command wants it to be.
func (c *call[S]) expected(seen place) error {
	if c.cmd.Expected == nil || seen.revision == events.Expected(*c.cmd.Expected) {
		return nil
	}
	return fault.New(fault.Conflict, CodeRevisionMismatch, "It was changed since you looked at it; look again, then decide.")
}

func (c *call[S]) append(ctx context.Context, e *entry[S], state S, seen place, payloads []events.Payload) (Result, error) {
	c.cmd.At = c.x.recordedAt(c.cmd) // one time for all
	drafts := make([]events.Draft, len(payloads))
	for i, p := range payloads {
		var groups []uuid.UUID
		if c.kind.Touches != nil {
			groups = c.kind.Touches(c.id, state, p)
		}
		drafts[i] = c.x.Draft(c.cmd, c.name, i, groups, p)
		state = c.kind.Evolve(state, p)
	}
	proposed, err := c.x.codec.Encode(ctx, drafts)
	if err != nil {
		return Result{}, fmt.Errorf("stream %s: %w", c.name, err)
	}
	position, err := c.x.appends.append(ctx, c.name, seen.revision, proposed)
	if err != nil {
		return Result{}, fmt.Errorf("command %s: %w", c.cmd.ID, err)
	}
	res := Result{c.stream, seen.revision.Next() + uint64(len(payloads)) - 1, position, len(payloads)}
	// The store also says yes to a repetition of a creation, whatever its content
	// is this time; what the stream holds is then found by reading it.
	if !c.create && e.advance(c.cmd, state, seen.revision, res) {
		c.x.cache.Add(c.name, e)
	}
	return res, nil
}
