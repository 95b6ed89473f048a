package journal

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"syscall"

	"github.com/cockroachdb/errors/oserror"
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// tail is where the log ends.
type tail struct {
	last uint64 // position of the last event, 0 = none
	next uint64 // first free position
}

// writeBuffers is how many memtables exist at most.
const writeBuffers = 4

const firstPosition = 64 // positions are above zero, like offsets behind a file header

func (t tail) put(dst []byte) {
	binary.BigEndian.PutUint64(dst, t.last)
	binary.BigEndian.PutUint64(dst[8:], t.next)
}

func lockDir(fs vfs.FS, dir string) (*pebble.Lock, error) {
	lock, err := pebble.LockDirectory(dir, fs)
	if err == nil {
		return lock, nil
	}
	held := errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EACCES) && !oserror.IsPermission(err) ||
		strings.Contains(err.Error(), "lock held by current process")
	if held {
		return nil, fmt.Errorf("open event store %s: %w: stop the process that uses it, or choose another directory", dir, ErrInUse)
	}
	return nil, fmt.Errorf("open event store %s: %w", dir, err)
}

// openEngine opens the storage engine and finds the end of the log.
func (j *Journal) openEngine() (tail, error) {
	o := &j.opts
	finished, err := checkFormat(o.FS, o.Dir)
	if err != nil {
		return tail{}, err
	}
	data := o.FS.PathJoin(o.Dir, "data")
	if finished {
		if err := checkFiles(o.FS, data); err != nil {
			return tail{}, fmt.Errorf("open event store %s: %w", o.Dir, err)
		}
	}
	// The engine takes what its write buffers use out of the cache; without this they would leave nothing of it.
	cache := pebble.NewCache(o.CacheBytes + writeBuffers*int64(o.MemTableSize))
	defer cache.Unref()
	if !finished {
		if err := makeData(o, cache, data); err != nil {
			return tail{}, fmt.Errorf("make event store %s: %w", o.Dir, err)
		}
	}
	db, err := pebble.Open(data, engineOptions(o, cache, true))
	if err != nil {
		if errors.Is(err, pebble.ErrDBDoesNotExist) || oserror.IsNotExist(err) {
			err = damaged("data is missing: %v; restore it from a backup", err)
		}
		return tail{}, fmt.Errorf("open event store %s: %w", o.Dir, readError("open the data", err))
	}
	t, err := findTail(db)
	if err == nil && !finished {
		if t.last != 0 {
			err = damaged("%s is missing beside data that was used; restore it from a backup", formatName)
		} else {
			err = writeFormat(o.FS, o.Dir)
		}
	}
	if err != nil {
		return tail{}, fmt.Errorf("open event store %s: %w", o.Dir, errors.Join(err, db.Close()))
	}
	j.db = db
	return t, nil
}

// makeData makes the engine's files aside and puts them in place when they are complete: a crash in between leaves
// nothing that is half made. Opening them again from the start also makes every write-ahead log one of the kind in which
// damage can be told from an unfinished write.
func makeData(o *Options, cache *pebble.Cache, data string) error {
	if _, err := o.FS.Stat(data); !oserror.IsNotExist(err) {
		return err
	}
	fresh := data + ".new"
	if err := o.FS.RemoveAll(fresh); err != nil {
		return err
	}
	db, err := pebble.Open(fresh, engineOptions(o, cache, false))
	if err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	if err := o.FS.Rename(fresh, data); err != nil {
		return err
	}
	return syncDir(o.FS, o.Dir)
}

// checkFiles finds what the engine would not miss: without its newest write-ahead log, or with a damaged end of it, it
// would open as if the last appends had never been.
func checkFiles(fs vfs.FS, data string) error {
	names, err := fs.List(data)
	if oserror.IsNotExist(err) {
		return damaged("the data is missing; restore it from a backup")
	}
	if err != nil {
		return err
	}
	return checkLogTail(fs, data, names)
}

// findTail reads where the log ends, and checks that the last event is there and whole.
func findTail(db *pebble.DB) (tail, error) {
	value, closer, err := db.Get(tailKey)
	if errors.Is(err, pebble.ErrNotFound) {
		return tail{next: firstPosition}, nil
	}
	if err != nil {
		return tail{}, readError("read the end of the log", err)
	}
	if len(value) != 16 {
		return tail{}, errors.Join(damaged("the end of the log is not readable"), closer.Close())
	}
	t := tail{last: binary.BigEndian.Uint64(value), next: binary.BigEndian.Uint64(value[8:])}
	if err := closer.Close(); err != nil {
		return tail{}, err
	}
	if t.last == 0 {
		return t, nil
	}
	value, closer, err = db.Get(putEventKey(nil, t.last))
	if errors.Is(err, pebble.ErrNotFound) {
		return tail{}, damaged("the last event, position %d, is missing", t.last)
	}
	if err != nil {
		return tail{}, readError("read the last event", err)
	}
	if _, ok := parseRecord(t.last, value); !ok {
		err = damaged("the last event, position %d, is not what was written", t.last)
	}
	return t, errors.Join(err, closer.Close())
}

func engineOptions(o *Options, cache *pebble.Cache, exists bool) *pebble.Options {
	opts := &pebble.Options{
		FS:                          orderedFS{o.FS},
		Cache:                       cache,
		FormatMajorVersion:          pebble.FormatWALSyncChunks,
		ErrorIfNotExists:            exists,
		MemTableSize:                o.MemTableSize,
		MemTableStopWritesThreshold: writeBuffers,
		L0CompactionThreshold:       4,
		L0StopWritesThreshold:       1000,
		LBaseMaxBytes:               64 << 20,
		CompactionConcurrencyRange:  func() (int, int) { return 1, 2 },
		MaxOpenFiles:                1000,
		Logger:                      engineLog{o.Logger},
	}
	opts.EventListener = &pebble.EventListener{
		BackgroundError: func(err error) { o.Logger.Error("event store background work failed", "error", err) },
		DataCorruption:  func(i pebble.DataCorruptionInfo) { o.Logger.Error("event store is damaged", "file", i.Path) },
	}
	for i := range opts.Levels {
		opts.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	return opts
}

// engineLog passes the engine's own words on at debug level. When the engine says that it cannot go on, the process
// must not go on either: what it holds in memory may be more than the disk has.
type engineLog struct{ log *slog.Logger }

func (l engineLog) Infof(format string, args ...any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug(fmt.Sprintf(format, args...))
	}
}

func (l engineLog) Errorf(format string, args ...any) { l.log.Error(fmt.Sprintf(format, args...)) }

func (l engineLog) Fatalf(format string, args ...any) {
	panic(fmt.Sprintf("event store: "+format, args...))
}
