// Package trail keeps the facts that strangers can drive: who signed in, who was
// refused, and which commands were refused to whom. They are for the audit, in
// streams that no aggregate ever loads, one per organisation and day; what
// concerns no organisation is under the zero one.
//
// It must never hold up or fail what it records: what comes faster than it can be
// written is dropped, counted, and told by one fact a minute for each actor. Each
// actor has a share, and organisations take turns, so that nobody's flood pushes
// out what others do.
package trail

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/prometheus/client_golang/prometheus"

	"waybill/aggregates"
	"waybill/events"
	"waybill/events/fault"
	"waybill/events/store"
)

// Config says what a recorder works with.
type Config struct {
	Executor *aggregates.Executor // required; makes the envelopes
	Store    *store.Store         // required
	Codec    *events.Codec        // required

	// Registry takes the metrics. Required.
	Registry prometheus.Registerer
	// Queue is how many facts may wait to be written. Defaults to 4096.
	Queue int
	// Burst is how many facts one actor of an organisation may cause at once, and
	// Every how long it takes until it may cause one more. Strangers of one
	// network count as one. Default to 200 and 500 ms.
	Burst int
	Every time.Duration
	// Tell is how often is recorded how many facts were dropped. Defaults to
	// 1 min.
	Tell time.Duration
	// Patience is how long writing pauses when the event store is away. Defaults
	// to 1 s.
	Patience time.Duration
	// Limit bounds one try to write, which is not broken off when the process ends,
	// and Rest how long what waits then is still tried. Default to 5 s and 3 s.
	Limit, Rest time.Duration
	// NewID makes the ids of facts. Defaults to random UUIDs.
	NewID func() uuid.UUID
	// Logger gets what could not be written. Defaults to discarding.
	Logger *slog.Logger
}

// Recorder writes facts. It is safe for concurrent use.
type Recorder struct {
	cfg       Config
	queue     *waiting
	shares    *shares
	recorded  prometheus.Counter
	dropped   *prometheus.CounterVec              // by reason
	revisions *lru.Cache[string, events.Expected] // of streams, as far as known
}

// fact is one that waits.
type fact struct {
	cmd     aggregates.Command
	payload events.Payload
	key     actorKey
}

// Reasons for which facts are dropped.
const (
	overShare  = "share" // of the actor
	overQueue  = "queue" // too many wait
	notWritten = "store" // the event store did not take it
)

// New returns a recorder. Nothing is written before [Recorder.Run].
func New(cfg Config) (*Recorder, error) {
	if cfg.Executor == nil || cfg.Store == nil || cfg.Codec == nil || cfg.Registry == nil {
		return nil, errors.New("trail: Config.Executor, Store, Codec and Registry are required")
	}
	if cfg.Queue <= 0 {
		cfg.Queue = 4096
	}
	if cfg.Burst <= 0 {
		cfg.Burst = 200
	}
	if cfg.Every <= 0 {
		cfg.Every = 500 * time.Millisecond
	}
	if cfg.Tell <= 0 {
		cfg.Tell = time.Minute
	}
	if cfg.Patience <= 0 {
		cfg.Patience = time.Second
	}
	if cfg.Limit <= 0 {
		cfg.Limit = 5 * time.Second
	}
	if cfg.Rest <= 0 {
		cfg.Rest = 3 * time.Second
	}
	if cfg.NewID == nil {
		cfg.NewID = uuid.New
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	revisions, err := lru.New[string, events.Expected](streamsKnown)
	if err != nil {
		return nil, err
	}
	shares, err := newShares(cfg.Burst, cfg.Every)
	if err != nil {
		return nil, err
	}
	r := &Recorder{
		cfg: cfg, queue: newWaiting(cfg.Queue), shares: shares, revisions: revisions,
		recorded: prometheus.NewCounter(prometheus.CounterOpts{Name: "waybill_trail_recorded_total", Help: "Sign-ins and refusals written for the audit."}),
		dropped: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "waybill_trail_dropped_total",
			Help: "Sign-ins and refusals that were not written for the audit: over their actor's share, too many waiting, or not taken by the event store."}, []string{"reason"}),
	}
	for _, reason := range [...]string{overShare, overQueue, notWritten} {
		r.dropped.WithLabelValues(reason)
	}
	for _, c := range []prometheus.Collector{r.recorded, r.dropped} {
		if err := cfg.Registry.Register(c); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// streamsKnown bounds the memory for streams' revisions; one that is forgotten
// costs a second try.
const streamsKnown = 1024

// Record takes a fact about an organisation (zero: about none) to be written
// soon. It does not wait: what is over the actor's share is dropped, and so is the
// last of whichever organisation has most waiting when too many are.
func (r *Recorder) Record(org uuid.UUID, who events.Actor, from events.Source, p events.Payload) {
	now := r.cfg.Executor.Now()
	key := keyOf(org, who, from)
	if !r.shares.take(key, who, now) {
		r.dropped.WithLabelValues(overShare).Inc()
		return
	}
	r.push(fact{aggregates.Command{ID: r.cfg.NewID(), Org: org, Actor: who, Source: from, At: now}, p, key})
}

func (r *Recorder) push(f fact) {
	lost, ok := r.queue.push(f)
	if ok {
		return
	}
	r.dropped.WithLabelValues(overQueue).Inc()
	r.shares.lose(lost.key, lost.cmd.Actor, f.cmd.At)
}

// tell records what was dropped since it was last told.
func (r *Recorder) tell() {
	now := r.cfg.Executor.Now()
	for _, l := range r.shares.losses() {
		r.push(fact{
			aggregates.Command{ID: r.cfg.NewID(), Org: l.org, Actor: l.who, At: now},
			&events.FactsDropped{Facts: l.facts, Since: l.since}, actorKey{l.org, l.who.String()},
		})
	}
}

// most is how many facts are taken at once.
const most = 100

// Run writes until ctx ends, and then what is waiting still, for a short time.
func (r *Recorder) Run(ctx context.Context) error {
	tick := time.NewTicker(r.cfg.Tell)
	defer tick.Stop()
	for {
		select {
		case <-r.queue.some:
			r.write(ctx, byStream(r.queue.pop(most)))
		case <-tick.C:
			r.tell()
		case <-ctx.Done():
			r.finish(context.WithoutCancel(ctx))
			return nil
		}
	}
}

func (r *Recorder) finish(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Rest)
	defer cancel()
	r.tell()
	for facts := r.queue.pop(most); len(facts) > 0; facts = r.queue.pop(most) {
		r.write(ctx, byStream(facts))
	}
}

