package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"waybill/aggregates/aggregatetest"
	"waybill/aggregates/command"
	"waybill/projections/pgtest"
)

// asProgram, in the environment, makes the test binary be the program, so that
// tests can kill it.
const asProgram = "WAYBILL_TEST_AS_PROGRAM"

// acknowledgedTo, in the environment of the program, is a file that gets a line
// for every delivery that an import has acknowledged.
const acknowledgedTo = "WAYBILL_TEST_ACKNOWLEDGED"

// unhurried waits for as long as a request may take at all: the machine may be busy
// with other things.
const unhurried = 50 * time.Second

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) == "" {
		// Always the same commands: what an unlucky draw would find in the code is to
		// be looked for, with -rapid.seed=0, and not to hold up whoever lands
		// something else. What the command line says, wins.
		for name, value := range map[string]string{"rapid.seed": "20300301", "rapid.checks": "8", "rapid.steps": "60", "rapid.shrinktime": "60s"} {
			if err := flag.Set(name, value); err != nil {
				panic(err)
			}
		}
		os.Exit(pgtest.Main(m)) // for those tests that need no Postgres of their own
	}
	program := Main{Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, pace: pace{limit: unhurried}}
	if path := os.Getenv(acknowledgedTo); path != "" {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(exitFailed)
		}
		program.Imported = func(o command.Outcome) {
			if o.Status == command.OutcomeCreated {
				fmt.Fprintf(f, "%s %s\n", o.Delivery, o.DONumber)
			}
		}
	}
	os.Exit(program.Run(context.Background()))
}

// dataDir is a directory that the private Postgres can get into whoever runs the
// tests.
func dataDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "waybill-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "data")
}

// ended is what a run of the program left.
type ended struct {
	code           int
	stdout, stderr string
}

// run runs the program in this process to its end.
func run(t *testing.T, args ...string) ended {
	t.Helper()
	out, errs := &aggregatetest.Log{}, &aggregatetest.Log{}
	m := Main{Args: args, Stdout: out, Stderr: errs, pace: pace{limit: unhurried}}
	return ended{m.Run(t.Context()), out.String(), errs.String()}
}

// mustRun is run for what has to go well.
func mustRun(t *testing.T, args ...string) string {
	t.Helper()
	e := run(t, args...)
	if e.code != exitOK {
		t.Fatalf("waybill %s: exit code %d\n%s%s", strings.Join(args, " "), e.code, e.stdout, e.stderr)
	}
	return e.stdout
}

// server is the program serving in this process.
type server struct {
	url    string
	stdout *aggregatetest.Log
	stop   func() int // ends it as a signal would, once, and returns its exit code
}

func startServer(t *testing.T, args ...string) *server {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, errs := &aggregatetest.Log{}, &aggregatetest.Log{}
	serving, done := make(chan string, 1), make(chan int, 1)
	m := Main{Args: args, Stdout: out, Stderr: errs, Serving: func(url string) { serving <- url }, pace: pace{limit: unhurried}}
	go func() { done <- m.Run(ctx) }()
	var once sync.Once
	code := -1
	s := &server{stdout: out, stop: func() int {
		once.Do(func() { cancel(); code = <-done })
		return code
	}}
	t.Cleanup(func() {
		if code := s.stop(); code != exitOK {
			t.Errorf("the server ended with exit code %d\n%s", code, errs.String())
		}
	})
	select {
	case s.url = <-serving:
	case code := <-done:
		once.Do(func() { cancel() })
		t.Fatalf("waybill %s ended with exit code %d\n%s%s", strings.Join(args, " "), code, out.String(), errs.String())
	}
	return s
}

// start runs the program as a process of its own.
func start(t *testing.T, env []string, args ...string) (*exec.Cmd, *aggregatetest.Log) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out := &aggregatetest.Log{}
	cmd := exec.Command(self, args...)
	cmd.Env = append(append(os.Environ(), asProgram+"=1"), env...)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // does nothing to one that has ended
		_ = cmd.Wait()
	})
	return cmd, out
}

// eventually polls until a condition holds. Its patience is for machines that are
// busy with other things.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(3 * time.Minute)
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: not within three minutes", what)
		}
	}
}

// postgresOf returns the process id of the Postgres of a data directory; 0 when
// none runs.
func postgresOf(dir string) int {
	text, err := os.ReadFile(filepath.Join(dir, "postgres", "data", "postmaster.pid"))
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || syscall.Kill(pid, 0) != nil {
		return 0
	}
	return pid
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }
