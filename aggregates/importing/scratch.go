package importing

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Staged rows hold what is personal. So scratch files have no name from the moment
// they are made and are gone with the process, however it ends; what needs a name
// carries the process' number, and the next import removes what a killed one left.

const scratchPrefix = "waybill-import-"

func scratchPattern() string { return fmt.Sprintf("%s%d-", scratchPrefix, os.Getpid()) }

// scratchFile returns a new file that only this process can reach.
func scratchFile(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, scratchPattern())
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// scratchDir returns a new directory, to be removed by the caller.
func scratchDir(dir string) (string, error) { return os.MkdirTemp(dir, scratchPattern()) }

// sweep removes what processes that are gone have left. What cannot be removed is
// somebody else's and stays.
func sweep(dir string) {
	if dir == "" {
		dir = os.TempDir()
	}
	left, err := filepath.Glob(filepath.Join(dir, scratchPrefix+"*"))
	if err != nil {
		return
	}
	for _, path := range left {
		number, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(path), scratchPrefix), "-")
		pid, err := strconv.Atoi(number)
		if err == nil && pid > 0 && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			_ = os.RemoveAll(path)
		}
	}
}
