package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

func metadataEvent(document string) Event {
	return Event{ID: some(1)[0].ID, Type: TypeMetadata, JSON: true, Data: []byte(document)}
}

func scavenge(t *testing.T, j *Journal) Scavenged {
	t.Helper()
	done, err := j.Scavenge(within(t))
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func mustVerify(t *testing.T, j *Journal) Verified {
	t.Helper()
	v, err := j.Verify(within(t))
	if err != nil {
		t.Errorf("verify: %v", err)
	}
	return v
}

func TestScavengeRemovesOnlyWhatNoStreamReadShows(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var mu sync.Mutex
	j := open(t, Options{Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }})
	for _, s := range []string{"whole", "counted", "truncated", "deleted", "tombstoned", "aged", "continued"} {
		write(t, j, s, NoStream, some(1500)...)
	}
	write(t, j, "$$counted", Any, metadataEvent(`{"$maxCount":1}`))
	write(t, j, "$$counted", Any, metadataEvent(`{"$maxCount":3}`))
	write(t, j, "$$truncated", Any, metadataEvent(`{"$tb":1200}`))
	write(t, j, "$$aged", Any, metadataEvent(`{"$maxAge":60}`))
	for _, s := range []string{"deleted", "continued"} {
		if _, err := j.Delete(within(t), s, Any); err != nil {
			t.Fatal(err)
		}
	}
	write(t, j, "continued", Any, some(2)...)
	if _, err := j.Tombstone(within(t), "tombstoned", Any); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	now = now.Add(time.Hour)
	mu.Unlock()
	write(t, j, "aged", Any, some(4)...)
	visible := func() string {
		var b strings.Builder
		for _, s := range []string{"whole", "counted", "truncated", "deleted", "aged", "continued", "$$counted"} {
			r := streamRevisions(t, j, s, 0, false)
			if len(r) == 0 {
				fmt.Fprintf(&b, "%s none; ", s)
			} else {
				fmt.Fprintf(&b, "%s %d from %d to %d; ", s, len(r), r[0], r[len(r)-1])
			}
		}
		return b.String()
	}
	before := visible()
	kept := map[uint64]bool{}
	all, err := everything(j)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		kept[r.Position] = true
	}
	done := scavenge(t, j)
	// Of "counted" 3 stay, of its metadata 1 of 2, of "truncated" 300, of "continued" and "aged" the new ones.
	want := int64(1497 + 1 + 1200 + 1500 + 1500 + 1500 + 1500 + 1)
	if done.Events != want || done.Streams != 8 {
		t.Errorf("reclaimed %+v, want %d events of 8 streams", done, want)
	}
	if after := visible(); after != before {
		t.Errorf("visible before: %s\nafter: %s", before, after)
	}
	left, err := everything(j)
	if err != nil || int64(len(left)) != int64(len(all))-want {
		t.Errorf("%d of %d events are left, %v", len(left), len(all), err)
	}
	for _, r := range left {
		if !kept[r.Position] {
			t.Errorf("position %d was not there before", r.Position)
		}
	}
	mustVerify(t, j)
	if again := scavenge(t, j); again.Events != 0 {
		t.Errorf("a second scavenge reclaimed %+v", again)
	}
	if w := write(t, j, "deleted", 1499, some(1)...); w.Revision != 1500 {
		t.Errorf("the deleted stream goes on at %d, want 1500", w.Revision)
	}
	if _, err := j.Append(within(t), Append{Stream: "tombstoned", Expected: Any, Events: some(1)}); !errors.As(err, new(*Deleted)) {
		t.Errorf("append to the tombstoned stream: %v", err)
	}
	mustVerify(t, j)
}

