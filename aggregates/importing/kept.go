package importing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Kept is a file that arrived as a stream, such as an upload, and is kept on disk
// until it is closed.
type Kept struct {
	dir, path string
}

// Keep reads a stream to its end onto disk, below tempDir (empty: the system's).
// name is the file's base name. Nothing stays on disk when it fails.
func Keep(r io.Reader, name, tempDir string) (*Kept, error) {
	sweep(tempDir)
	dir, err := scratchDir(tempDir)
	if err != nil {
		return nil, fmt.Errorf("staging directory for %s: %w", name, err)
	}
	name = filepath.Base(filepath.Clean("/" + name))
	if name == "/" {
		name = "upload"
	}
	k := &Kept{dir, filepath.Join(dir, name)}
	w, err := os.OpenFile(k.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("staging %s: %w", name, err), k.Close())
	}
	_, err = io.Copy(w, r)
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, errors.Join(fmt.Errorf("staging %s: %w", name, err), k.Close())
	}
	return k, nil
}

// Stage is [Stage] for the file that was kept.
func (k *Kept) Stage(ctx context.Context, cfg Config) (*File, error) { return Stage(ctx, k.path, cfg) }

// Close removes the file. It may be called more than once.
func (k *Kept) Close() error { return os.RemoveAll(k.dir) }
