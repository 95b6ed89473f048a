package pgtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// dieBy, when set, makes the test program start its server and then end in
// that way instead of running tests.
const dieBy = "WAYBILL_TEST_DIE_BY"

func TestMain(m *testing.M) {
	if way := os.Getenv(dieBy); way != "" {
		os.Exit(Main(dying(way)))
	}
	os.Exit(Main(m))
}

// dying is a run of tests that ends badly.
type dying string

func (d dying) Run() int {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	server, err := current.start(ctx)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(current.dir, server.Port())
	switch d {
	case "panic":
		panic("a test panics")
	case "exit":
		os.Exit(3)
	case "fail":
		return 1
	}
	_, _ = io.Copy(io.Discard, os.Stdin) // until killed: its input stays open
	return 2
}

func TestNothingStaysBehindHoweverTheTestsEnd(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"panic", "exit", "fail", "kill"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), dieBy+"="+way)
			input, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			defer input.Close()
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(out).ReadString('\n')
			if err != nil {
				t.Errorf("it said %q: %v", line, err)
			}
			if way == "kill" {
				if err := cmd.Process.Kill(); err != nil {
					t.Error(err)
				}
			}
			_ = cmd.Wait() // each way is a failure
			dir, port, ok := strings.Cut(strings.TrimSpace(line), " ")
			if !ok {
				t.Fatalf("it said %q", line)
			}
			eventually(t, dir+" is gone", func() bool {
				_, err := os.Stat(dir)
				return errors.Is(err, fs.ErrNotExist)
			})
			eventually(t, "nobody listens on port "+port, func() bool {
				conn, err := net.Dial("tcp4", net.JoinHostPort("127.0.0.1", port))
				if err == nil {
					_ = conn.Close()
				}
				return err != nil
			})
		})
	}
}

// eventually waits for a condition that nothing announces.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.NewTimer(startTimeout)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("not in time: %s", what)
		}
	}
}

func TestWithoutMainTheErrorSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	var unopened shared
	if _, err := unopened.start(t.Context()); err == nil || !strings.Contains(err.Error(), "pgtest.Main") {
		t.Fatal(err)
	}
}

func TestAServerIsStartedOnlyWhenATestAsks(t *testing.T) {
	t.Parallel()
	var idle shared
	idle.open()
	if err := idle.close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if idle.dir != "" {
		t.Fatalf("%s was made", idle.dir)
	}
}

func TestAFailedTemplateFailsEveryTestThatAsksForIt(t *testing.T) {
	t.Parallel()
	if _, err := current.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	calls := 0
	for range 2 {
		_, err := current.template(t.Context(), "failing", func(string) error {
			calls++
			return errors.New("no schema")
		})
		if err == nil || !strings.Contains(err.Error(), `"failing"`) || !strings.Contains(err.Error(), "no schema") {
			t.Fatal(err)
		}
	}
	if calls != 1 {
		t.Fatalf("prepared %d times, want once", calls)
	}
}
