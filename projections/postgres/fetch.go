package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	embedded "github.com/fergusstrange/embedded-postgres"
	"github.com/gofrs/flock"
)

// fetchMajor is the version that is fetched when any will do.
const fetchMajor = "15"

// fetcher downloads the programs once and keeps them.
type fetcher struct {
	cache      string // directory of what was fetched
	repository string // where to fetch from; empty: the library's default
	log        *slog.Logger
}

// defaultFetcher keeps the programs in the user's cache; root's home is mostly
// closed to the database user, so root keeps them where everybody can run them.
func defaultFetcher(log *slog.Logger) fetcher {
	cache := "/var/cache"
	if os.Geteuid() != 0 {
		var err error
		if cache, err = os.UserCacheDir(); err != nil {
			cache = os.TempDir()
		}
	}
	return fetcher{cache: filepath.Join(cache, "waybill"), log: log}
}

func fetchVersion(major string) (embedded.PostgresVersion, bool) {
	switch major {
	case "13":
		return embedded.V13, true
	case "14":
		return embedded.V14, true
	case "15":
		return embedded.V15, true
	case "16":
		return embedded.V16, true
	case "17":
		return embedded.V17, true
	case "18":
		return embedded.V18, true
	}
	return "", false
}

// fetch returns the directory of the programs of a major version, downloading
// them when they are not in the cache. The download itself cannot be
// interrupted: when ctx ends it is left to itself.
func (f fetcher) fetch(ctx context.Context, major string) (string, error) {
	if major == "" {
		major = fetchMajor
	}
	version, ok := fetchVersion(major)
	if !ok {
		return "", fmt.Errorf("PostgreSQL %s is not offered for download", major)
	}
	dir := filepath.Join(f.cache, "postgresql-"+string(version))
	if _, err := os.Stat(dir); err == nil {
		return filepath.Join(dir, "bin"), nil
	}
	f.log.InfoContext(ctx, "fetching PostgreSQL", "version", string(version), "into", dir)
	done := make(chan error, 1)
	go func() { done <- f.download(ctx, version, dir) }()
	select {
	case err := <-done:
		return filepath.Join(dir, "bin"), err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// download unpacks a version into dir. The library has no call that only
// fetches, so we let it fail right after: it is shown a directory that has the
// mark of a cluster and nothing else, which no server can start on.
func (f fetcher) download(ctx context.Context, version embedded.PostgresVersion, dir string) (err error) {
	if err := os.MkdirAll(f.cache, 0o755); err != nil {
		return err
	}
	lock := flock.New(filepath.Join(f.cache, "lock"))
	if err := lock.Lock(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	if _, err := os.Stat(dir); err == nil {
		return nil // another process was faster
	}
	work, err := os.MkdirTemp(f.cache, "fetch-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	for _, dir := range []string{f.cache, work} {
		if err := os.Chmod(dir, 0o755); err != nil {
			return err
		}
	}
	decoy := filepath.Join(work, "decoy")
	if err := os.Mkdir(decoy, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(decoy, "PG_VERSION"), []byte(version), 0o600); err != nil {
		return err
	}
	port, err := freePort(ctx)
	if err != nil {
		return err
	}
	config := embedded.DefaultConfig().Version(version).Port(uint32(port)).Logger(io.Discard).
		CachePath(filepath.Join(work, "archive")).RuntimePath(filepath.Join(work, "runtime")).
		BinariesPath(filepath.Join(work, "programs")).DataPath(decoy)
	if f.repository != "" {
		config = config.BinaryRepositoryURL(f.repository)
	}
	startErr := embedded.NewDatabase(config).Start()
	if _, err := os.Stat(filepath.Join(work, "programs", "bin", "postgres")); err != nil {
		return cmp.Or(startErr, err) // the library's word says more
	}
	if err := openToAll(filepath.Join(work, "programs")); err != nil {
		return err
	}
	return os.Rename(filepath.Join(work, "programs"), dir)
}

// openToAll lets everybody read and run what we fetched, whatever our file
// mode mask says: the database user is another one when we are root.
func openToAll(root string) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Type()&fs.ModeSymlink != 0 {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		mode := info.Mode().Perm() | 0o444
		if mode&0o100 != 0 {
			mode |= 0o111
		}
		return os.Chmod(path, mode)
	})
}
