package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// checkReach makes sure, before anything is made, that the account can run the
// programs and get to the directory. It asks the kernel by trying, so that
// access lists and the like count too.
func checkReach(ctx context.Context, a account, bin binaries, home home) error {
	if !a.drop {
		return nil // whatever we cannot reach ourselves fails with a plain error
	}
	if err := tryFrom(ctx, a, bin, "/"); err != nil {
		blocked, err := firstBlocked(ctx, a, bin.dir, err)
		if err != nil {
			return fmt.Errorf("user %s cannot run %s: %w", a.name, bin.path("postgres"), err)
		}
		return &UnreachableError{Dir: bin.dir, Blocked: blocked, Account: a.name}
	}
	// The home itself gets its mode from us, so only what is above counts.
	above, err := existing(filepath.Dir(home.dir))
	if err != nil {
		return err
	}
	if err := tryFrom(ctx, a, bin, above); err == nil {
		return nil
	}
	for _, dir := range ancestors(above) {
		if err := tryFrom(ctx, a, bin, dir); err != nil {
			return &UnreachableError{Dir: home.dir, Blocked: dir, Account: a.name}
		}
	}
	return errors.New("the directory changed while it was looked at")
}

// tryFrom runs a harmless program as the account with dir as the current
// directory.
func tryFrom(ctx context.Context, a account, bin binaries, dir string) error {
	_, err := run(ctx, a, func(ctx context.Context) *exec.Cmd {
		cmd := exec.CommandContext(ctx, bin.path("postgres"), "--version")
		cmd.Dir = dir
		return cmd
	})
	return err
}

// firstBlocked finds which directory above the programs keeps the account out,
// by mode bits, since without the programs there is nothing to try with.
func firstBlocked(_ context.Context, a account, dir string, cause error) (string, error) {
	for _, dir := range ancestors(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return "", err
		}
		owner, _, err := ownerOf(dir)
		if err != nil {
			return "", err
		}
		bit := os.FileMode(0o001)
		switch {
		case owner.uid == a.uid:
			bit = 0o100
		case owner.gid == a.gid:
			bit = 0o010
		}
		if info.Mode()&bit == 0 {
			return dir, nil
		}
	}
	return "", cause
}

// existing is the nearest directory at or above dir that exists, with symbolic
// links resolved, because each directory behind a link counts as well.
func existing(dir string) (string, error) {
	for {
		real, err := filepath.EvalSymlinks(dir)
		if err == nil {
			return real, nil
		}
		parent := filepath.Dir(dir)
		if !errors.Is(err, os.ErrNotExist) || parent == dir {
			return "", err
		}
		dir = parent
	}
}

// ancestors lists the directories on the way to dir, from the root down to dir
// itself.
func ancestors(dir string) []string {
	list := []string{"/"}
	at := "/"
	for _, name := range strings.Split(strings.Trim(dir, "/"), "/") {
		at = filepath.Join(at, name)
		list = append(list, at)
	}
	return list
}