func TestScavengedJournalOpensAgainWithItsLastPosition(t *testing.T) {
	t.Parallel()
	o := Options{Dir: t.TempDir()}
	j, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	write(t, j, "$$s", NoStream, metadataEvent(`{"$tb":9}`))
	last := write(t, j, "s", NoStream, some(5)...) // all out of sight, and the last of the log
	if done := scavenge(t, j); done.Events != 4 {
		t.Errorf("reclaimed %+v, want all but the last event of the log", done)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = open(t, o)
	if w := write(t, j, "s", 4, some(1)...); w.Position <= last.Position || w.Revision != 5 {
		t.Errorf("%+v follows %+v", w, last)
	}
}

func TestScavengeBesideWritersDisturbsNobody(t *testing.T) {
	t.Parallel()
	j := open(t, Options{})
	ctx, cancel := context.WithCancel(within(t))
	var wg sync.WaitGroup
	for w := range 3 {
		stream := fmt.Sprintf("s-%d", w)
		write(t, j, "$$"+stream, NoStream, metadataEvent(`{"$maxCount":2}`))
		wg.Go(func() {
			for i := int64(-1); ctx.Err() == nil; i++ {
				write(t, j, stream, i, some(1)...)
				if got := streamRevisions(t, j, stream, 0, false); len(got) > 2 || got[len(got)-1] != i+1 {
					t.Errorf("%s shows %v after %d", stream, got, i+1)
					return
				}
			}
		})
	}
	total := int64(0)
	for total < 300 {
		total += scavenge(t, j).Events
	}
	cancel()
	wg.Wait()
	mustVerify(t, j)
}

func TestVerifyNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		spoil func(j *Journal, h Head, at indexEntry) error
		want  string
	}{
		"a changed event": {func(j *Journal, _ Head, at indexEntry) error {
			return j.db.Set(putEventKey(nil, at.position), []byte("something else entirely, long enough to look like it"), pebble.Sync)
		}, "event at position"},
		"a lost event": {func(j *Journal, _ Head, at indexEntry) error {
			return j.db.Delete(putEventKey(nil, at.position), pebble.Sync)
		}, "is missing"},
		"a lost index entry": {func(j *Journal, h Head, _ indexEntry) error {
			return j.db.Delete(putIndexKey(nil, h.ID, 3), pebble.Sync)
		}, "revision 3 is missing"},
		"a lost stream": {func(j *Journal, _ Head, _ indexEntry) error {
			return j.db.Delete(putHeadKey(nil, "s"), pebble.Sync)
		}, "the log holds"},
		"an index entry that leads elsewhere": {func(j *Journal, h Head, at indexEntry) error {
			value := make([]byte, indexValue)
			putIndexValue(value, at)
			return j.db.Set(putIndexKey(nil, h.ID, 5), value, pebble.Sync)
		}, "event 5 of stream"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := open(t, Options{Heads: 1})
			write(t, j, "s", NoStream, some(10)...)
			write(t, j, "t", NoStream, some(1)...)
			if v := mustVerify(t, j); v.Events != 11 || v.Streams != 2 || v.Bytes == 0 {
				t.Errorf("verified %+v", v)
			}
			h, err := j.Head(within(t), "s")
			if err != nil {
				t.Fatal(err)
			}
			value, closer, err := j.db.Get(putIndexKey(nil, h.ID, 3))
			if err != nil {
				t.Fatal(err)
			}
			at, _ := parseIndexValue(value)
			if err := errors.Join(closer.Close(), tc.spoil(j, h, at)); err != nil {
				t.Fatal(err)
			}
			if _, err := j.Verify(within(t)); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v, want one about %q", err, tc.want)
			}
		})
	}
}

func TestBackupBesideWritersHoldsWhatWasAcknowledged(t *testing.T) {
	t.Parallel()
	j := open(t, Options{})
	l := &ledger{events: map[string]int64{}}
	work(t, j, l, 3, 20)
	acknowledged := l.copy()
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 50 {
			write(t, j, fmt.Sprintf("beside-%d", i), NoStream, Event{ID: some(1)[0].ID, Type: "T", Data: []byte{0, 0, 0, 1}})
		}
	})
	to := filepath.Join(t.TempDir(), "copies", "first")
	if err := j.Backup(to); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if err := j.Backup(to); !errors.Is(err, os.ErrExist) {
		t.Errorf("backup over a backup: %v", err)
	}
	again := open(t, Options{Dir: to})
	verify(t, again, acknowledged, "in the backup")
	mustVerify(t, again)
	write(t, again, "after", NoStream, some(1)...)
}
