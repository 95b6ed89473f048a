package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"waybill/aggregates/policies"
	"waybill/events"
	"waybill/events/store"
	"waybill/projections"
	"waybill/projections/deadlines"
	"waybill/projections/pgtest"
	"waybill/projections/readmodel"
)

// handClock is a clock that moves when it is told to.
type handClock struct {
	mu    sync.Mutex
	now   time.Time
	bells []chan time.Time
}

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// after rings whenever the clock moves: who sleeps looks at the time again.
func (c *handClock) after(time.Duration) (<-chan time.Time, func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	bell := make(chan time.Time, 1)
	c.bells = append(c.bells, bell)
	return bell, func() {}
}

func (c *handClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	for _, bell := range c.bells {
		bell <- c.now
	}
	c.bells = nil
}

// follower is a consumer, and what it follows.
type follower struct {
	*projections.Progress
	prefixes []string
}

// whole is the whole program with all its consumers and policies, behind one HTTP
// server, on a clock of its own.
type whole struct {
	*system
	url       string
	time      *handClock
	followers []follower

	seen events.Position            // up to here the log was looked through
	last map[string]events.Position // the last event of each category, as far as seen
}

func newWhole(t *testing.T) *whole {
	t.Helper()
	// Far from the machine's time, so that whoever goes by that is found out.
	w := &whole{time: &handClock{now: time.Date(2100, 3, 1, 8, 0, 0, 0, time.UTC)}, last: map[string]events.Position{}}
	cfg := systemConfig{
		storageFlags: storageFlags{Data: t.TempDir(), Postgres: pgtest.Database(t)},
		Log:          slog.New(slog.DiscardHandler),
		Clock:        clock{now: w.time.Now, after: w.time.after},
		Pace:         pace{patience: time.Millisecond, progress: 2 * time.Millisecond, limit: unhurried},
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- withSystem(ctx, cfg, func(ctx context.Context, s *system) error {
			w.system = s
			close(ready)
			<-ctx.Done()
			return nil
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the system ended with %v", err)
		}
	})
	select {
	case <-ready:
	case err := <-ended:
		ended <- nil
		t.Fatal(err)
	}
	handler, err := w.handler("")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	w.url = server.URL
	w.follow(t)
	return w
}

// follow learns how far the consumers are.
func (w *whole) follow(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	t.Cleanup(func() { cancel(); running.Wait() })
	for name, prefixes := range map[string][]string{
		readmodel.Name: events.AggregatePrefixes(), deadlines.Name: deadlines.Prefixes(), policies.Name: policies.Prefixes(),
		policies.MergesName: policies.MergesPrefixes(), policies.ClientsName: policies.ClientsPrefixes(),
	} {
		p := projections.NewProgress(projections.ProgressConfig{Name: name, Pool: w.pools.Reader})
		running.Go(func() { _ = p.Run(ctx) })
		w.followers = append(w.followers, follower{p, prefixes})
	}
}

// look takes in what was appended since the last look, and returns the position of
// the last event of any aggregate.
func (w *whole) look(ctx context.Context) (events.Position, error) {
	var head events.Position
	found := map[string]bool{}
	for r, err := range w.store.ReadAll(ctx, events.Position{}, store.Backwards) {
		if err != nil {
			return head, err
		}
		if !r.Position.After(w.seen) {
			break
		}
		if head.IsZero() {
			head = r.Position
		}
		if category, _, _ := strings.Cut(r.Stream, "-"); !found[category] {
			found[category], w.last[category+"-"] = true, r.Position
		}
	}
	if !head.IsZero() {
		w.seen = head
	}
	return w.lastOf(events.AggregatePrefixes()), nil
}

func (w *whole) lastOf(prefixes []string) events.Position {
	var last events.Position
	for _, p := range prefixes {
		if w.last[p].After(last) {
			last = w.last[p]
		}
	}
	return last
}

// settle returns when everything has happened that follows from what was done so
// far: every consumer has seen the end of the log, nothing is due, and nothing was
// appended meanwhile.
func (w *whole) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	for {
		end, err := w.look(ctx)
		if err != nil {
			return err
		}
		for _, f := range w.followers {
			if err := f.Wait(ctx, w.lastOf(f.prefixes)); err != nil {
				return err
			}
		}
		var due bool
		if err := w.pools.Projector.QueryRow(ctx, `SELECT EXISTS (SELECT FROM ops.deadlines WHERE due_at <= $1)`, w.time.Now()).Scan(&due); err != nil {
			return err
		}
		now, err := w.look(ctx)
		switch {
		case err != nil:
			return err
		case now == end && !due:
			return nil
		case due: // the clock is at it
			select {
			case <-time.After(time.Millisecond):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

// reply is what came back over HTTP.
type reply struct {
	status int
	body   []byte
}

func (r reply) into(v any) error { return json.Unmarshal(r.body, v) }

// send sends a request with a token, and a body as JSON or, of bytes, as a file.
// The empty token is a stranger's.
func (w *whole) send(ctx context.Context, token, method, path string, body any, headers ...string) (reply, error) {
	media := "application/json"
	in, isFile := body.([]byte)
	if isFile {
		media = "application/octet-stream"
	} else if body != nil {
		var err error
		if in, err = json.Marshal(body); err != nil {
			return reply{}, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, w.url+path, bytes.NewReader(in))
	if err != nil {
		return reply{}, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if body != nil {
		req.Header.Set("Content-Type", media)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, out}, err
}
