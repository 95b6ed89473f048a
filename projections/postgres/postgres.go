// Package postgres runs a private PostgreSQL server for one process: it finds
// the binaries, makes the cluster, starts the server, and ends it reliably.
//
// The server is reached through a socket in a closed directory and through the
// loopback address only, asks everybody for a generated password, and does not
// outlive its owner: it is told when the owner dies, and what a killed owner
// left running is stopped by the next Start.
//
// The package knows nothing about what is stored in the databases; migrations,
// roles and pools live elsewhere. It must never write a password to a log, an
// error or a command line.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// superuser is the name of the role that owns the cluster.
const superuser = "postgres"

// loopback is the only network address the server listens on.
const loopback = "127.0.0.1"

// Config says where the private server lives and how it runs.
type Config struct {
	// Dir is the home of the cluster; it holds the data, the password, the
	// lock and the log. It is made when missing, must otherwise be empty or
	// an earlier home, and belongs to this package alone. Required.
	Dir string

	// Port is the TCP port on the loopback address. 0 takes a free one.
	Port int

	// Binaries is the directory of the postgres and initdb programs. Empty
	// looks for them on PATH, by pg_config and in the usual places of Debian
	// and Homebrew, and fetches them when there are none.
	Binaries string

	// NoSync gives up durability for speed: a crash of the machine may
	// destroy the cluster. For tests only.
	NoSync bool

	// Logger takes the few events of the server's life. Defaults to none.
	Logger *slog.Logger
}

func (c Config) validate() error {
	if c.Dir == "" {
		return errors.New("no directory given")
	}
	if c.Port < 0 || c.Port > 65535 {
		return fmt.Errorf("port %d is not between 0 and 65535", c.Port)
	}
	return nil
}

// Server is a running private PostgreSQL. It is safe for concurrent use.
type Server struct {
	home     home
	port     int
	password string
	log      *slog.Logger
	lock     *dirLock
	process  *process
	logFile  *serverLog

	exited   chan struct{} // closed after the process ended and err is set
	err      error
	stopping chan struct{} // closed by the first Stop
	stopOnce sync.Once
}

// Start starts the server of cfg.Dir, making its cluster when there is none.
// It returns when the server answers. All waiting is bounded by ctx, which has
// no say in the server's life afterwards: end that with Stop.
//
// Errors that callers can tell apart: ErrNoBinaries, ErrPortInUse,
// *InUseError, *VersionError, *UnreachableError. Each names its remedy.
// Missing programs, a wrong version, a used port and a directory that cannot be
// reached or holds something else are found before anything is changed.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("start postgres: %w", err)
	}
	home, err := newHome(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("start postgres: %w", err)
	}
	server, err := start(ctx, cfg, home)
	if err != nil {
		return nil, fmt.Errorf("start postgres in %s: %w", home.dir, err)
	}
	return server, nil
}

func start(ctx context.Context, cfg Config, home home) (_ *Server, err error) {
	if err := home.checkContents(); err != nil {
		return nil, err
	}
	account, err := chooseAccount(home.data)
	if err != nil {
		return nil, err
	}
	search := defaultSearch(cfg.Logger)
	bin, err := search.find(ctx, cfg.Binaries, home)
	if err != nil {
		return nil, err
	}
	if err := checkReach(ctx, account, bin, home); err != nil {
		return nil, err
	}
	if err := checkPort(ctx, cfg.Port); err != nil {
		return nil, err
	}
	if err := home.make(account); err != nil {
		return nil, err
	}
	lock, err := lockHome(home)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			lock.release()
		}
	}()
	if err := stopLeftover(ctx, home, cfg.Logger); err != nil {
		return nil, err
	}
	if err := home.makeSocketDir(account); err != nil {
		return nil, err
	}
	password, err := ensureCluster(ctx, cfg, home, account, bin)
	if err != nil {
		return nil, err
	}
	logFile, err := openServerLog(home.log)
	if err != nil {
		return nil, err
	}
	process, port, err := launch(ctx, cfg, home, account, bin, logFile)
	if err != nil {
		logFile.close()
		return nil, err
	}
	s := &Server{
		home: home, port: port, password: password, log: cfg.Logger,
		lock: lock, process: process, logFile: logFile,
		exited: make(chan struct{}), stopping: make(chan struct{}),
	}
	go s.watch()
	if err := s.ping(ctx); err != nil {
		s.kill()
		return nil, err
	}
	cfg.Logger.InfoContext(ctx, "postgres started", "dir", home.dir, "port", port,
		"version", bin.version, "account", account.name, "pid", process.pid())
	return s, nil
}

// URL is the address of a database of this server, with the superuser's name
// and password: it is a secret and belongs in no log. An empty name means the
// maintenance database "postgres". The address is the socket, which nobody
// else can reach or take over, or the loopback port where the path of Dir is
// too long for a socket.
func (s *Server) URL(database string) string {
	if database == "" {
		database = "postgres"
	}
	u := url.URL{Scheme: "postgres", User: url.UserPassword(superuser, s.password), Path: "/" + database}
	query := url.Values{"sslmode": {"disable"}}
	if dir := s.home.socketDir(); dir != "" {
		query.Set("host", dir)
		query.Set("port", strconv.Itoa(s.port))
	} else {
		u.Host = net.JoinHostPort(loopback, strconv.Itoa(s.port))
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// Port is the TCP port on 127.0.0.1 that the server listens on besides its
// socket, for programs that want one.
func (s *Server) Port() int { return s.port }

// PID is the process id of the server's first process, for diagnosis.
func (s *Server) PID() int { return s.process.pid() }

// Exited is closed when the server has ended, for whatever reason; Err tells
// whether it was asked to.
func (s *Server) Exited() <-chan struct{} { return s.exited }

// Err is nil while the server runs and after Stop; it says what happened when
// the server ended by itself.
func (s *Server) Err() error {
	select {
	case <-s.exited:
		return s.err
	default:
		return nil
	}
}

// logCheckInterval is how often the size of the server's log is looked at.
const logCheckInterval = 30 * time.Second

// watch keeps the log bounded while the server runs, and tidies up when it has
// ended.
func (s *Server) watch() {
	ticker := time.NewTicker(logCheckInterval)
	defer ticker.Stop()
	for running := true; running; {
		select {
		case <-s.process.done:
			running = false
		case <-ticker.C:
			if err := s.logFile.bound(); err != nil {
				s.log.Warn("cannot shorten the postgres log", "file", s.home.log, "error", err)
			}
		}
	}
	select {
	case <-s.stopping:
	default:
		s.err = fmt.Errorf("postgres in %s ended by itself: %w%s", s.home.dir, s.process.failure(), s.logFile.tail())
		s.log.Error("postgres ended by itself", "dir", s.home.dir, "state", s.process.failure().Error())
	}
	s.logFile.close()
	s.lock.release()
	close(s.exited)
}
