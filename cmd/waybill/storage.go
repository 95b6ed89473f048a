package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"waybill/events/fault"
	"waybill/events/node"
	"waybill/projections/postgres"
)

// startPatience bounds the start of the private Postgres, initdb and a fetch of
// its programs included.
const startPatience = 3 * time.Minute

// storage is where events and read models live: embedded, external, or one each.
type storage struct {
	Dir        string // data directory; empty when nothing is embedded
	Eventstore string // esdb://…
	Postgres   string // postgres://…; a secret when embedded

	node      *node.Node       // nil = external
	server    *postgres.Server // nil = external
	guest     bool             // another process owns what is embedded
	announced bool
	log       *slog.Logger
}

// openStorage starts what is embedded. What it started is ended by close. When
// another process owns all of the data directory and guests are welcome, it
// returns that one's storage.
func openStorage(ctx context.Context, f storageFlags, guest bool, log *slog.Logger) (*storage, error) {
	s := &storage{Eventstore: f.Eventstore, Postgres: f.Postgres, log: log}
	var err error
	if f.Postgres == "" {
		err = s.startPostgres(ctx, f)
	} else if f.Eventstore == "" {
		s.Dir, err = filepath.Abs(orHere(f.Data))
	}
	if err == nil && f.Eventstore == "" {
		err = s.startNode()
	}
	if err == nil && s.node != nil && s.server != nil {
		s.announced = true
		err = s.announce()
	}
	var inUse *postgres.InUseError
	if guest && f.Eventstore == "" && errors.As(err, &inUse) {
		if host, ok := s.beside(inUse); ok {
			return host, nil
		}
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// startPostgres starts the private Postgres in the data directory that was named,
// or in one where it can be.
func (s *storage) startPostgres(ctx context.Context, f storageFlags) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	start := func(dir string) (err error) {
		if s.Dir, err = filepath.Abs(dir); err != nil {
			return err
		}
		s.server, err = postgres.Start(ctx, postgres.Config{
			Dir: filepath.Join(s.Dir, "postgres"), Port: f.PostgresPort, Binaries: f.PostgresBinaries, Logger: s.log,
		})
		return err
	}
	err := start(orHere(f.Data))
	var unreachable *postgres.UnreachableError
	if f.Data == "" && errors.As(err, &unreachable) && absent(filepath.Join(dataHere, "events")) {
		err = start(dataOfRoot)
	}
	if f.PostgresBinaries != "" && errors.Is(err, postgres.ErrNoBinaries) {
		err = fmt.Errorf("%w: name the directory that holds postgres and initdb, or leave --postgres-binaries out to have them found", err)
	}
	if err == nil {
		err = s.server.EnsureDatabase(ctx, database)
	}
	if err != nil {
		return err
	}
	s.Postgres = s.server.URL(database)
	return nil
}

func (s *storage) startNode() error {
	n, err := node.Open(node.Config{Dir: filepath.Join(s.Dir, "events"), Logger: s.log})
	if err != nil {
		return err
	}
	s.node, s.Eventstore = n, n.ConnectionString()
	return nil
}

// run serves the embedded parts until ctx ends, or one of them does.
func (s *storage) run(ctx context.Context) error {
	failed := make(chan error, 2)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	parts := 0
	if s.node != nil {
		parts++
		go func() { failed <- s.node.Run(ctx) }()
	}
	if s.server != nil {
		parts++
		go func() { failed <- s.watchPostgres(ctx) }()
	}
	var err error
	for range parts {
		if e := <-failed; e != nil {
			err = errors.Join(err, e)
			cancel()
		}
	}
	if parts == 0 {
		<-ctx.Done()
	}
	return err
}

func (s *storage) watchPostgres(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-s.server.Exited():
		return fmt.Errorf("the private Postgres ended by itself; its log is in %s: %w", filepath.Join(s.Dir, "postgres"), s.server.Err())
	}
}

// close ends what is embedded: first the event store, then the database. It may
// be called again.
func (s *storage) close() error {
	var err error
	if s.announced {
		err = s.unannounce()
		s.announced = false
	}
	if s.node != nil {
		err = errors.Join(err, s.node.Close())
	}
	if s.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		err = errors.Join(err, s.server.Stop(ctx))
	}
	return err
}

func orHere(dir string) string {
	if dir == "" {
		return dataHere
	}
	return dir
}

func absent(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// addressError makes one clear error of a listener that cannot be had, and names
// the flag for another one.
func addressError(flag, address string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fault.Wrap(syscall.EADDRINUSE, fault.Unavailable, "port-in-use", "Something else listens on %s already; end it, or give another address with %s (port 0 takes a free one)", address, flag)
	case errors.Is(err, syscall.EACCES):
		return fault.Wrap(syscall.EACCES, fault.Unavailable, "port-denied", "You may not listen on %s; give another address with %s", address, flag)
	}
	return fault.Wrap(err, fault.Invalid, "bad-address", "The address %s cannot be listened on; give host:port with %s", address, flag)
}

// String says where the storage is, without secrets.
func (s *storage) String() string {
	where := func(embedded bool) string {
		switch {
		case s.guest:
			return "of the server that runs on " + s.Dir
		case embedded:
			return "embedded in " + s.Dir
		default:
			return "external"
		}
	}
	events, models := where(s.node != nil), where(s.server != nil)
	if events == models {
		return "event store and Postgres " + events
	}
	return "event store " + events + ", Postgres " + models
}
