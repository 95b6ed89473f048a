package journal

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/errors/oserror"
	"github.com/cockroachdb/pebble/v2"
)

// Backup makes a copy in dir, which must not exist: everything that was acknowledged when it began, and perhaps more. It
// runs beside everything else. On the same file system it takes no space for what does not change. The copy opens like any
// other directory; one that was not finished does not open.
func (j *Journal) Backup(dir string) error {
	release, err := j.reading()
	if err != nil {
		return err
	}
	defer release()
	fs := j.opts.FS
	if _, err := fs.Stat(dir); !oserror.IsNotExist(err) {
		return fmt.Errorf("back up event store to %s: it exists already (%w); choose another directory", dir, errors.Join(oserror.ErrExist, err))
	}
	if err := makeDir(fs, dir); err != nil {
		return fmt.Errorf("back up event store to %s: %w", dir, err)
	}
	if err := j.db.Checkpoint(fs.PathJoin(dir, "data"), pebble.WithFlushedWAL()); err != nil {
		return fmt.Errorf("back up event store to %s: %w", dir, err)
	}
	if err := errors.Join(syncDir(fs, dir), writeFormat(fs, dir)); err != nil {
		return fmt.Errorf("back up event store to %s: %w", dir, err)
	}
	return nil
}
