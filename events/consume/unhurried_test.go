package consume_test

import (
	"context"
	"runtime"
	"strings"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
)

// unhurried is a subscriber that holds back the last message of the suite's test
// of restarts until that test has come to rest. The test notes what it has
// published some time after Publish has returned, on another goroutine, and
// compares as soon as everything has arrived; and it does not wait for the
// restarts that it has ordered.
type unhurried struct{ message.Subscriber }

// Subscribe is called on the goroutine of the suite's test.
func (u unhurried) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	const last = 10000
	test, _, _ := strings.Cut(strings.TrimPrefix(stacks(false), "goroutine "), " ")
	in, err := u.Subscriber.Subscribe(ctx, topic)
	if err != nil {
		return nil, err
	}
	out := make(chan *message.Message)
	go func() {
		defer close(out)
		seen := make(map[string]bool)
		for msg := range in {
			if seen[msg.UUID] = true; len(seen) == last && !untilAtRest(test, in) {
				return
			}
			select {
			case out <- msg:
			case <-msg.Context().Done():
				msg.Nack() // whose connection is lost: it comes again
			}
		}
	}()
	return out, nil
}

// untilAtRest waits until a test of restarts is at rest; false when its
// subscription has ended before.
func untilAtRest(test string, in <-chan *message.Message) bool {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !atRest(test) {
		select {
		case <-tick.C:
		case <-in: // nothing comes beside a message that has no answer yet
			return false
		}
	}
	return true
}

// atRest reports whether every goroutine that a test of restarts has started is
// gone or waits for work, and nobody restarts a server.
func atRest(test string) bool {
	const suite = "created by github.com/ThreeDotsLabs/watermill/pubsub/tests.TestReconnect"
	for g := range strings.SplitSeq(stacks(true), "\n\n") {
		state, _, _ := strings.Cut(g, "\n")
		if strings.Contains(g, suite+".") ||
			strings.Contains(g, suite+" in goroutine "+test+"\n") && !strings.Contains(state, "[chan receive") {
			return false
		}
	}
	return true
}

// stacks returns what the caller's goroutine is doing, or all of them.
func stacks(all bool) string {
	for size := 1 << 20; ; size *= 2 {
		b := make([]byte, size)
		if n := runtime.Stack(b, all); n < size {
			return string(b[:n])
		}
	}
}
