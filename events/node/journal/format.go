package journal

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/cockroachdb/errors/oserror"
	"github.com/cockroachdb/pebble/v2/vfs"
)

const (
	formatName = "FORMAT"
	formatText = "waybill event store, format "
	formatThis = "1"
)

// checkFormat tells whether dir holds a finished journal of this version (true), or none yet (false).
func checkFormat(fs vfs.FS, dir string) (bool, error) {
	f, err := fs.Open(fs.PathJoin(dir, formatName))
	if oserror.IsNotExist(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("open event store %s: %w", dir, err)
	}
	text, err := io.ReadAll(io.LimitReader(f, 256))
	if err := errors.Join(err, f.Close()); err != nil {
		return false, fmt.Errorf("open event store %s: read %s: %w", dir, formatName, err)
	}
	version, ok := strings.CutPrefix(strings.TrimSpace(string(text)), formatText)
	switch {
	case !ok || version == "":
		return false, fmt.Errorf("open event store %s: %w", dir, damaged("%s is not readable; restore it from a backup", formatName))
	case version != formatThis:
		return false, fmt.Errorf("open event store %s: %w: it is version %s, this program reads version %s; use the program that wrote it, or another directory",
			dir, ErrVersion, version, formatThis)
	}
	return true, nil
}

// writeFormat declares dir to be finished. It is written last, atomically, so a directory without it was never used.
func writeFormat(fs vfs.FS, dir string) error {
	temp := fs.PathJoin(dir, formatName+".new")
	f, err := fs.Create(temp, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write([]byte(formatText + formatThis + "\n"))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := fs.Rename(temp, fs.PathJoin(dir, formatName)); err != nil {
		return err
	}
	return syncDir(fs, dir)
}

// makeDir makes a directory, and what is missing above it, so that a power failure does not take it away again.
func makeDir(fs vfs.FS, dir string) error {
	if _, err := fs.Stat(dir); !oserror.IsNotExist(err) {
		return err
	}
	parent := fs.PathDir(dir)
	if parent != dir {
		if err := makeDir(fs, parent); err != nil {
			return err
		}
	}
	if err := fs.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	return syncDir(fs, parent)
}

func syncDir(fs vfs.FS, dir string) error {
	d, err := fs.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
