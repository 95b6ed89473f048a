package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"
)

// Options say where a journal lives and what it may use.
type Options struct {
	Dir          string           // required; made if missing
	FS           vfs.FS           // nil = the operating system's files
	Logger       *slog.Logger     // nil = silent
	Now          func() time.Time // nil = time.Now
	NewID        func() uuid.UUID // ids of the events the journal writes itself; nil = uuid.New
	CacheBytes   int64            // block cache; 0 = 64 MiB
	MemTableSize uint64           // bytes; 0 = 32 MiB, up to four exist at a time
	MustExist    bool             // do not make a journal where there is none
	Heads        int              // stream heads kept in memory; 0 = 65536
}

func (o *Options) setDefaults() {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.NewID == nil {
		o.NewID = uuid.New
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = 64 << 20
	}
	if o.MemTableSize == 0 {
		o.MemTableSize = 32 << 20
	}
	if o.Heads == 0 {
		o.Heads = 1 << 16
	}
}

// Journal is an open journal. All methods may be called concurrently.
type Journal struct {
	opts  Options
	lock  *pebble.Lock
	db    *pebble.DB
	heads *lru.Cache[string, Head] // filled by the committer only
	log   *slog.Logger

	queue   chan *request
	syncing chan *group
	onWay   atomic.Int32  // groups that are syncing
	stop    chan struct{} // closed by Close: no more appends
	done    chan struct{} // closed when the last group is answered

	failed  chan struct{}
	failure atomic.Pointer[error]
	stuck   atomic.Bool // the engine broke off in the middle of a write and cannot even be closed

	durable atomic.Uint64 // position of the last event that is on disk
	watch   struct {
		sync.Mutex
		changed chan struct{}
	}

	// The read side of life: Close waits for readers, readers refuse to start after it.
	life struct {
		sync.RWMutex
		closed bool
	}
	closeOnce sync.Once
	closeErr  error
}

// Open opens the journal in o.Dir, or makes one there. The errors it names: ErrInUse, ErrVersion, ErrDamaged.
func Open(o Options) (*Journal, error) {
	o.setDefaults()
	if o.Dir == "" {
		return nil, errors.New("open event store: no directory given")
	}
	if o.MustExist {
		if finished, err := checkFormat(o.FS, o.Dir); err != nil {
			return nil, err
		} else if !finished {
			return nil, fmt.Errorf("open event store %s: there is none", o.Dir)
		}
	}
	if err := makeDir(o.FS, o.Dir); err != nil {
		return nil, fmt.Errorf("open event store %s: %w", o.Dir, err)
	}
	lock, err := lockDir(o.FS, o.Dir)
	if err != nil {
		return nil, err
	}
	heads, err := lru.New[string, Head](o.Heads)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	j := &Journal{
		opts: o, lock: lock, log: o.Logger, heads: heads,
		queue:   make(chan *request, 4096),
		syncing: make(chan *group, 1),
		stop:    make(chan struct{}),
		done:    make(chan struct{}),
		failed:  make(chan struct{}),
	}
	j.watch.changed = make(chan struct{})
	tail, err := j.openEngine()
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	j.durable.Store(tail.last)
	go j.commitLoop(tail)
	go j.syncLoop()
	return j, nil
}

// Close answers what was submitted, waits for readers, and releases the directory. It is idempotent.
func (j *Journal) Close() error {
	j.closeOnce.Do(func() {
		close(j.stop)
		<-j.done
		j.life.Lock()
		j.life.closed = true
		j.life.Unlock()
		j.wake()
		if j.stuck.Load() {
			j.closeErr = fmt.Errorf("close event store %s: %w; the directory stays locked until this process ends", j.opts.Dir, j.Err())
			return
		}
		var flushed error
		if j.failure.Load() == nil {
			// Everything moves from the write-ahead log into checksummed tables, so that damage to what was cleanly
			// closed is always found.
			flushed = j.db.Flush()
		}
		j.closeErr = errors.Join(flushed, j.db.Close(), j.lock.Close())
	})
	return j.closeErr
}

// Failed is closed when the disk refused a write; Err then says why.
func (j *Journal) Failed() <-chan struct{} { return j.failed }

// Err is the reason why the journal takes no more appends, or nil.
func (j *Journal) Err() error {
	if p := j.failure.Load(); p != nil {
		return *p
	}
	return nil
}

func (j *Journal) fail(err error) {
	err = fmt.Errorf("%w: %v", ErrFailed, err)
	if j.failure.CompareAndSwap(nil, &err) {
		j.log.Error("event store stops", "dir", j.opts.Dir, "error", err)
		close(j.failed)
	}
}

// reading keeps the engine open until the returned function is called.
func (j *Journal) reading() (func(), error) {
	j.life.RLock()
	if j.life.closed {
		j.life.RUnlock()
		return nil, ErrClosed
	}
	return j.life.RUnlock, nil
}

// Durable is the position of the last event on disk, 0 when there is none; changed is closed when it grows.
func (j *Journal) Durable() (position uint64, changed <-chan struct{}) {
	j.watch.Lock()
	changed = j.watch.changed
	j.watch.Unlock()
	return j.durable.Load(), changed
}

// wake tells everyone who waits on Durable.
func (j *Journal) wake() {
	j.watch.Lock()
	close(j.watch.changed)
	j.watch.changed = make(chan struct{})
	j.watch.Unlock()
}
