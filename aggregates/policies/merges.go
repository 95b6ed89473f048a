package policies

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/events"
	"waybill/events/consume"
	"waybill/events/fault"
)

// MergesName is the name of [Merges] as a consumer. It is one of its own, for a
// large group takes its time to move, and other reactions do not wait for it.
const MergesName = "merges"

// MergesPrefixes are the stream prefixes that [Merges] follows.
func MergesPrefixes() []string { return []string{events.CategoryGroup + "-"} }

// MergeCommands are what merges issue; [command.Service] has them.
type MergeCommands interface {
	MoveMerged(ctx context.Context, c access.Caller, env command.Envelope, in command.MoveMerged) (aggregates.Result, error)
	MoveMergedCodes(ctx context.Context, c access.Caller, env command.Envelope, from uuid.UUID) error
}

// Tagged knows what is tagged with a group.
type Tagged interface {
	// Wait returns when everything up to a position is known, or with an error.
	Wait(ctx context.Context, p events.Position) error

	// Tagged returns deliveries of a group, at most so many, and from where to go
	// on: empty at the end, and to begin with.
	Tagged(ctx context.Context, org, group uuid.UUID, from string, most int) ([]uuid.UUID, string, error)
}

// MergesConfig says what merges work with.
type MergesConfig struct {
	Commands MergeCommands // required
	Codec    *events.Codec // required
	Tagged   Tagged        // required

	// Page is how many deliveries are looked up at a time. Defaults to 500.
	Page int

	// Parallel is how many deliveries move at a time. Defaults to 8.
	Parallel int

	// Patience is how old a merge must be before the last look for deliveries
	// that were put into the group while it was being merged. Defaults to 2 s.
	Patience time.Duration

	// Now is the clock, to be compared with the store's. Defaults to time.Now.
	Now func() time.Time

	// Logger defaults to discarding.
	Logger *slog.Logger
}

// Merges moves the deliveries of merged groups. It holds one page of them at a
// time; stopped at any instant, it goes on with those that have not moved.
type Merges struct{ cfg MergesConfig }

// NewMerges returns the policy.
func NewMerges(cfg MergesConfig) (*Merges, error) {
	if cfg.Commands == nil || cfg.Codec == nil || cfg.Tagged == nil {
		return nil, errors.New("policies: MergesConfig.Commands, Codec and Tagged are required")
	}
	if cfg.Page <= 0 {
		cfg.Page = 500
	}
	if cfg.Parallel <= 0 {
		cfg.Parallel = 8
	}
	if cfg.Patience <= 0 {
		cfg.Patience = 2 * time.Second
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Merges{cfg}, nil
}

// Handle moves what the merges of a run entail. It is a
// [consume.Config.Handler] and folds nothing into the run's unit.
func (m *Merges) Handle(ctx context.Context, run *consume.Run) error {
	for _, r := range run.Records {
		if r.Type != "GroupMerged" {
			continue
		}
		ev, err := m.cfg.Codec.Decode(r)
		if err != nil {
			return consume.Permanent(err)
		}
		if err := m.merge(ctx, ev); err != nil {
			return fmt.Errorf("move what was in the group of %s@%d: %w", r.Stream, r.Revision, err)
		}
	}
	return nil
}

func (m *Merges) merge(ctx context.Context, ev events.Event) error {
	caller, from := access.System(ev.Metadata.Org), ev.Stream.UUID()
	if err := settled(m.cfg.Logger, ev.Record, m.cfg.Commands.MoveMergedCodes(ctx, caller, because(ev, "move codes"), from)); err != nil {
		return err
	}
	at := ev.Record.Position
	for last := false; ; {
		if err := m.cfg.Tagged.Wait(ctx, at); err != nil {
			return err
		}
		moved, err := m.sweep(ctx, caller, ev, from)
		if err != nil {
			return err
		}
		switch {
		case moved.After(at):
			at = moved // and look again
		case last:
			return nil
		default:
			if err := pause(ctx, m.cfg.Patience-m.cfg.Now().Sub(ev.Record.Created), m.cfg.Patience); err != nil {
				return err
			}
			last = true
		}
	}
}

// sweep moves every delivery that is listed in the group, and returns the
// position of the last move; zero when none moved.
func (m *Merges) sweep(ctx context.Context, caller access.Caller, ev events.Event, from uuid.UUID) (events.Position, error) {
	var last events.Position
	for next := ""; ; {
		var page []uuid.UUID
		var err error
		if page, next, err = m.cfg.Tagged.Tagged(ctx, caller.Org, from, next, m.cfg.Page); err != nil {
			return last, err
		}
		moved, err := m.move(ctx, caller, ev, from, page)
		if err != nil {
			return last, err
		}
		if moved.After(last) {
			last = moved
		}
		if next == "" {
			return last, nil
		}
	}
}

func (m *Merges) move(ctx context.Context, caller access.Caller, ev events.Event, from uuid.UUID, page []uuid.UUID) (events.Position, error) {
	var last atomic.Pointer[events.Position]
	last.Store(&events.Position{})
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(m.cfg.Parallel)
	for _, id := range page {
		work.Go(func() error {
			env := because(ev, "move "+id.String())
			res, err := m.cfg.Commands.MoveMerged(ctx, caller, env, command.MoveMerged{Delivery: id, From: from})
			if err == nil {
				later(&last, res.Position)
			}
			return settled(m.cfg.Logger, ev.Record, err)
		})
	}
	err := work.Wait()
	return *last.Load(), err
}

func later(last *atomic.Pointer[events.Position], p events.Position) {
	for was := last.Load(); p.After(*was) && !last.CompareAndSwap(was, &p); was = last.Load() {
	}
}

// settled passes on what a retry may cure. What the aggregate refuses because
// of what it has become since, needs no reaction any more.
func settled(log *slog.Logger, r events.Record, err error) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	if f.Kind == fault.NotFound || f.Kind == fault.Conflict && f.Code != "stream-busy" && f.Code != "stream-moved" {
		log.Info("policy has nothing to do any more", "stream", r.Stream, "revision", r.Revision, "event", r.Type, "code", f.Code)
		return nil
	}
	return err
}

// pause waits, at most so long.
func pause(ctx context.Context, left, most time.Duration) error {
	left = min(left, most)
	if left <= 0 {
		return nil
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
