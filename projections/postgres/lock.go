package postgres

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/gofrs/flock"
)

// dirLock is the claim of one process on a home. The kernel gives it up when
// the process dies, however it dies.
type dirLock struct {
	file *flock.Flock
}

// lockHome takes the lock or says who has it.
func lockHome(h home) (*dirLock, error) {
	file := flock.New(h.lock, flock.SetFlag(os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW), flock.SetPermissions(0o600))
	locked, err := file.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", h.lock, err)
	}
	if !locked {
		text, err := os.ReadFile(h.lock)
		if err != nil {
			return nil, &InUseError{Dir: h.dir}
		}
		pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil {
			pid = 0 // the owner has not written its number yet
		}
		return nil, &InUseError{Dir: h.dir, PID: pid, Program: "waybill"}
	}
	lock := &dirLock{file: file}
	if err := os.WriteFile(h.lock, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o600); err != nil {
		lock.release()
		return nil, fmt.Errorf("write %s: %w", h.lock, err)
	}
	return lock, nil
}

// release gives the lock up. The file stays: removing it would let two
// processes lock two files of one name. Closing a file that we only locked
// cannot lose anything, so its error has no consequence.
func (l *dirLock) release() { _ = l.file.Close() }
