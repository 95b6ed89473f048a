package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// ledger is what was acknowledged: events per stream.
type ledger struct {
	sync.Mutex
	events map[string]int64
}

func (l *ledger) add(stream string, revision int64) {
	l.Lock()
	l.events[stream] = revision + 1
	l.Unlock()
}

func (l *ledger) copy() map[string]int64 {
	l.Lock()
	defer l.Unlock()
	out := make(map[string]int64, len(l.events))
	for k, v := range l.events {
		out[k] = v
	}
	return out
}

// work appends from several writers until they are done or the journal fails.
func work(t *testing.T, j *Journal, l *ledger, writers, appends int) {
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			stream, last := fmt.Sprintf("w-%d", w), int64(-1)
			for i := range appends {
				events := some(1 + (i+w)%3)
				for k := range events {
					events[k].Data = binary.BigEndian.AppendUint32(make([]byte, 0, 900), uint32(len(events)))
					events[k].Data = append(events[k].Data, make([]byte, 400*(i%3))...)
				}
				got, err := j.Append(within(t), Append{Stream: stream, Expected: last, Events: events})
				if err != nil {
					if !errors.Is(err, ErrFailed) {
						t.Errorf("append: %v", err)
					}
					return
				}
				last = got.Revision
				l.add(stream, last)
			}
		})
	}
	wg.Wait()
}

// verify checks that what was acknowledged is there, whole and in order, and that nothing is there by half.
func verify(t *testing.T, j *Journal, acknowledged map[string]int64, when string) {
	t.Helper()
	all, err := everything(j)
	if err != nil {
		t.Errorf("%s: %v", when, err)
		return
	}
	together := map[string][]uint32{}
	var last uint64
	for _, r := range all {
		s := string(r.Stream)
		if r.Revision != int64(len(together[s])) || r.Position <= last {
			t.Errorf("%s: %s/%d at %d, behind %d events and position %d", when, s, r.Revision, r.Position, len(together[s]), last)
		}
		last = r.Position
		together[s] = append(together[s], binary.BigEndian.Uint32(r.Data))
	}
	for s, n := range acknowledged {
		if int64(len(together[s])) < n {
			t.Errorf("%s: %s has %d events, %d were acknowledged", when, s, len(together[s]), n)
		}
	}
	for s, counts := range together {
		i := 0
		for i < len(counts) {
			i += int(counts[i])
		}
		if i != len(counts) {
			t.Errorf("%s: %s ends with half an append", when, s)
		}
		if got := streamRevisions(t, j, s, 0, false); len(got) != len(counts) {
			t.Errorf("%s: %s has %d events by its index, %d in the log", when, s, len(got), len(counts))
		}
	}
}

// A crash is simulated before every write to the file system: what was synced stays, and of the rest a random part,
// block by block, as after a power failure.
func TestCrashAtEveryStepOfACommitLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	type crash struct {
		fs           *vfs.MemFS
		acknowledged map[string]int64
		step         int64
		op           string
	}
	for _, unsynced := range []int{0, 50} {
		t.Run(fmt.Sprintf("%d%% of unsynced data survives", unsynced), func(t *testing.T) {
			t.Parallel()
			disk := vfs.NewCrashableMem()
			rng := rand.New(rand.NewPCG(1, uint64(unsynced)))
			l := &ledger{events: map[string]int64{}}
			var mu sync.Mutex
			var steps int64
			var crashes []crash
			fs := errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
				if op.Kind.ReadOrWrite() != errorfs.OpIsWrite || op.Kind == errorfs.OpFileClose {
					return nil
				}
				mu.Lock()
				defer mu.Unlock()
				steps++
				if steps > 60 && steps%11 != 0 { // all of the beginning, then a sample
					return nil
				}
				before := l.copy()
				crashes = append(crashes, crash{
					disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: unsynced, RNG: rng}), before, steps, fmt.Sprint(op.Kind, " ", op.Path),
				})
				return nil
			}))
			j, err := Open(Options{Dir: "store", FS: fs, MemTableSize: 64 << 10})
			if err != nil {
				t.Fatal(err)
			}
			work(t, j, l, 4, 60)
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			t.Logf("%d crashes in %d steps", len(crashes), steps)
			if len(crashes) < 60 {
				t.Fatalf("only %d crashes were tried", len(crashes))
			}
			for _, c := range crashes {
				when := fmt.Sprintf("crash before step %d, %s", c.step, c.op)
				again, err := Open(Options{Dir: "store", FS: c.fs})
				if err != nil {
					t.Errorf("%s: %v", when, err)
					continue
				}
				verify(t, again, c.acknowledged, when)
				if _, err := again.Append(within(t), Append{Stream: "after", Expected: NoStream, Events: some(1)}); err != nil {
					t.Errorf("%s: append afterwards: %v", when, err)
				}
				if err := again.Close(); err != nil {
					t.Errorf("%s: %v", when, err)
				}
			}
		})
	}
}

