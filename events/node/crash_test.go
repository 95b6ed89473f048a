package node

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"
	"go.uber.org/goleak"
)

var crashRounds = flag.Int("crash-rounds", 10, "how often the crash test kills a node")

// crashChild in the environment makes the test binary a node with writers, for the crash test to kill.
const crashChild = "WAYBILL_TEST_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashChild); dir != "" {
		if err := writeUntilKilled(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	status := m.Run()
	if err := leftovers(); err != nil && status == 0 {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

// leftovers are goroutines that outlive the nodes they served; those about to end are waited for. A client's own may: one
// that was never connected waits for its next request for ever.
func leftovers() (err error) {
	for begun := time.Now(); time.Since(begun) < time.Minute; {
		err = goleak.Find(
			goleak.IgnoreAnyFunction("github.com/EventStore/EventStore-Client-Go/v4/esdb.connectionStateMachine"),
		)
		if err == nil {
			break
		}
	}
	return err
}

// writeUntilKilled serves dir and appends from several clients, saying on standard output what was acknowledged:
// stream, last revision, number of events.
func writeUntilKilled(dir string) error {
	n, err := Open(Config{Dir: dir})
	if err != nil {
		return err
	}
	go func() { _ = n.Run(context.Background()) }()
	settings, err := esdb.ParseConnectionString(n.ConnectionString())
	if err != nil {
		return err
	}
	settings.Logger = esdb.NoopLogging()
	client, err := esdb.NewClient(settings)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	failed := make(chan error)
	for w := range 6 {
		go func() {
			stream := fmt.Sprintf("Writer-%d-%s", w, uuid.NewString())
			next := uint64(0)
			for i := 0; ; i++ {
				events := proposals(1 + (i+w)%4)
				for k := range events {
					events[k].Data = binary.BigEndian.AppendUint32(nil, uint32(len(events))) // how many belong together
					events[k].Metadata = binary.BigEndian.AppendUint32(nil, uint32(k))
				}
				var expected esdb.ExpectedRevision = esdb.NoStream{}
				if next > 0 {
					expected = esdb.Revision(next - 1)
				}
				_, err := client.AppendToStream(context.Background(), stream, esdb.AppendToStreamOptions{ExpectedRevision: expected}, events...)
				if err != nil {
					failed <- err
					return
				}
				next += uint64(len(events))
				mu.Lock()
				fmt.Printf("%s %d\n", stream, next)
				mu.Unlock()
			}
		}()
	}
	return <-failed
}

func TestKilledNodeKeepsWhatItAcknowledged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	acknowledged := map[string]uint64{} // stream -> number of events
	for round := range *crashRounds {
		life := time.Duration(20+rand.IntN(180)) * time.Millisecond
		for stream, count := range killAfter(t, dir, life) {
			acknowledged[stream] = count
		}
		verifyAfterCrash(t, dir, acknowledged, fmt.Sprintf("round %d, killed after %v", round, life))
		if t.Failed() {
			return
		}
	}
	if len(acknowledged) == 0 {
		t.Error("no append was acknowledged in any round")
	}
}

// killAfter starts a node with writers, kills it life after its first acknowledgement, and gives what it acknowledged.
func killAfter(t *testing.T, dir string, life time.Duration) map[string]uint64 {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), crashChild+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	var timer *time.Timer
	said := map[string]uint64{}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var stream string
		var count uint64
		if n, _ := fmt.Sscanf(lines.Text(), "%s %d", &stream, &count); n == 2 {
			said[stream] = count
		}
		once.Do(func() { timer = time.AfterFunc(life, func() { _ = child.Process.Kill() }) })
	}
	if timer == nil {
		t.Fatalf("the node never acknowledged anything: %v", child.Wait())
	}
	if err := child.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the node ended by itself: %v", err)
	}
	return said
}

func verifyAfterCrash(t *testing.T, dir string, acknowledged map[string]uint64, when string) {
	t.Helper()
	n, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- n.Run(ctx) }()
	c := connect(t, n.ConnectionString())
	found := map[string][]*esdb.ResolvedEvent{}
	for _, e := range readAll(t, c, esdb.ReadAllOptions{From: esdb.Start{}}) {
		s := e.Event.StreamID
		if e.Event.EventNumber != uint64(len(found[s])) {
			t.Errorf("%s: %s has revision %d where %d belongs", when, s, e.Event.EventNumber, len(found[s]))
		}
		found[s] = append(found[s], e)
	}
	for stream, count := range acknowledged {
		if have := uint64(len(found[stream])); have < count {
			t.Errorf("%s: %s has %d events, %d were acknowledged", when, stream, have, count)
		}
	}
	for stream, events := range found {
		for i := 0; i < len(events); {
			together := int(binary.BigEndian.Uint32(events[i].Event.Data))
			if i+together > len(events) {
				t.Errorf("%s: %s ends with half an append", when, stream)
			}
			i += together
		}
		if got := len(readStream(t, c, stream, esdb.ReadStreamOptions{})); got != len(events) {
			t.Errorf("%s: %s has %d events by its index, %d in the log", when, stream, got, len(events))
		}
	}
	cancel()
	if err := errors.Join(<-ran, c.Close(), n.Close()); err != nil {
		t.Errorf("%s: %v", when, err)
	}
}

func TestDirectoryInUseIsRefusedByName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), crashChild+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = child.Process.Kill(); _ = child.Wait() }()
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	n, err := Open(Config{Dir: dir})
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), dir) {
		t.Errorf("opened %v: %v, want ErrInUse naming %s", n, err, dir)
	}
}

func TestDirectoryIsFreeAgainAfterClose(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "made", "when", "missing")
	for range 2 {
		n, err := Open(Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Open(Config{Dir: dir}); !errors.Is(err, ErrInUse) {
			t.Errorf("second opener in this process: %v, want ErrInUse", err)
		}
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
