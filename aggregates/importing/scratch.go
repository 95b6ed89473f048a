package importing

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Staged rows hold what is personal. So scratch files have no name from the moment
// they are made and are gone with the process, however it ends; what needs a name
// carries the process' number and when it began, and the next import removes what a
// killed one left.

const scratchPrefix = "waybill-import-"

// began tells this process from one before it of the same number, as every first
// process of a container has it.
var began = sync.OnceValue(func() string { return strconv.FormatInt(time.Now().UnixNano(), 36) })

func scratchPattern() string { return fmt.Sprintf("%s%d-%s-", scratchPrefix, os.Getpid(), began()) }

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
		number, rest, _ := strings.Cut(strings.TrimPrefix(filepath.Base(path), scratchPrefix), "-")
		pid, err := strconv.Atoi(number)
		if err != nil || pid <= 0 {
			continue
		}
		before := pid == os.Getpid() && !strings.HasPrefix(rest, began()+"-")
		if before || errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			_ = os.RemoveAll(path)
		}
	}
}
