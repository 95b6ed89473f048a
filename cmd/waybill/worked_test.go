package main

import (
	"bufio"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/events"
)

// worked is an organisation's March 2026, played into the whole program by an
// injected clock: testdata/worked tells what its people do, what is in the log
// thereby, and who sees what.
type worked struct {
	*testing.T
	s   *system
	url string

	mu  sync.Mutex
	now time.Time

	names  map[string]string       // of ids, by name
	ids    map[string]string       // the other way round
	people map[string]*workedHuman // who may sign in, by name
	joined []string                // their names in the order in which they joined
	links  map[string]string       // tokens of the links that were sent, by name
	sight  []sighting
	last   events.Position // of what was commanded
}

// workedHuman is somebody with a password.
type workedHuman struct {
	email string
	token string // of the session; empty: signing in was refused
}

const workedPassword = "correct horse battery"

func TestTheWorkedExampleGivesItsFactsAndWhoSeesWhatAtEveryMoment(t *testing.T) {
	t.Parallel()
	w := startWorked(t)
	w.play()
	// The log ends with something that read models do not take.
	soon, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	w.must(w.s.caughtUp(soon))
	w.settle()
	log := w.log()
	facts := w.compare(log)
	w.replay(log, facts)
}

func startWorked(t *testing.T) *worked {
	t.Helper()
	w := &worked{T: t, names: map[string]string{}, ids: map[string]string{}, people: map[string]*workedHuman{}, links: map[string]string{}}
	w.sight = readSight(t)
	w.now = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	l, err := listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.url = urlOf(l)
	ctx, cancel := context.WithCancel(context.Background())
	serving, ended := make(chan *system, 1), make(chan error, 1)
	cfg := systemConfig{storageFlags: storageFlags{Data: dataDir(t)}, Log: discard(), Clock: clock{now: w.time, after: soon}, Pace: pace{limit: unhurried}, Mailing: mailing{base: w.url}}
	go func() {
		ended <- withSystem(ctx, cfg, func(ctx context.Context, s *system) error {
			return s.serve(ctx, l, workedPassword, func() { serving <- s })
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	})
	select {
	case w.s = <-serving:
	case err := <-ended:
		ended <- err
		t.Fatalf("it does not serve: %v", err)
	}
	return w
}

func (w *worked) time() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *worked) set(at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = at
}

// soon lets whoever sleeps look at the time every few milliseconds: it is set, and
// does not pass.
func soon(d time.Duration) (<-chan time.Time, func()) {
	timer := time.NewTimer(min(d, 10*time.Millisecond))
	return timer.C, func() { timer.Stop() }
}

// call gives an id its name.
func (w *worked) call(name, id string) {
	w.Helper()
	if _, err := uuid.Parse(id); err != nil || w.names[name] != "" && w.names[name] != id {
		w.Fatalf("%q cannot be called %s", id, name)
	}
	w.names[name], w.ids[id] = id, name
}

// must ends the test with an error.
func (w *worked) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// workedLines returns the lines of one of the example's files, without comments.
func workedLines(t *testing.T, name string) []string {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "worked", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var lines []string
	for in := bufio.NewScanner(f); in.Scan(); {
		if line := in.Text(); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines
}

func workedTime(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}
