package group

import (
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"waybill/events/node/journal"
)

func TestProgressNeverPassesWhatIsNotDealtWith(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := newProgress(uint64(rapid.IntRange(0, 5).Draw(t, "start")))
		open := map[uint64]bool{} // read and not dealt with
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "read") || len(open) == 0 {
				p.next += uint64(rapid.IntRange(0, 3).Draw(t, "gap")) // events that nobody wanted
				p.read(p.next)
				open[p.next] = true
				p.next++
			} else {
				var all []uint64
				for seq := range open {
					all = append(all, seq)
				}
				seq := rapid.SampledFrom(sorted(all)).Draw(t, "finish")
				p.finish(seq)
				delete(open, seq)
			}
			want := p.next
			for seq := range open {
				want = min(want, seq)
			}
			if got := p.low(); got != want {
				t.Fatalf("low is %d, want %d of %v", got, want, open)
			}
		}
		if len(open) == 0 && len(p.done) != 0 {
			t.Fatalf("%d entries are kept though all is dealt with", len(p.done))
		}
	})
}

func sorted(in []uint64) []uint64 {
	for i := range in {
		for k := i; k > 0 && in[k] < in[k-1]; k-- {
			in[k], in[k-1] = in[k-1], in[k]
		}
	}
	return in
}

func TestGroupsOfOtherNamesAreStoredUnderOtherNames(t *testing.T) {
	t.Parallel()
	keys := []Key{{"a", "b:c"}, {"a:b", "c"}, {"a", "b"}, {"ab", ""}, {"", "ab"}, {All, "b"}, {"1:a", "b"}}
	seen := map[string]Key{}
	for _, k := range keys {
		if other, ok := seen[k.state()]; ok {
			t.Errorf("%v and %v share %q", k, other, k.state())
		}
		seen[k.state()] = k
	}
}

func TestStoredGroupReadsBack(t *testing.T) {
	t.Parallel()
	d := document{Stream: All, Name: "g", Next: 1 << 63, Settings: Settings{
		MaxRetries: 1, ReadBatch: 2, HistoryBuffer: 3, LiveBuffer: 4, MessageTimeout: 5, Strategy: Pinned,
		Filter: &Filter{ByType: true, Prefixes: []string{"x"}},
	}}
	b, err := d.encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := decode(b)
	if err != nil || got.Next != d.Next || got.Settings.Strategy != Pinned || got.Settings.MessageTimeout != 5 || got.Settings.Filter.Prefixes[0] != "x" {
		t.Errorf("%s came back as %+v, %v", b, got, err)
	}
}

func TestSettingsThatCannotWorkAreRefused(t *testing.T) {
	t.Parallel()
	good := Settings{ReadBatch: 20, HistoryBuffer: 500, LiveBuffer: 500, MaxRetries: 10, MinCheckpoint: 10, MaxCheckpoint: 1000, Strategy: RoundRobin}
	if err := good.validate(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Settings){
		"unknown strategy":                   func(s *Settings) { s.Strategy = "Loudest" },
		"no read batch":                      func(s *Settings) { s.ReadBatch = 0 },
		"read batch as large as the history": func(s *Settings) { s.ReadBatch = 500 },
		"negative retries":                   func(s *Settings) { s.MaxRetries = -1 },
		"negative timeout":                   func(s *Settings) { s.MessageTimeout = -1 },
		"bounds the wrong way round":         func(s *Settings) { s.MinCheckpoint = 2000 },
	} {
		s := good
		change(&s)
		if err := s.validate(); !errors.Is(err, ErrSettings) {
			t.Errorf("%s: %v, want ErrSettings", name, err)
		}
	}
	bad := good
	bad.Filter = &Filter{Regex: "("}
	if _, err := bad.filter(); !errors.Is(err, ErrSettings) {
		t.Errorf("bad filter: %v, want ErrSettings", err)
	}
}

func TestPinningSharesStreamsEvenlyAndMovesFewWhenAConsumerComes(t *testing.T) {
	t.Parallel()
	g := &Group{}
	for i := range 4 {
		g.consumers = append(g.consumers, newConsumer(1, fmt.Sprintf("127.0.0.1:%d 9d6d4d0e-%d", 40000+i, i)))
	}
	const streams = 4000
	first, counts := map[int]*Consumer{}, map[*Consumer]int{}
	for i := range streams {
		c := g.pinned(&Message{Event: &journal.Record{Stream: fmt.Appendf(nil, "Delivery-%d", i)}})
		first[i] = c
		counts[c]++
	}
	for _, n := range counts {
		if n < streams/4*8/10 || n > streams/4*12/10 {
			t.Errorf("%d of %d streams went to one of four", n, streams)
		}
	}
	g.consumers = append(g.consumers, newConsumer(1, "127.0.0.1:50000 new"))
	moved := 0
	for i := range streams {
		if c := g.pinned(&Message{Event: &journal.Record{Stream: fmt.Appendf(nil, "Delivery-%d", i)}}); c != first[i] {
			moved++
			if c != g.consumers[4] {
				t.Fatalf("stream %d moved between consumers that stayed", i)
			}
		}
	}
	if moved < streams/5*8/10 || moved > streams/5*12/10 {
		t.Errorf("%d of %d streams moved to the fifth", moved, streams)
	}
}
