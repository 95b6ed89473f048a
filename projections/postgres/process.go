package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// process is a started program that dies with us where the system allows.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // how it ended; read it after done
}

// spawn starts cmd. The kernel sends the parent-death signal when the *thread*
// that started a program ends, so that thread is kept until the program ended.
func spawn(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		p.err = cmd.Wait()
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) signal(sig syscall.Signal) error {
	err := p.cmd.Process.Signal(sig)
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// endGrace is how long a server gets that was told to stop at once: it kills
// its own processes after 5 seconds, and sees them end. Ended before that, it
// would leave them behind.
const endGrace = 30 * time.Second

// end makes the program stop at once, and waits until it has. A signal that
// fails found it gone already.
func (p *process) end() {
	_ = p.signal(syscall.SIGQUIT)
	grace := time.NewTimer(endGrace)
	defer grace.Stop()
	select {
	case <-p.done:
		return
	case <-grace.C:
	}
	_ = p.signal(syscall.SIGKILL)
	<-p.done
}

// failure describes how the program ended, also when it said all is well.
func (p *process) failure() error {
	if p.err != nil {
		return p.err
	}
	return errors.New("exit status 0")
}

// printGrace is how long the output of a program that has ended is waited for. It
// is there at that moment; on a busy machine we may be slow to take it.
const printGrace = 30 * time.Second

// run runs a short program as the account and returns what it printed; an
// error holds what it complained of. When
// ctx ends, the program is killed with everything it started.
func run(ctx context.Context, a account, build func(context.Context) *exec.Cmd) (string, error) {
	cmd := build(ctx)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if cmd.Dir == "" {
		cmd.Dir = "/" // our own may be closed to the account
	}
	cmd.Env = environment(os.Environ())
	cmd.SysProcAttr = a.attributes()
	dieWithParent(cmd.SysProcAttr, syscall.SIGKILL)
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = printGrace
	p, err := spawn(cmd)
	if err != nil {
		return "", err
	}
	<-p.done
	if p.err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("%w: %s", p.err, strings.TrimSpace(complaint.String()))
	}
	return out.String(), nil
}

// environment is ours without what would change a server's or client's mind,
// and with messages in the one language that we can read.
func environment(ours []string) []string {
	env := slices.DeleteFunc(slices.Clone(ours), func(entry string) bool {
		return strings.HasPrefix(entry, "PG") || strings.HasPrefix(entry, "LC_") ||
			strings.HasPrefix(entry, "LANG=") || strings.HasPrefix(entry, "LANGUAGE=")
	})
	return append(env, "LC_ALL=C")
}
