package postgres

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// dieWithParent asks the kernel to send a signal when we die.
func dieWithParent(attr *syscall.SysProcAttr, sig syscall.Signal) { attr.Pdeathsig = sig }

// serversIn lists the live PostgreSQL processes of a data directory: each of
// them has it as its current directory. Ended ones that nobody has collected
// have none, and do not count.
func serversIn(data string) ([]int, error) {
	want, err := os.Stat(data)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var pids []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		at := filepath.Join("/proc", entry.Name())
		comm, err := os.ReadFile(filepath.Join(at, "comm"))
		if err != nil || strings.TrimSpace(string(comm)) != "postgres" {
			continue
		}
		cwd, err := os.Stat(filepath.Join(at, "cwd"))
		if err == nil && os.SameFile(cwd, want) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}
