package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// portAttempts is how many free ports are tried before giving up: between our
// finding one and the server's taking it, another process may be faster.
const portAttempts = 8

// launch starts the server and waits until it takes connections.
func launch(ctx context.Context, cfg Config, h home, a account, bin binaries, log *serverLog) (*process, int, error) {
	if cfg.Port != 0 {
		p, err := launchOn(ctx, cfg, cfg.Port, h, a, bin, log)
		return p, cfg.Port, err
	}
	var err error
	for range portAttempts {
		var port int
		if port, err = freePort(ctx); err != nil {
			return nil, 0, err
		}
		var p *process
		if p, err = launchOn(ctx, cfg, port, h, a, bin, log); err == nil {
			return p, port, nil
		}
		if !errors.Is(err, ErrPortInUse) {
			break
		}
	}
	return nil, 0, err
}

func launchOn(ctx context.Context, cfg Config, port int, h home, a account, bin binaries, log *serverLog) (*process, error) {
	log.mark()
	compression := walCompression(ctx, cfg, h, a, bin)
	cmd := exec.Command(bin.path("postgres"), arguments(cfg, port, compression, h)...)
	cmd.Dir = "/"
	cmd.Env = environment(os.Environ())
	cmd.Stdout, cmd.Stderr = log.file, log.file
	cmd.SysProcAttr = a.attributes()
	dieWithParent(cmd.SysProcAttr, deathSignal(cfg))
	p, err := spawn(cmd)
	if err != nil {
		return nil, fmt.Errorf("run %s as %s: %w", bin.path("postgres"), a.name, err)
	}
	if err := awaitReady(ctx, p, h, log); err != nil {
		if strings.Contains(log.tail(), "Address already in use") {
			return nil, portInUse(port)
		}
		return nil, err
	}
	return p, nil
}

// deathSignal is what the server gets when we die: to stop in order, or, where
// the data does not matter, at once.
func deathSignal(cfg Config) syscall.Signal {
	if cfg.NoSync {
		return syscall.SIGQUIT
	}
	return syscall.SIGINT
}

// arguments are the settings, on the command line so that nothing in the
// cluster overrides them. The log is told neither statements nor the rows that
// an error is about: both may hold personal data.
func arguments(cfg Config, port int, compression string, h home) []string {
	settings := []string{
		"cluster_name=" + clusterName,
		"listen_addresses=" + loopback, "port=" + strconv.Itoa(port), "unix_socket_directories=" + h.socketDir(),
		"password_encryption=scram-sha-256",
		"max_connections=200", "shared_buffers=128MB",
		"max_wal_size=2GB", "min_wal_size=256MB", "checkpoint_timeout=15min",
		"wal_level=minimal", "max_wal_senders=0", "wal_compression=" + compression,
		"jit=off", "timezone=UTC", "log_timezone=UTC", "lc_messages=C",
		"logging_collector=off", "log_destination=stderr", "log_statement=none",
		"log_min_error_statement=panic", "log_error_verbosity=terse",
	}
	if cfg.NoSync {
		settings = append(settings, "fsync=off", "synchronous_commit=off", "full_page_writes=off",
			"max_connections=500") // tests run side by side, as many as there are processors
	} else {
		settings = append(settings, "fsync=on", "synchronous_commit=on", "full_page_writes=on")
	}
	args := []string{"-D", h.data}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	return args
}

// walCompression shrinks the log of changes where the programs can do that
// cheaply. The method that all of them know costs more time than it saves, and
// so does any where nothing is synced.
func walCompression(ctx context.Context, cfg Config, h home, a account, bin binaries) string {
	const cheap = "lz4"
	if cfg.NoSync {
		return "off"
	}
	_, err := run(ctx, a, func(ctx context.Context) *exec.Cmd {
		return exec.CommandContext(ctx, bin.path("postgres"), "-D", h.data, "-C", "wal_compression", "-c", "wal_compression="+cheap)
	})
	if err != nil {
		return "off" // these programs do not know it
	}
	return cheap
}

// awaitReady waits until the server notes that it takes connections. When it
// ends before, or ctx does, nothing is left running.
func awaitReady(ctx context.Context, p *process, h home, log *serverLog) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		select {
		case <-p.done:
			return fmt.Errorf("the server did not start: %w%s", p.failure(), log.tail())
		case <-ctx.Done():
			p.end()
			return fmt.Errorf("the server was not ready in time: %w%s", ctx.Err(), log.tail())
		case <-tick.C:
		}
		lines, err := postmasterNote(h.data)
		if err != nil || len(lines) < 8 {
			continue // not written yet
		}
		if lines[0] == strconv.Itoa(p.pid()) && strings.TrimSpace(lines[7]) == "ready" {
			return nil
		}
	}
}

func freePort(ctx context.Context) (int, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp4", net.JoinHostPort(loopback, "0"))
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// checkPort makes sure, before anything is made, that a chosen port can be had.
func checkPort(ctx context.Context, port int) error {
	if port == 0 {
		return nil // launch will find one
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp4", net.JoinHostPort(loopback, strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return portInUse(port)
	}
	if err != nil {
		return fmt.Errorf("port %d on %s cannot be used: %w", port, loopback, err)
	}
	return listener.Close()
}

func portInUse(port int) error {
	return fmt.Errorf("%w: another process listens on %s:%d: end it, or choose another port (0 takes a free one)", ErrPortInUse, loopback, port)
}
