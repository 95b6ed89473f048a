package node

import (
	"fmt"
	"math"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

func TestStreamReadsAreInclusiveBothWays(t *testing.T) {
	t.Parallel()
	_, c := serve(t)
	appendTo(t, c, "s", esdb.NoStream{}, proposals(5)...)
	cases := []struct {
		name  string
		o     esdb.ReadStreamOptions
		count uint64
		want  string
	}{
		{"forwards from the start", esdb.ReadStreamOptions{From: esdb.Start{}}, math.MaxUint64, "0 1 2 3 4"},
		{"forwards from a revision", esdb.ReadStreamOptions{From: esdb.Revision(3)}, math.MaxUint64, "3 4"},
		{"forwards, counted", esdb.ReadStreamOptions{From: esdb.Revision(1)}, 2, "1 2"},
		{"forwards past the end", esdb.ReadStreamOptions{From: esdb.Revision(9)}, math.MaxUint64, ""},
		{"forwards from the end", esdb.ReadStreamOptions{From: esdb.End{}}, math.MaxUint64, ""},
		{"backwards from the end", esdb.ReadStreamOptions{Direction: esdb.Backwards, From: esdb.End{}}, math.MaxUint64, "4 3 2 1 0"},
		{"backwards from a revision", esdb.ReadStreamOptions{Direction: esdb.Backwards, From: esdb.Revision(2)}, math.MaxUint64, "2 1 0"},
		{"backwards past the end", esdb.ReadStreamOptions{Direction: esdb.Backwards, From: esdb.Revision(99)}, 2, "4 3"},
		{"backwards from the start", esdb.ReadStreamOptions{Direction: esdb.Backwards, From: esdb.Start{}}, math.MaxUint64, "0"},
	}
	for _, tc := range cases {
		s, err := c.ReadStream(within(t), "s", tc.o, tc.count)
		if got := revisions(collect(t, s, err)); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestMissingStreamIsNotFound(t *testing.T) {
	t.Parallel()
	_, c := serve(t)
	s, err := c.ReadStream(within(t), "none", esdb.ReadStreamOptions{}, 10)
	if err == nil {
		_, err = s.Recv()
	}
	if codeOf(err) != esdb.ErrorCodeResourceNotFound {
		t.Errorf("%v, want ResourceNotFound", err)
	}
}

func TestAllReadIsInclusiveForwardsAndExclusiveBackwards(t *testing.T) {
	t.Parallel()
	_, c := serve(t)
	for i := range 3 {
		appendTo(t, c, fmt.Sprintf("s-%d", i), esdb.NoStream{}, proposals(2)...)
	}
	all := readAll(t, c, esdb.ReadAllOptions{From: esdb.Start{}})
	if len(all) != 6 {
		t.Fatalf("%d events, want 6", len(all))
	}
	for i := 1; i < len(all); i++ {
		if all[i].Event.Position.Commit <= all[i-1].Event.Position.Commit {
			t.Errorf("position %v follows %v", all[i].Event.Position, all[i-1].Event.Position)
		}
	}
	third := all[2].Event.Position
	if got := readAll(t, c, esdb.ReadAllOptions{From: third}); len(got) != 4 || got[0].Event.EventID != all[2].Event.EventID {
		t.Errorf("forwards from the third: %d events", len(got))
	}
	if got := readAll(t, c, esdb.ReadAllOptions{Direction: esdb.Backwards, From: third}); len(got) != 2 || got[0].Event.EventID != all[1].Event.EventID {
		t.Errorf("backwards from the third: %d events", len(got))
	}
	if got := readAll(t, c, esdb.ReadAllOptions{Direction: esdb.Backwards, From: esdb.End{}}); len(got) != 6 || got[0].Event.EventID != all[5].Event.EventID {
		t.Errorf("backwards from the end: %d events", len(got))
	}
	if got := readAll(t, c, esdb.ReadAllOptions{From: esdb.End{}}); len(got) != 0 {
		t.Errorf("forwards from the end: %d events", len(got))
	}
}

func TestReadsLongerThanAPageAreWholeAndInOrder(t *testing.T) {
	t.Parallel()
	_, c := serve(t)
	const n = 3*pageEvents + 7
	for i := 0; i < n; i += 97 {
		appendTo(t, c, "s", esdb.Any{}, proposals(min(97, n-i))...)
	}
	check := func(name string, events []*esdb.ResolvedEvent, revision func(i int) int) {
		t.Helper()
		if len(events) != n {
			t.Errorf("%s: %d events, want %d", name, len(events), n)
			return
		}
		for i, e := range events {
			if e.Event.EventNumber != uint64(revision(i)) {
				t.Errorf("%s: event %d has revision %d", name, i, e.Event.EventNumber)
				return
			}
		}
	}
	up, down := func(i int) int { return i }, func(i int) int { return n - 1 - i }
	check("stream", readStream(t, c, "s", esdb.ReadStreamOptions{}), up)
	check("stream backwards", readStream(t, c, "s", esdb.ReadStreamOptions{Direction: esdb.Backwards, From: esdb.End{}}), down)
	check("all", readAll(t, c, esdb.ReadAllOptions{From: esdb.Start{}}), up)
	check("all backwards", readAll(t, c, esdb.ReadAllOptions{Direction: esdb.Backwards, From: esdb.End{}}), down)
}
