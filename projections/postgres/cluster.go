package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// initGrace is how long the processes of a killed initdb get to notice.
const initGrace = 30 * time.Second

// ensureCluster makes the cluster when there is none, and returns the
// superuser's password. A cluster appears under its name only when complete,
// so an interruption at any moment leaves nothing that looks like one.
func ensureCluster(ctx context.Context, cfg Config, h home, a account, bin binaries) (string, error) {
	version, err := h.dataVersion()
	if err != nil {
		return "", err
	}
	if version != "" {
		text, err := os.ReadFile(h.password)
		if errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("%s is missing, and without it nobody gets into the database: restore it from a backup", h.password)
		}
		return strings.TrimSpace(string(text)), err
	}
	password := rand.Text()
	if err := writePassword(h.password, password, a); err != nil {
		return "", err
	}
	// What an interrupted start was making may still be written for a moment.
	if _, err := awaitNone(ctx, h.fresh, initGrace); err != nil {
		return "", err
	}
	if err := os.RemoveAll(h.fresh); err != nil {
		return "", err
	}
	if err := os.Mkdir(h.fresh, 0o700); err != nil {
		return "", err
	}
	if err := a.own(h.fresh); err != nil {
		return "", err
	}
	if err := initialise(ctx, cfg, h, a, bin); err != nil {
		return "", errors.Join(err, os.RemoveAll(h.fresh))
	}
	if err := os.Rename(h.fresh, h.data); err != nil {
		return "", err
	}
	if cfg.NoSync {
		return password, nil
	}
	return password, syncDir(h.dir)
}

// writePassword keeps the password where initdb reads it and nobody else but
// its owner can: on a command line everybody could see it.
func writePassword(path, password string, a account) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteString(password + "\n")
	return errors.Join(err, file.Sync(), file.Close(), a.own(path))
}

// initialise runs initdb. Names and texts are ordered by code point, which no
// upgrade of the system's language data can change under an index, and upper
// and lower case work in all languages. Where the system has no such locale
// (older macOS) plain C remains.
func initialise(ctx context.Context, cfg Config, h home, a account, bin binaries) error {
	var err error
	for _, locale := range []string{"C.UTF-8", "C"} {
		args := []string{
			"--pgdata=" + h.fresh, "--username=" + superuser, "--pwfile=" + h.password,
			"--auth-local=scram-sha-256", "--auth-host=scram-sha-256",
			"--encoding=UTF8", "--locale=" + locale, "--lc-messages=C", "--data-checksums",
		}
		if cfg.NoSync {
			args = append(args, "--no-sync")
		}
		_, err = run(ctx, a, func(ctx context.Context) *exec.Cmd {
			return exec.CommandContext(ctx, bin.path("initdb"), args...)
		})
		if err == nil || !strings.Contains(err.Error(), "invalid locale") {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("make the cluster (initdb): %w", err)
	}
	return nil
}

func syncDir(path string) error {
	dir, err := os.Open(filepath.Clean(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
