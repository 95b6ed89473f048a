package remote

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofrs/flock"
)

// Store keeps who one is signed in as, by server, in a file that only its owner
// reads.
type Store struct {
	dir string
}

// Login is one server's entry.
type Login struct {
	Email     string    `json:"email"`
	Token     string    `json:"token"`
	ExpiresAt time.Time `json:"expires_at"`
}

// NewStore returns the store in a directory, which is made when it is needed.
// Empty stands for waybill in the user's directory for settings.
func NewStore(dir string) (*Store, error) {
	if dir == "" {
		settings, err := os.UserConfigDir()
		if err != nil {
			return nil, fmt.Errorf("where sign-ins are kept: %w", err)
		}
		dir = filepath.Join(settings, "waybill")
	}
	return &Store{dir}, nil
}

// file is where the sign-ins are.
func (s *Store) file() string { return filepath.Join(s.dir, "logins.json") }

// Of returns the sign-in at a server; false when there is none.
func (s *Store) Of(server string) (Login, bool, error) {
	all, err := s.read()
	l, ok := all[server]
	return l, ok, err
}

// Put keeps a sign-in; nil forgets it.
func (s *Store) Put(server string, login *Login) error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("keep a sign-in: %w", err)
	}
	lock := flock.New(filepath.Join(s.dir, "lock"), flock.SetPermissions(0o600))
	if err := lock.Lock(); err != nil {
		return fmt.Errorf("keep a sign-in: %w", err)
	}
	defer lock.Unlock()
	all, err := s.read()
	if err != nil {
		return err
	}
	if login == nil {
		if _, there := all[server]; !there {
			return nil
		}
		delete(all, server)
	} else {
		all[server] = *login
	}
	return s.write(all)
}

func (s *Store) read() (map[string]Login, error) {
	all := map[string]Login{}
	info, err := os.Stat(s.file())
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return nil, fmt.Errorf("sign-ins: %w", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, usage("others can read %s, which holds keys: waybill logout and sign in again, or chmod 600 it", s.file())
	}
	text, err := os.ReadFile(s.file())
	if err != nil {
		return nil, fmt.Errorf("sign-ins: %w", err)
	}
	if json.Unmarshal(text, &all) != nil { // its error could repeat what is in there
		return nil, usage("%s cannot be read: delete it and sign in again", s.file())
	}
	return all, nil
}

// write puts a new file in place of the old one, so that there is always a whole
// one.
func (s *Store) write(all map[string]Login) error {
	text, err := json.Marshal(all, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		return errors.New("keep a sign-in: it cannot be encoded")
	}
	f, err := os.CreateTemp(s.dir, "logins-*") // 0600
	if err != nil {
		return fmt.Errorf("keep a sign-in: %w", err)
	}
	_, err = f.Write(append(text, '\n'))
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), s.file())
	}
	if err != nil {
		return fmt.Errorf("keep a sign-in: %w", errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}
