package consume_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"waybill/events"
	"waybill/events/consume"
)

func TestAConsumerWhoseCommitsAreRefusedHasFailedUntilOneIsNot(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	want := b.write(t, 1, 10)
	b.log.refuses = true
	stop := b.run(t, foldAll)
	b.log.until(t, func() bool { return b.log.state() == consume.Failed && strings.Contains(b.log.reason, "refuses a row") })
	stop()
	said := len(b.log.states)

	stop = b.run(t, foldAll) // a restart cures nothing
	b.log.until(t, func() bool { return b.log.state() == consume.Failed })
	b.log.set(func() { b.log.refuses = false })
	b.log.until(t, func() bool { return len(b.log.rows) == len(want) && b.log.state() == consume.Running })
	stop()
	b.expect(t, want, nil)
	if after := b.log.states[said-1:]; !slices.Equal(after, []consume.State{consume.Failed, consume.Running}) {
		t.Errorf("since it had failed it said %v; it runs once something is committed, and not before", after)
	}
}

func TestAPausedConsumerDoesNothingUntilItIsResumedAlsoAfterARestart(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]bool{"paused before it starts": true, "paused while it waits": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			want := b.write(t, 1, 5)
			pause := func() { b.log.set(func() { b.log.says(consume.Paused, "because") }) }
			if before {
				pause()
			}
			stop := b.run(t, foldAll)
			if !before {
				b.log.until(t, func() bool { return len(b.log.rows) == len(want) })
				pause()
			}
			rows := len(b.log.rows)
			more := b.write(t, 1, 5)
			stop()
			stop = b.run(t, foldAll)
			stop()
			if len(b.log.rows) != rows || b.log.state() != consume.Paused {
				t.Errorf("paused, it took %d events more, and is %s", len(b.log.rows)-rows, b.log.state())
			}
			stop = b.run(t, foldAll)
			b.log.set(func() { b.log.says(consume.Running, "") })
			b.log.until(t, func() bool { return len(b.log.rows) == len(want)+len(more) })
			stop()
			b.expect(t, append(want, more...), nil)
		})
	}
}

func TestARebuildIsOneUntilTheEndOfTheLogAlsoAfterARestart(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	want := b.write(t, 3, 100)
	half := make(chan struct{})
	b.log.says(consume.Rebuilding, "cleared")
	stop := b.run(t, func(ctx context.Context, run *consume.Run) error {
		if run.Last.After(events.Position{}) && len(run.Records) > 0 && !run.After.IsZero() {
			select {
			case half <- struct{}{}:
			case <-ctx.Done():
			}
			<-ctx.Done()
			return ctx.Err()
		}
		return foldAll(ctx, run)
	})
	<-half // the first run is folded, and waits to be committed, or is
	b.log.until(t, func() bool { return len(b.log.rows) > 0 })
	stop()
	if got := b.log.state(); got != consume.Rebuilding {
		t.Errorf("half-way it is %s", got)
	}
	stop = b.run(t, foldAll)
	b.log.until(t, func() bool { return b.log.state() == consume.Running })
	if len(b.log.rows) != len(want) {
		t.Errorf("it said it runs after %d of %d events", len(b.log.rows), len(want))
	}
	stop()
	b.expect(t, want, nil)
}

func TestAnIdleConsumerThatIsSetBackStopsToStartAnew(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	want := b.write(t, 1, 5)
	c := b.consumer(t, foldAll)
	ended := make(chan error, 1)
	go func() { ended <- c.Run(t.Context()) }()
	b.log.until(t, func() bool { return len(b.log.rows) == len(want) })
	b.log.set(func() { b.log.at, b.log.rows = events.Position{}, nil })
	if err := <-ended; !errors.Is(err, consume.ErrFenced) {
		t.Errorf("Run returned %v, want ErrFenced", err)
	}
}
