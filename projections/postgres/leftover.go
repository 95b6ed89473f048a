package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// clusterName marks the servers that this package starts.
const clusterName = "waybill"

// pollInterval is how often something is looked at that cannot tell us.
const pollInterval = 10 * time.Millisecond

// stopLeftover ends what a killed owner left running in the directory. We hold
// the lock, so a server of ours that still runs has no owner any more. A server
// that somebody else started there by hand is not ours to end.
func stopLeftover(ctx context.Context, h home, log *slog.Logger) error {
	pids, err := serversIn(h.data)
	if err != nil {
		return err
	}
	if len(pids) == 0 {
		return forgetPostmaster(h.data)
	}
	first, err := postmasterPID(h.data)
	if err != nil {
		return err
	}
	if slices.Contains(pids, first) && !startedByUs(h.data) {
		return &InUseError{Dir: h.dir, PID: first, Program: "postgres"}
	}
	log.WarnContext(ctx, "stopping a postgres that a killed process left", "dir", h.dir, "pids", pids)
	// Asked to stop, then to stop at once, then made to.
	for _, step := range []struct {
		sig   syscall.Signal
		grace time.Duration
	}{{syscall.SIGINT, 10 * time.Second}, {syscall.SIGQUIT, 10 * time.Second}, {syscall.SIGKILL, 30 * time.Second}} {
		targets := pids
		if slices.Contains(pids, first) && step.sig != syscall.SIGKILL {
			targets = []int{first} // it passes the signal on
		}
		for _, pid := range targets {
			if err := syscall.Kill(pid, step.sig); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("stop leftover postgres process %d: %w", pid, err)
			}
		}
		if pids, err = awaitNone(ctx, h.data, step.grace); err != nil {
			return fmt.Errorf("stop leftover postgres processes %v: %w", pids, err)
		}
		if len(pids) == 0 {
			return forgetPostmaster(h.data)
		}
	}
	return fmt.Errorf("postgres processes %v, left by a killed process, do not end: end them by hand", pids)
}

// awaitNone waits until no server process is left, for at most grace, and
// returns those that are.
func awaitNone(ctx context.Context, data string, grace time.Duration) ([]int, error) {
	timeout := time.NewTimer(grace)
	defer timeout.Stop()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		pids, err := serversIn(data)
		if err != nil || len(pids) == 0 {
			return nil, err
		}
		select {
		case <-tick.C:
		case <-timeout.C:
			return pids, nil
		case <-ctx.Done():
			return pids, ctx.Err()
		}
	}
}

// forgetPostmaster removes the note of a server that is gone. PostgreSQL would
// mostly do so itself, but not when the number now belongs to another process
// of the same user, or to an ended one that nobody collected.
func forgetPostmaster(data string) error {
	err := os.Remove(filepath.Join(data, "postmaster.pid"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// postmasterPID is the process id in the note that a server keeps while it
// runs, 0 when there is none.
func postmasterPID(data string) (int, error) {
	lines, err := postmasterNote(data)
	if err != nil || len(lines) == 0 {
		return 0, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(lines[0]))
	if err != nil {
		return 0, nil // being written at this moment
	}
	return pid, nil
}

func postmasterNote(data string) ([]string, error) {
	text, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return strings.Split(string(text), "\n"), nil
}

// startedByUs looks for our mark on the command line that the last server of
// the directory noted.
func startedByUs(data string) bool {
	text, err := os.ReadFile(filepath.Join(data, "postmaster.opts"))
	return err == nil && strings.Contains(string(text), "cluster_name="+clusterName)
}
