package main

import "time"

// clock is the time by which everything goes that is decided, recorded, or ends
// by itself. The zero value is the machine's clock. How long something takes, and
// what is compared with the event store's own time, goes by the machine's always.
type clock struct {
	// now returns the time. Nil = time.Now.
	now func() time.Time

	// after returns a channel that gets something after a while, and what gives it
	// up. Nil = a timer.
	after func(time.Duration) (<-chan time.Time, func())
}

// Now returns the time.
func (c clock) Now() time.Time {
	if c.now == nil {
		return time.Now()
	}
	return c.now()
}
