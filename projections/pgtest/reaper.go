package pgtest

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"syscall"
)

// reaperScript waits until we close its input, which the kernel does for us
// when we die, and then removes the directory. A server that is still ending
// may put files back, so it repeats that for some minutes.
const reaperScript = `cat >/dev/null
i=0
while [ $i -lt 600 ]; do
	rm -rf -- "$1" 2>/dev/null
	[ -e "$1" ] || exit 0
	i=$((i + 1))
	sleep 0.3
done
exit 1`

// reaper removes a directory when this process ends, however it ends.
type reaper struct {
	cmd   *exec.Cmd
	input io.Closer
}

// startReaper starts it in a session of its own, so that a signal for us is
// not one for it, and with no part in our output, so that nobody who waits for
// the end of that waits for it.
func startReaper(dir string) (*reaper, error) {
	cmd := exec.Command("/bin/sh", "-c", reaperScript, "sh", dir)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the remover of %s: %w", dir, err)
	}
	return &reaper{cmd: cmd, input: input}, nil
}

// finish lets it do its work now, and waits.
func (r *reaper) finish() error {
	if err := errors.Join(r.input.Close(), r.cmd.Wait()); err != nil {
		return fmt.Errorf("remove the server's files: %w", err)
	}
	return nil
}
