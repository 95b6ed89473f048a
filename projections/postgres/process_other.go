//go:build unix && !linux

package postgres

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// dieWithParent does nothing: only Linux can tell a program that its parent
// died. What a killed owner leaves running is stopped by the next Start.
func dieWithParent(*syscall.SysProcAttr, syscall.Signal) {}

// serversIn tells the live first process of a data directory's server, by its
// command line: that names the directory.
func serversIn(data string) ([]int, error) {
	pid, err := postmasterPID(data)
	if err != nil || pid == 0 {
		return nil, err
	}
	out, err := exec.Command("ps", "-o", "args=", "-p", strconv.Itoa(pid)).Output()
	if err != nil || !strings.Contains(string(out), data) {
		return nil, nil // ps fails when there is no such process
	}
	return []int{pid}, nil
}