func TestDiskThatRefusesWritesStopsTheJournalAndLosesNothing(t *testing.T) {
	t.Parallel()
	for name, kinds := range map[string][]errorfs.OpKind{
		"disk full":    {errorfs.OpFileWrite},
		"failing sync": {errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo},
	} {
		for _, after := range []int64{0, 1, 7, 40} {
			t.Run(fmt.Sprintf("%s after %d", name, after), func(t *testing.T) {
				t.Parallel()
				disk := vfs.NewCrashableMem()
				var armed atomic.Bool
				var count atomic.Int64
				fs := errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
					if !armed.Load() || !strings.HasSuffix(op.Path, ".log") {
						return nil
					}
					for _, k := range kinds {
						if op.Kind == k && count.Add(1) > after {
							return syscall.ENOSPC
						}
					}
					return nil
				}))
				j, err := Open(Options{Dir: "store", FS: fs})
				if err != nil {
					t.Fatal(err)
				}
				l := &ledger{events: map[string]int64{}}
				work(t, j, l, 3, 5)
				armed.Store(true)
				work(t, j, l, 3, 0)
				for i := 0; j.Err() == nil; i++ {
					stream := fmt.Sprintf("late-%d", i)
					e := some(1)
					e[0].Data = binary.BigEndian.AppendUint32(nil, 1)
					if _, err := j.Append(within(t), Append{Stream: stream, Expected: NoStream, Events: e}); err == nil {
						l.add(stream, 0)
					} else if !errors.Is(err, ErrFailed) {
						t.Fatalf("append: %v, want ErrFailed", err)
					}
				}
				<-j.Failed()
				if _, err := j.Append(within(t), Append{Stream: "x", Expected: Any, Events: some(1)}); !errors.Is(err, ErrFailed) {
					t.Errorf("append after the failure: %v, want ErrFailed", err)
				}
				all, err := everything(j)
				if err != nil {
					t.Errorf("read after the failure: %v", err)
				}
				events := int64(0)
				for _, n := range l.copy() {
					events += n
				}
				if int64(len(all)) != events {
					t.Errorf("%d events are served, %d were acknowledged", len(all), events)
				}
				crashed := disk.CrashClone(vfs.CrashCloneCfg{})
				_ = j.Close() // its outcome is the disk's, not ours
				again, err := Open(Options{Dir: "store", FS: crashed})
				if err != nil {
					t.Fatal(err)
				}
				verify(t, again, l.copy(), "after the failure")
				if err := again.Close(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func TestReadErrorIsReportedAndPasses(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if broken.Load() && op.Kind == errorfs.OpFileReadAt {
			return syscall.EIO
		}
		return nil
	}))
	o := Options{Dir: "store", FS: fs, CacheBytes: 1}
	j, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	events := some(20)
	for i := range events {
		events[i].Data = append(events[i].Data, make([]byte, 8<<10)...) // a block each: opening reads only the last
	}
	write(t, j, "s", NoStream, events...)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = open(t, o)
	broken.Store(true)
	if got, err := everything(j); err == nil {
		t.Errorf("read %d events from a disk that does not answer", len(got))
	}
	broken.Store(false)
	if got, err := everything(j); err != nil || len(got) != 20 {
		t.Errorf("after the disk recovered: %d events, %v", len(got), err)
	}
}