func byStream(facts []fact) map[string][]fact {
	streams := map[string][]fact{}
	for _, f := range facts {
		name := streamOf(f.cmd).String()
		streams[name] = append(streams[name], f)
	}
	return streams
}

func streamOf(cmd aggregates.Command) events.StreamID {
	return events.StreamID{Category: events.CategoryTrail, Org: cmd.Org, ID: cmd.At.UTC().Format(time.DateOnly)}
}

func (r *Recorder) write(ctx context.Context, streams map[string][]fact) {
	for stream, facts := range streams {
		err := r.append(ctx, stream, facts)
		if err != nil {
			r.dropped.WithLabelValues(notWritten).Add(float64(len(facts)))
			r.cfg.Logger.WarnContext(ctx, "facts for the audit could not be written", "stream", stream, "facts", len(facts), "error", err)
			continue
		}
		r.recorded.Add(float64(len(facts)))
	}
}

// append writes facts to the end of their stream, wherever that is by now, for as
// long as it takes the event store to come back.
func (r *Recorder) append(ctx context.Context, stream string, facts []fact) error {
	drafts := make([]events.Draft, len(facts))
	for i, f := range facts {
		drafts[i] = r.cfg.Executor.Draft(f.cmd, stream, 0, nil, f.payload)
	}
	proposed, err := r.cfg.Codec.Encode(ctx, drafts)
	if err != nil {
		return err
	}
	at, known := r.revisions.Get(stream)
	if !known {
		at = events.NoStream
	}
	for {
		err := r.appendOnce(ctx, stream, at, proposed)
		var moved *store.ConflictError
		var unknown *store.UnknownOutcomeError
		switch {
		case err == nil:
			r.revisions.Add(stream, events.Expected(at.Next())+events.Expected(len(facts))-1)
			return nil
		case errors.As(err, &moved) && moved.Actual != at:
			at = moved.Actual
		case fault.Is(err, fault.Unavailable), errors.As(err, &unknown):
			// The same ids at the same revision: what was written is not written twice.
			if !r.pause(ctx) {
				return err
			}
		default:
			return err
		}
	}
}

func (r *Recorder) appendOnce(ctx context.Context, stream string, at events.Expected, proposed []events.Proposed) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.cfg.Limit)
	defer cancel()
	_, err := r.cfg.Store.Append(ctx, stream, at, proposed)
	return err
}

// pause waits before another try, and reports false when the time is up.
func (r *Recorder) pause(ctx context.Context) bool {
	t := time.NewTimer(r.cfg.Patience)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
