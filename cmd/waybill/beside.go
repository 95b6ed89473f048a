package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/go-json-experiment/json"

	"waybill/projections/postgres"
)

// running is the file in a data directory in which the process that owns it says
// how others get in: a server runs, and an import or a link is made beside it.
const runningFile = "running.json"

type running struct {
	PID        int    `json:"pid"`
	Eventstore string `json:"eventstore"`
	Postgres   string `json:"postgres"` // with the password; the file is for its owner's eyes
}

// announce writes the file, whole or not at all.
func (s *storage) announce() error {
	text, err := json.Marshal(running{PID: os.Getpid(), Eventstore: s.Eventstore, Postgres: s.Postgres})
	if err != nil {
		return err
	}
	path := filepath.Join(s.Dir, runningFile)
	fresh := path + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.WriteFile(fresh, text, 0o600); err != nil {
		return fmt.Errorf("data directory %s: %w", s.Dir, err)
	}
	return os.Rename(fresh, path)
}

func (s *storage) unannounce() error {
	err := os.Remove(filepath.Join(s.Dir, runningFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// beside returns the storage of the process that owns the data directory, if that
// is what inUse is about. It is used, and left alone when closed.
func (s *storage) beside(inUse *postgres.InUseError) (*storage, bool) {
	text, err := os.ReadFile(filepath.Join(s.Dir, runningFile))
	if err != nil {
		return nil, false
	}
	var r running
	if err := json.Unmarshal(text, &r); err != nil || r.PID != inUse.PID {
		return nil, false // left by a process that was killed
	}
	return &storage{Dir: s.Dir, Eventstore: r.Eventstore, Postgres: r.Postgres, log: s.log, guest: true}, true
}
