package storetest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"testing"
	"time"

	"waybill/events/node"
)

const (
	processDir    = "WAYBILL_STORETEST_DIR"
	processListen = "WAYBILL_STORETEST_LISTEN"
	restart       = "storetest-restart" // first argument of the command that asks for a restart
)

// Process is an embedded node in a process of its own, to be killed and paused.
type Process struct {
	t       testing.TB
	dir     string
	address string

	mu      sync.Mutex
	command *exec.Cmd // nil while it is killed
}

// runProcess does the work of the processes that [StartProcess] and
// [Process.RestartCommand] start, and does not return there.
func runProcess() {
	if len(os.Args) == 3 && os.Args[1] == restart {
		askRestart(os.Args[2])
	}
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
	p := &Process{t: t, dir: t.TempDir(), address: address(t)}
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
	command := exec.Command(self)
	command.Env = append(os.Environ(), processDir+"="+p.dir, processListen+"="+p.address)
	command.Stderr = os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := command.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.mu.Lock()
	p.command = command
	p.mu.Unlock()
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
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.command == nil {
		return
	}
	p.command.Process.Kill()
	p.command.Wait()
	p.command = nil
}

// Pause stops the process where it is, and returns when it stands still. Resume
// lets it go on.
func (p *Process) Pause() {
	pid := p.signal(syscall.SIGSTOP)
	for pid != 0 {
		var status syscall.WaitStatus
		_, err := syscall.Wait4(pid, &status, syscall.WUNTRACED, nil)
		if !errors.Is(err, syscall.EINTR) {
			return
		}
	}
}

// Resume ends Pause. It does nothing to a process that was killed.
func (p *Process) Resume() { p.signal(syscall.SIGCONT) }

// signal returns the process's number, 0 when there is none.
func (p *Process) signal(s syscall.Signal) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.command == nil {
		return 0
	}
	if err := p.command.Process.Signal(s); err != nil {
		p.t.Errorf("signal %v: %v", s, err)
	}
	return p.command.Process.Pid
}

// RestartCommand returns a command that kills the node and starts it again, for
// those who want one. It works until the end of the test.
func (p *Process) RestartCommand() []string {
	p.t.Helper()
	self, err := os.Executable()
	if err != nil {
		p.t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		p.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.restart(c)
		}
	}()
	p.t.Cleanup(func() { l.Close(); <-ended })
	return []string{self, restart, l.Addr().String()}
}

func (p *Process) restart(asking net.Conn) {
	defer asking.Close()
	p.Kill()
	p.Start()
	asking.Write([]byte{1})
}

// askRestart asks the test process for a restart and ends when that is done.
func askRestart(address string) {
	c, err := net.Dial("tcp", address)
	if err == nil {
		_, err = c.Read(make([]byte, 1))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "storetest restart:", err)
		os.Exit(1)
	}
	os.Exit(0)
}
