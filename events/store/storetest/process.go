package storetest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"waybill/events/node"
)

const (
	processDir    = "WAYBILL_STORETEST_DIR"
	processListen = "WAYBILL_STORETEST_LISTEN"
)

// Process is an embedded node in a process of its own, to be killed and paused.
type Process struct {
	t       testing.TB
	dir     string
	address string
	command *exec.Cmd
}

// RunProcess is what a package's TestMain calls first: in the process that
// [StartProcess] starts it serves and does not return.
func RunProcess() {
	dir := os.Getenv(processDir)
	if dir == "" {
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	n, err := node.Open(node.Config{Dir: dir, Listen: os.Getenv(processListen)})
	if err == nil {
		err = n.Run(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "storetest node:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// StartProcess starts a node in another process; it is killed with the test.
func StartProcess(t testing.TB) *Process {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p := &Process{t: t, dir: t.TempDir(), address: l.Addr().String()}
	l.Close()
	p.Start()
	t.Cleanup(p.Kill)
	return p
}

// URL returns the node's connection string.
func (p *Process) URL() string { return "esdb://" + p.address + "?tls=false" }

// Start starts the process again and waits until it takes connections.
func (p *Process) Start() {
	p.t.Helper()
	self, err := os.Executable()
	if err != nil {
		p.t.Fatal(err)
	}
	p.command = exec.Command(self)
	p.command.Env = append(os.Environ(), processDir+"="+p.dir, processListen+"="+p.address)
	p.command.Stderr = os.Stderr
	p.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.command.Start(); err != nil {
		p.t.Fatal(err)
	}
	Eventually(p.t, "the node's process takes connections", func() bool {
		c, err := net.DialTimeout("tcp", p.address, time.Second)
		if err != nil {
			return false
		}
		c.Close()
		return true
	})
}

// Kill ends the process as a power cut would, and waits for its end.
func (p *Process) Kill() {
	if p.command == nil {
		return
	}
	p.command.Process.Kill()
	p.command.Wait()
	p.command = nil
}

// Pause stops the process where it is; Resume lets it go on.
func (p *Process) Pause() { p.signal(syscall.SIGSTOP) }

// Resume ends Pause.
func (p *Process) Resume() { p.signal(syscall.SIGCONT) }

func (p *Process) signal(s syscall.Signal) {
	if err := p.command.Process.Signal(s); err != nil {
		p.t.Errorf("signal %v: %v", s, err)
	}
}
