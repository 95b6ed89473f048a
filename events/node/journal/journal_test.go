package journal

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
)

func open(t testing.TB, o Options) *Journal {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	j, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil && !errors.Is(err, ErrFailed) && j.Err() == nil {
			t.Errorf("Close: %v", err)
		}
	})
	return j
}

func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func some(n int) []Event {
	events := make([]Event, n)
	for i := range events {
		events[i] = Event{ID: uuid.New(), Type: "Happened", JSON: true, Data: fmt.Appendf(nil, `{"of":%d,"n":%d}`, n, i)}
	}
	return events
}

func write(t testing.TB, j *Journal, stream string, expected int64, events ...Event) Written {
	t.Helper()
	w, err := j.Append(within(t), Append{Stream: stream, Expected: expected, Events: events})
	if err != nil {
		t.Fatalf("append to %s: %v", stream, err)
	}
	return w
}

// everything reads the whole log.
func everything(j *Journal) (out []Record, err error) {
	err = j.All(0, false, func(r *Record) bool {
		c := *r
		c.Stream, c.Data, c.Type = []byte(string(r.Stream)), []byte(string(r.Data)), []byte(string(r.Type))
		out = append(out, c)
		return true
	})
	return out, err
}

func streamRevisions(t testing.TB, j *Journal, stream string, from int64, backwards bool) (out []int64) {
	t.Helper()
	h, err := j.Head(within(t), stream)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Stream(stream, h, from, backwards, func(r *Record) bool {
		out = append(out, r.Revision)
		return true
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestPositionsGrowAndSurviveReopening(t *testing.T) {
	t.Parallel()
	o := Options{Dir: t.TempDir()}
	var last uint64
	for round := range 3 {
		j, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 5 {
			w := write(t, j, fmt.Sprintf("s-%d-%d", round, i), NoStream, some(2)...)
			if w.Position <= last {
				t.Fatalf("position %d follows %d", w.Position, last)
			}
			last = w.Position
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestConcurrentWritersOfOneStreamNeverShareARevision(t *testing.T) {
	t.Parallel()
	j := open(t, Options{Heads: 4})
	const writers, each = 8, 40
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for done := 0; done < each; {
				h, err := j.Head(within(t), "s")
				if err != nil {
					t.Error(err)
					return
				}
				_, err = j.Append(within(t), Append{Stream: "s", Expected: h.Last, Events: some(1)})
				var wrong *WrongExpected
				switch {
				case err == nil:
					done++
				case !errors.As(err, &wrong):
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	got := streamRevisions(t, j, "s", 0, false)
	if len(got) != writers*each {
		t.Fatalf("%d events, want %d", len(got), writers*each)
	}
	for i, r := range got {
		if r != int64(i) {
			t.Fatalf("event %d has revision %d", i, r)
		}
	}
}

func TestManyStreamsNeedNoMoreMemoryForHeads(t *testing.T) {
	t.Parallel()
	j := open(t, Options{Heads: 8})
	for round := range int64(3) {
		var wg sync.WaitGroup
		for i := range 200 {
			wg.Go(func() { write(t, j, fmt.Sprintf("s-%d", i), round-1, some(1)...) })
		}
		wg.Wait()
	}
	if got := j.heads.Len(); got > 8 {
		t.Errorf("%d heads in memory, at most 8 are allowed", got)
	}
	if got := streamRevisions(t, j, "s-7", 0, false); len(got) != 3 {
		t.Errorf("revisions %v", got)
	}
}

func TestAppendAfterItsDeadlineIsNotWritten(t *testing.T) {
	t.Parallel()
	j := open(t, Options{})
	_, err := j.Append(within(t), Append{Stream: "s", Expected: NoStream, Events: some(1), Deadline: time.Now().Add(-time.Second)})
	if !errors.Is(err, ErrTimeout) {
		t.Errorf("%v, want ErrTimeout", err)
	}
	if all, err := everything(j); err != nil || len(all) != 0 {
		t.Errorf("%d events, %v", len(all), err)
	}
}

func TestClosedJournalRefusesEverything(t *testing.T) {
	t.Parallel()
	j := open(t, Options{})
	write(t, j, "s", NoStream, some(1)...)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Append(within(t), Append{Stream: "s", Expected: Any, Events: some(1)}); !errors.Is(err, ErrClosed) {
		t.Errorf("append: %v", err)
	}
	if _, err := everything(j); !errors.Is(err, ErrClosed) {
		t.Errorf("read: %v", err)
	}
	if _, err := j.Head(within(t), "s"); !errors.Is(err, ErrClosed) {
		t.Errorf("head: %v", err)
	}
}

func TestCloseAnswersWhatWasSubmitted(t *testing.T) {
	t.Parallel()
	j := open(t, Options{})
	const n = 500
	answers := make(chan error, n)
	submitted := 0
	for i := range n {
		err := j.Submit(within(t), Append{Stream: fmt.Sprintf("s-%d", i), Expected: NoStream, Events: some(1)},
			func(_ Written, err error) { answers <- err })
		if err == nil {
			submitted++
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	for range submitted {
		select {
		case err := <-answers:
			if err != nil && !errors.Is(err, ErrClosed) {
				t.Error(err)
			}
		case <-within(t).Done():
			t.Fatal("an append was never answered")
		}
	}
}

func TestForeignOrUnfinishedDirectoriesAreNamed(t *testing.T) {
	t.Parallel()
	used := func(t *testing.T) string {
		dir := t.TempDir()
		j, err := Open(Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		write(t, j, "s", NoStream, some(3)...)
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	must := func(err error) {
		if err != nil {
			t.Error(err)
		}
	}
	cases := []struct {
		name  string
		spoil func(dir string)
		want  error
	}{
		{"another version", func(dir string) {
			must(os.WriteFile(filepath.Join(dir, formatName), []byte(formatText+"2\n"), 0o600))
		}, ErrVersion},
		{"an unreadable version", func(dir string) { must(os.WriteFile(filepath.Join(dir, formatName), []byte("??"), 0o600)) }, ErrDamaged},
		{"a missing version", func(dir string) { must(os.Remove(filepath.Join(dir, formatName))) }, ErrDamaged},
		{"missing data", func(dir string) { must(os.RemoveAll(filepath.Join(dir, "data"))) }, ErrDamaged},
		{"a missing log", func(dir string) { removeAll(t, filepath.Join(dir, "data", "*.log")) }, ErrDamaged},
		{"missing tables", func(dir string) { removeAll(t, filepath.Join(dir, "data", "*.sst")) }, ErrDamaged},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := used(t)
			tc.spoil(dir)
			j, err := Open(Options{Dir: dir})
			if err == nil {
				_ = j.Close()
			}
			if !errors.Is(err, tc.want) || !strings.Contains(err.Error(), dir) {
				t.Errorf("%v, want %v naming %s", err, tc.want, dir)
			}
		})
	}
}

func removeAll(t *testing.T, pattern string) {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("nothing matches %s (%v)", pattern, err)
	}
	for _, name := range names {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRecordRoundTripsAndEveryFlippedBitIsSeen(t *testing.T) {
	t.Parallel()
	e := Event{ID: uuid.New(), Type: "Happened", JSON: true, Data: []byte("data"), Metadata: []byte("meta")}
	b := make([]byte, recordSize("stream", 300, &e))
	putRecord(b, 77, "stream", 300, 123456789, &e)
	r, ok := parseRecord(77, b)
	if !ok || string(r.Stream) != "stream" || string(r.Type) != "Happened" || r.Revision != 300 || r.Created != 123456789 ||
		!r.JSON || r.ID != e.ID || string(r.Data) != "data" || string(r.Metadata) != "meta" || r.Position != 77 {
		t.Fatalf("came back as %+v (%v)", r, ok)
	}
	if _, ok := parseRecord(78, b); ok {
		t.Error("taken for another position's")
	}
	for i := range len(b) * 8 {
		b[i/8] ^= 1 << (i % 8)
		if _, ok := parseRecord(77, b); ok {
			t.Errorf("bit %d flipped and not seen", i)
		}
		b[i/8] ^= 1 << (i % 8)
	}
}

func TestHeadRoundTrips(t *testing.T) {
	t.Parallel()
	for _, h := range []Head{noHead(), {
		ID: 1, Last: 2, LastAt: 3, Changed: math.MaxUint64, Reclaimed: 9, Tombstoned: true, HasMeta: true,
		Limits: Limits{MaxCount: 5, MaxAge: 6, TruncateBefore: DeletedBefore},
	}} {
		b := make([]byte, headSize)
		h.put(b)
		if got, ok := parseHead(b); !ok || got != h {
			t.Errorf("%+v came back as %+v", h, got)
		}
	}
}

func FuzzParseRecord(f *testing.F) {
	e := Event{Type: "T", Data: []byte("d")}
	b := make([]byte, recordSize("s", 1, &e))
	putRecord(b, 1, "s", 1, 1, &e)
	f.Add(uint64(1), b)
	f.Add(uint64(0), []byte{})
	f.Fuzz(func(t *testing.T, position uint64, b []byte) {
		if len(b) >= recordFixed { // let the fuzzer get past the checksum
			sum := checksum(position, b[4:])
			b[0], b[1], b[2], b[3] = byte(sum>>24), byte(sum>>16), byte(sum>>8), byte(sum)
		}
		if r, ok := parseRecord(position, b); ok && len(r.Data)+len(r.Stream)+len(r.Type)+len(r.Metadata) > len(b) {
			t.Errorf("fields longer than the record: %+v", r)
		}
	})
}

func TestLimitsAreReadFromMetadata(t *testing.T) {
	t.Parallel()
	for document, want := range map[string]Limits{
		`{"$maxCount":5,"$maxAge":60,"$tb":7,"$acl":{"$r":"$all"},"mine":1}`: {MaxCount: 5, MaxAge: 60, TruncateBefore: 7},
		`{}`: {}, `[]`: {}, `nonsense`: {}, `{"$maxCount":"5","$maxAge":-1}`: {},
		`{"$tb":9223372036854775807}`: {TruncateBefore: DeletedBefore},
	} {
		if got := parseLimits([]byte(document)); got != want {
			t.Errorf("%s: %+v, want %+v", document, got, want)
		}
	}
	if got := string(withTruncateBefore([]byte(`{"z":[1, 2],"$tb":9223372036854775807,"$acl":{"$r":"x"}}`), 4)); got != `{"$acl":{"$r":"x"},"$tb":4,"z":[1, 2]}` && got != `{"$acl":{"$r":"x"},"$tb":4,"z":[1,2]}` {
		t.Errorf("rewritten as %s", got)
	}
}
