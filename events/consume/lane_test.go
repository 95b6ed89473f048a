package consume

import (
	"context"
	"fmt"
	"testing"

	"waybill/events"
)

func TestWhatWaitsForAStreamGoesTogetherAsFarAsItFits(t *testing.T) {
	t.Parallel()
	left, leave := context.WithCancel(t.Context())
	leave()
	var l lane
	for i, w := range []publication{
		{topic: "a", events: make([]events.Proposed, 2)},
		{topic: "a", events: make([]events.Proposed, 1), ctx: left},
		{topic: "a", events: make([]events.Proposed, publishMessages-2)},
		{topic: "a", events: make([]events.Proposed, 1)},
		{topic: "b", events: make([]events.Proposed, 3*publishMessages)},
		{topic: "b", events: make([]events.Proposed, 1), size: publishBytes},
		{topic: "b", events: make([]events.Proposed, 1), size: 1},
		{topic: "b", events: make([]events.Proposed, 1)},
	} {
		if w.ctx == nil {
			w.ctx = t.Context()
		}
		if first := l.join(&w); first != (i == 0) {
			t.Errorf("publication %d is asked to have the lane served: %t", i, first)
		}
	}
	got := ""
	for taken := l.next(); len(taken) > 0; taken = l.next() {
		for _, w := range taken {
			got += fmt.Sprintf("%s%d ", w.topic, len(w.events))
		}
		got += "| "
	}
	if want := "a2 a498 | a1 | b1500 | b1 | b1 b1 | "; got != want {
		t.Errorf("taken together: %s, want %s", got, want)
	}
	if !l.join(&publication{ctx: t.Context()}) {
		t.Error("a lane that is no longer served does not say so")
	}
}
