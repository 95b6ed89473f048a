package postgres

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// home is the layout of Config.Dir. As root the directory itself, the lock and
// the log stay root's, so that the database user cannot swap what root opens.
type home struct {
	dir      string // absolute
	data     string // the cluster
	fresh    string // a cluster that is being made; becomes data when complete
	password string // the superuser's password
	lock     string // held by the owner process
	socket   string // directory of the server's socket
	log      string // what the server prints
}

func newHome(dir string) (home, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return home{}, err
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	return home{
		dir: dir, data: in("data"), fresh: in("data.new"), password: in("password"),
		lock: in("lock"), socket: in("run"), log: in("postgres.log"),
	}, nil
}

// checkContents refuses a directory that holds something else: we change the
// mode of this directory and must not do that to a stranger's.
func (h home) checkContents() error {
	entries, err := os.ReadDir(h.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("the directory may not be read by this user: allow it, or choose another directory: %w", err)
	}
	if err != nil {
		return err
	}
	var stranger string
	var marks int
	for _, entry := range entries {
		path := filepath.Join(h.dir, entry.Name())
		if path == h.lock || path == h.password {
			marks++
		}
		if !slices.Contains([]string{h.data, h.fresh, h.password, h.lock, h.socket, h.log, h.log + oldLog}, path) {
			stranger = entry.Name()
		}
	}
	if stranger != "" && marks < 2 {
		return fmt.Errorf("the directory is neither empty nor a database home (it holds %s): choose another directory", stranger)
	}
	return nil
}

// make makes the directory; the account must be able to pass it, nobody but
// its owner can list it.
func (h home) make(a account) error {
	for _, dir := range ancestors(filepath.Dir(h.dir)) {
		if err := makePassable(dir, a); err != nil {
			return err
		}
	}
	if err := os.Mkdir(h.dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	mode := fs.FileMode(0o700)
	if a.drop {
		mode = 0o711
	}
	return os.Chmod(h.dir, mode)
}

// makePassable makes a directory unless it exists. One that we make for
// another user must let him in, whatever our file mode mask says.
func makePassable(dir string, a account) error {
	err := os.Mkdir(dir, 0o755)
	if err != nil {
		if _, statErr := os.Stat(dir); statErr == nil {
			return nil // some systems have other words for it than "exists"
		}
		return err
	}
	if !a.drop {
		return nil
	}
	return os.Chmod(dir, 0o755)
}

// dataVersion is the major version of the cluster, empty when there is none.
func (h home) dataVersion() (string, error) {
	text, err := os.ReadFile(filepath.Join(h.data, "PG_VERSION"))
	if err == nil {
		return strings.TrimSpace(string(text)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if _, err := os.Stat(h.data); err == nil {
		return "", fmt.Errorf("%s is no cluster, it has no PG_VERSION: restore it from a backup, or move it away to start empty", h.data)
	}
	return "", nil
}

// socketPathLimit is what fits into a socket's address on every system, in
// bytes.
const socketPathLimit = 103

// socketDir is the directory of the server's socket; empty when its path is
// too long for one.
func (h home) socketDir() string {
	if len(filepath.Join(h.socket, ".s.PGSQL.65535")) > socketPathLimit || strings.ContainsAny(h.socket, `,"`) {
		return "" // they would end the directory's name
	}
	return h.socket
}

// makeSocketDir makes the directory anew: a socket that a killed server left
// would be in the way.
func (h home) makeSocketDir(a account) error {
	if err := os.RemoveAll(h.socket); err != nil {
		return err
	}
	if err := os.Mkdir(h.socket, 0o700); err != nil {
		return err
	}
	return a.own(h.socket)
}
