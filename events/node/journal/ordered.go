package journal

import (
	"errors"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// orderedFS makes a new manifest durable in its directory before anything can point at it. The engine leaves that to
// file systems that keep the order of directory changes; after a power failure on one that does not, it would look for a
// manifest that is not there.
type orderedFS struct{ vfs.FS }

func (o orderedFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := o.FS.Create(name, category)
	if err != nil || !strings.HasPrefix(o.PathBase(name), "MANIFEST-") {
		return f, err
	}
	if err := syncDir(o.FS, o.PathDir(name)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Unwrap gives the file system beneath.
func (o orderedFS) Unwrap() vfs.FS { return o.FS }
