package backoff

import (
	"context"
	"testing"
	"time"
)

func TestPausesDoubleUpToTheGreatest(t *testing.T) {
	t.Parallel()
	b := Backoff{Min: 100 * time.Millisecond, Max: time.Second, Rand: func() float64 { return 0 }}
	for tries, want := range map[int]time.Duration{
		1: 100 * time.Millisecond, 2: 200 * time.Millisecond, 4: 800 * time.Millisecond, 5: time.Second, 1000: time.Second,
	} {
		if got := b.After(tries); got != want {
			t.Errorf("after %d tries: %s, want %s", tries, got, want)
		}
	}
	b.Rand = func() float64 { return 0.5 }
	if got := b.After(2); got != 150*time.Millisecond {
		t.Errorf("a quarter is to be taken off 200 ms, not %s", 200*time.Millisecond-got)
	}
}

func TestTheEndOfTheContextEndsThePause(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	b := Backoff{Min: time.Hour, Max: time.Hour, Rand: func() float64 { return 0 }}
	cancel()
	if b.Wait(ctx, 1) {
		t.Error("it waited for an hour")
	}
	b.Min, b.Max = time.Millisecond, time.Millisecond
	if !b.Wait(t.Context(), 1) {
		t.Error("the pause was over, and yet it says that the context was")
	}
}
