package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"

	"waybill/projections/postgres"
)

// shared is the one server of a test process.
type shared struct {
	mu        sync.Mutex
	opened    bool // Main runs
	server    *postgres.Server
	err       error // why there is no server; asked for again, it is told again
	dir       string
	reaper    *reaper
	templates map[string]*template
}

// template is a database that others are copied from.
type template struct {
	once     sync.Once
	database string
	err      error
}

func (s *shared) open() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opened = true
	s.templates = make(map[string]*template)
}

// start returns the server, starting it at the first call.
func (s *shared) start(ctx context.Context) (*postgres.Server, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.opened {
		return nil, errors.New("the package's TestMain must call pgtest.Main")
	}
	if s.server == nil && s.err == nil {
		s.err = s.launch(ctx)
	}
	if s.err == nil {
		s.err = s.server.Err()
	}
	return s.server, s.err
}

func (s *shared) launch(ctx context.Context) (err error) {
	if s.dir, err = os.MkdirTemp("", "waybill-pgtest-"); err != nil {
		return err
	}
	if s.reaper, err = startReaper(s.dir); err != nil {
		return errors.Join(err, os.RemoveAll(s.dir))
	}
	s.server, err = postgres.Start(ctx, postgres.Config{Dir: s.dir, NoSync: true})
	return err
}

// close ends the server, if there is one, and waits until its files are gone.
func (s *shared) close(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opened = false
	var err error
	if s.server != nil {
		err = s.server.Stop(ctx)
	}
	if s.reaper != nil {
		err = errors.Join(err, os.RemoveAll(s.dir), s.reaper.finish())
	}
	s.server, s.reaper, s.err = nil, nil, nil
	return err
}

// template returns the name of the database to copy, making it at the first
// call.
func (s *shared) template(ctx context.Context, name string, prepare func(url string) error) (string, error) {
	s.mu.Lock()
	server := s.server
	made, ok := s.templates[name]
	if !ok {
		made = &template{database: "template_" + strconv.Itoa(len(s.templates)+1)}
		s.templates[name] = made
	}
	s.mu.Unlock()
	made.once.Do(func() {
		if made.err = server.EnsureDatabase(ctx, made.database); made.err != nil {
			return
		}
		if err := prepare(server.URL(made.database)); err != nil {
			made.err = fmt.Errorf("prepare template %q: %w", name, err)
		}
	})
	return made.database, made.err
}
