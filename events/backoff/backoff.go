// Package backoff spaces out the tries of what keeps failing. It must never decide whether to try again.
package backoff

import (
	"context"
	"time"
)

// Backoff are the pauses between tries: the first is Min, each next one twice as long, none longer than Max. Up to half
// of each is taken off at random, so that those who failed together do not come back together.
type Backoff struct {
	Min, Max time.Duration
	Rand     func() float64 // in [0, 1)
}

// After returns the pause after so many tries, the first of which is 1.
func (b Backoff) After(tries int) time.Duration {
	d := b.Max
	if tries < 20 {
		d = min(d, b.Min<<(tries-1))
	}
	return d - time.Duration(b.Rand()*float64(d)/2)
}

// Wait waits for that pause; false when ctx has ended.
func (b Backoff) Wait(ctx context.Context, tries int) bool {
	t := time.NewTimer(b.After(tries))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
