package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/aggregates/commandapi"
	"waybill/aggregates/trail"
	"waybill/events"
	"waybill/events/fault"
	"waybill/events/store"
	"waybill/projections"
	"waybill/projections/readmodel"
)

// system is everything between the storage and the verbs: built once per process,
// run in layers.
type system struct {
	storage  *storage
	log      *slog.Logger
	registry *prometheus.Registry
	owner    string // names this process to operators
	clock    clock
	pace     pace

	pools    *projections.Pools
	store    *store.Store
	codec    *events.Codec
	access   *access.Service
	commands *command.Service
	trail    *trail.Recorder
	progress *projections.Progress
	model    *readmodel.Model
	executor *aggregates.Executor
	resets   *commandapi.Resets
	cursors  []byte // key of the query API's cursors
	mailing  mailing
	dir      string // of what this process writes to files
	edge     edgeFlags
	metrics  metricsPlace
}

// systemConfig says how to build a system.
type systemConfig struct {
	storageFlags
	SkipMigrate bool // refuse a schema that is behind, instead of bringing it up
	Guest       bool // work beside the process that owns the data directory, if there is one
	Log         *slog.Logger
	Clock       clock // the zero value is the machine's
	Pace        pace  // the zero value is a server's
	Mailing     mailing

	// Prepare, when set, is called before anything follows the log.
	Prepare func(context.Context, *system) error
}

// withSystem starts the storage, builds the system, runs it with do on top, and
// ends everything, whatever happened. do runs while the consumers do.
func withSystem(ctx context.Context, cfg systemConfig, do func(context.Context, *system) error) (err error) {
	st, err := openStorage(ctx, cfg.storageFlags, cfg.Guest, cfg.Log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.close()) }()
	s := &system{storage: st, log: cfg.Log, clock: cfg.Clock, pace: cfg.Pace, mailing: cfg.Mailing, registry: prometheus.NewRegistry()}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	if s.dir = st.Dir; s.dir == "" {
		if s.dir, err = filepath.Abs(orHere(cfg.Data)); err != nil {
			return err
		}
	}
	s.owner = fmt.Sprintf("%s, process %d", host, os.Getpid())
	defer func() { err = errors.Join(err, s.close()) }()
	// The embedded event store must be answering while the rest is built on it.
	return runLayers(ctx, st.run, func(ctx context.Context) error {
		if err := s.build(ctx, cfg); err != nil {
			return err
		}
		if st.guest { // the owner follows the log
			return runLayers(ctx, s.progress.Run, func(ctx context.Context) error { return do(ctx, s) })
		}
		if cfg.Prepare != nil {
			if err := cfg.Prepare(ctx, s); err != nil {
				return err
			}
		}
		consumers, err := s.consumers()
		if err != nil {
			return err
		}
		return runLayers(ctx, s.progress.Run, consumers, func(ctx context.Context) error { return do(ctx, s) })
	})
}

// build connects the parts.
func (s *system) build(ctx context.Context, cfg systemConfig) error {
	if !cfg.SkipMigrate && !s.storage.guest {
		if _, err := projections.Migrate(ctx, s.storage.Postgres); err != nil {
			return err
		}
	}
	s.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	var err error
	if s.pools, err = projections.Open(ctx, projections.Config{URL: s.storage.Postgres, ConnectTimeout: s.pace.limit}); err != nil {
		return err
	}
	if s.store, err = store.Open(s.storeConfig()); err != nil {
		return fault.Wrap(err, fault.Invalid, "eventstore-url", "The address of the event store cannot be used; want one like esdb://host:2113?tls=false")
	}
	if s.access, err = access.New(access.Config{Pool: s.pools.Identity, Now: s.clock.Now}); err != nil {
		return err
	}
	ring, err := access.NewKeyRing(access.KeyRingConfig{Pool: s.pools.Identity, Now: s.clock.Now})
	if err != nil {
		return err
	}
	if s.codec, err = events.NewCodec(ring); err != nil {
		return err
	}
	if s.cursors, err = access.Secret(ctx, s.pools.Identity, rand.Reader, "cursors"); err != nil {
		return err
	}
	if s.model, err = readmodel.New(readmodel.Config{Codec: s.codec, Pool: s.pools.Projector, Owner: s.owner}); err != nil {
		return err
	}
	s.progress = projections.NewProgress(projections.ProgressConfig{Name: readmodel.Name, Pool: s.pools.Reader, Logger: s.log})
	return s.buildCommands(ctx)
}

// storeConfig says how to reach the event store. One that runs in this process, or
// in another one beside it, and is slow to answer, is not lost: the machine is busy,
// and connecting anew makes it busier.
func (s *system) storeConfig() store.Config {
	cfg := store.Config{URL: s.storage.Eventstore, Logger: s.log}
	if s.storage.node != nil || s.storage.guest {
		cfg.Timeout, cfg.AttemptTimeout = 30*time.Second, 15*time.Second
	}
	if s.pace.limit > 0 {
		cfg.Timeout, cfg.AttemptTimeout = 2*s.pace.limit, s.pace.limit
	}
	return cfg
}

func (s *system) buildCommands(ctx context.Context) error {
	claims, err := access.Secret(ctx, s.pools.Identity, rand.Reader, access.SecretClaims)
	if err != nil {
		return err
	}
	s.executor, err = aggregates.New(aggregates.Config{Store: s.store, Codec: s.codec, Now: s.clock.Now})
	if err != nil {
		return err
	}
	if s.trail, err = trail.New(trail.Config{Executor: s.executor, Store: s.store, Codec: s.codec, Registry: s.registry, Limit: s.pace.limit, Rest: s.pace.limit, Logger: s.log}); err != nil {
		return err
	}
	s.commands, err = command.New(command.Config{
		Executor: s.executor, Store: s.store, Codec: s.codec, Identities: s.access, ClaimsSecret: claims,
		Sight: s.sight(), SightLimit: s.pace.limit, NewID: uuid.New, Logger: s.log,
	})
	if err != nil {
		return err
	}
	s.resets, err = commandapi.NewResets(commandapi.ResetsConfig{Commands: s.commands, Access: s.access, Registry: s.registry, Logger: s.log})
	return err
}

// caughtUp waits until the read models hold everything of theirs that is in the log
// now.
func (s *system) caughtUp(ctx context.Context) error {
	last, err := s.commands.LastOfAggregates(ctx)
	if err != nil {
		return err
	}
	return s.progress.Wait(ctx, last)
}

// close ends what build made. Parts that were not made are nil.
func (s *system) close() error {
	var err error
	if s.store != nil {
		err = s.store.Close()
	}
	if s.pools != nil {
		s.pools.Close()
	}
	return err
}
