package upload_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/commandapi/upload"
	"waybill/aggregates/problem"
)

// patience is what a test may wait for: far above what a healthy machine needs,
// however busy it is.
const patience = 5 * time.Minute

// bench is a dock behind a server; the organisation is the request's path.
type bench struct {
	*httptest.Server
	dir   string
	held  chan *upload.File // what arrived, when it is to be held
	begun atomic.Int64      // bodies that are read: those uploads are counted
}

// arriving is a body that tells when it is read for the first time.
type arriving struct {
	io.ReadCloser
	tell func()
}

func (a *arriving) Read(b []byte) (int, error) {
	a.tell()
	return a.ReadCloser.Read(b)
}

func setup(t *testing.T, cfg upload.Config, hold bool) *bench {
	t.Helper()
	b := &bench{dir: t.TempDir(), held: make(chan *upload.File, 16)}
	cfg.TempDir = b.dir
	if cfg.Patience == 0 { // nobody is too slow
		cfg.Patience = patience
	}
	dock := upload.New(cfg)
	problems := problem.NewRenderer(slog.New(slog.DiscardHandler), uuid.New)
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = &arriving{r.Body, sync.OnceFunc(func() { b.begun.Add(1) })}
		f, err := dock.Take(w, r, uuid.NewSHA1(uuid.Nil, []byte(r.URL.Path)), "file.csv")
		if err != nil {
			problems.Write(w, r, err)
			return
		}
		if hold {
			b.held <- f
		} else if err := f.Close(); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(b.Server.Close)
	return b
}

// send sends a body and returns the status and the answer.
func (b *bench) send(t *testing.T, org string, body io.Reader) (int, string) {
	t.Helper()
	status, text, err := b.try(org, body)
	if err != nil {
		t.Fatal(err)
	}
	return status, text
}

func (b *bench) try(org string, body io.Reader) (int, string, error) {
	req, err := http.NewRequest(http.MethodPost, b.URL+"/"+org, body)
	if err != nil {
		return 0, "", err
	}
	res, err := b.Client().Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return res.StatusCode, withRetry(res.Header, text), err
}

func withRetry(h http.Header, body []byte) string {
	return "Retry-After=" + h.Get("Retry-After") + " " + string(body)
}

func (b *bench) empty(t *testing.T) {
	t.Helper()
	left, err := os.ReadDir(b.dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left on disk: %v (%v)", left, err)
	}
}

// slow is a body that begins and then waits for the test. Whether its beginning is
// still wanted is told by the answer.
func slow(t *testing.T) (body io.Reader, begun, finish func()) {
	r, w := io.Pipe()
	t.Cleanup(func() { _ = w.Close() })
	return r, func() {
			_, _ = w.Write([]byte("some"))
		}, func() {
			_ = w.Close()
		}
}

func TestASenderThatStopsSendingIsToldSoAndTakesNoRoomAnyMore(t *testing.T) {
	t.Parallel()
	// Seen from a clock that is late, patience ends in a moment of the connection's
	// time, and not in the clock's.
	var late atomic.Int64
	late.Store(int64(patience - 30*time.Millisecond))
	b := setup(t, upload.Config{Patience: patience, PerOrg: 1, Now: func() time.Time {
		return time.Now().Add(-time.Duration(late.Load()))
	}}, false)
	body, begun, _ := slow(t)
	go begun()
	status, text := b.send(t, "a", body)
	if status != http.StatusRequestTimeout || !strings.Contains(text, "upload-too-slow") {
		t.Errorf("%d %s, want 408", status, text)
	}
	b.empty(t)
	late.Store(0)
	if status, text := b.send(t, "a", strings.NewReader("quick")); status != http.StatusNoContent {
		t.Errorf("the next one: %d %s", status, text)
	}
}

func TestASenderWhoseTimeIsOverBeforeTheFirstByteIsAnsweredAtOnce(t *testing.T) {
	t.Parallel()
	now := make(chan time.Time, 1)
	now <- time.Now()
	b := setup(t, upload.Config{Patience: time.Minute, Now: func() time.Time {
		at := <-now
		now <- at.Add(time.Hour) // every look at the clock is an hour later
		return at
	}}, false)
	b.Client().Timeout = patience
	body, begun, _ := slow(t)
	go begun()
	if status, text := b.send(t, "a", body); status != http.StatusRequestTimeout || !strings.Contains(text, "upload-too-slow") {
		t.Errorf("%d %s, want 408", status, text)
	}
	b.empty(t)
}

// trickle is a body of single bytes without an end.
type trickle struct{}

func (trickle) Read(b []byte) (int, error) {
	b[0] = 'x'
	return 1, nil
}

func TestASenderThatTricklesIsTooSlow(t *testing.T) {
	t.Parallel()
	now := make(chan time.Time, 1)
	now <- time.Now()
	b := setup(t, upload.Config{Patience: time.Minute, Rate: 1000, Now: func() time.Time {
		at := <-now
		now <- at.Add(time.Second) // every look at the clock is a second later
		return at
	}}, false)
	status, text, err := b.try("a", io.LimitReader(trickle{}, 1<<40))
	// The client may not have been able to send on before it read the answer.
	if err == nil && (status != http.StatusRequestTimeout || !strings.Contains(text, "1000 bytes per second")) {
		t.Errorf("%d %s, want 408", status, text)
	}
	b.empty(t)
}

func TestSlowSendersHoldUpOnlyTheirOwnOrganisation(t *testing.T) {
	t.Parallel()
	b := setup(t, upload.Config{PerOrg: 2, All: 3}, false)
	ended := make(chan error, 3)
	var finish []func()
	start := func(org string) {
		before := b.begun.Load()
		body, begun, end := slow(t)
		finish = append(finish, end)
		go func() {
			status, text, err := b.try(org, body)
			if err == nil && status != http.StatusNoContent {
				err = errors.New(text)
			}
			ended <- err
		}()
		begun()
		eventually(t, func() bool { return b.begun.Load() > before })
	}
	start("a")
	start("a")
	if status, text := b.send(t, "a", strings.NewReader("third")); status != http.StatusTooManyRequests ||
		!strings.Contains(text, "too-many-uploads") || !strings.Contains(text, "Retry-After=30") {
		t.Errorf("a third one of that organisation: %d %s", status, text)
	}
	if status, text := b.send(t, "b", strings.NewReader("another's")); status != http.StatusNoContent {
		t.Errorf("another organisation: %d %s", status, text)
	}
	start("c")
	if status, text := b.send(t, "b", strings.NewReader("fourth in all")); status != http.StatusServiceUnavailable || !strings.Contains(text, "uploads-busy") {
		t.Errorf("a fourth one in all: %d %s", status, text)
	}
	for _, f := range finish {
		f()
	}
	for range finish {
		if err := <-ended; err != nil {
			t.Errorf("who was slow, and came in the end: %v", err)
		}
	}
	b.empty(t)
}

func TestFilesAreBoundedEachPerOrganisationAndInAll(t *testing.T) {
	t.Parallel()
	b := setup(t, upload.Config{MaxFile: 1000, MaxOrg: 1500, MaxAll: 2000, PerOrg: 9}, true)
	kilo := strings.Repeat("x", 1000)
	for name, body := range map[string]io.Reader{
		"said": strings.NewReader(kilo + "x"), "not said": io.MultiReader(strings.NewReader(kilo), strings.NewReader("x")),
	} {
		if status, text := b.send(t, "a", body); status != http.StatusRequestEntityTooLarge {
			t.Errorf("a large file, %s: %d %s", name, status, text)
		}
	}
	for i, step := range []struct {
		org  string
		size int
		want int
	}{{"a", 1000, 204}, {"a", 501, 429}, {"a", 500, 204}, {"b", 501, 503}, {"b", 500, 204}, {"c", 1, 503}} {
		if status, text := b.send(t, step.org, strings.NewReader(kilo[:step.size])); status != step.want {
			t.Errorf("step %d: %d %s, want %d", i, status, text, step.want)
		}
	}
	for range 3 {
		f := <-b.held
		for range 2 {
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	if status, text := b.send(t, "c", strings.NewReader(kilo)); status != http.StatusNoContent {
		t.Errorf("when there is room again: %d %s", status, text)
	}
	if err := (<-b.held).Close(); err != nil {
		t.Error(err)
	}
	b.empty(t)
}

func TestAFileThatBreaksOffIsForgotten(t *testing.T) {
	t.Parallel()
	b := setup(t, upload.Config{PerOrg: 1}, false)
	failing := io.MultiReader(io.LimitReader(trickle{}, 100), errReader{})
	if _, _, err := b.try("a", failing); err == nil {
		t.Error("a body that failed was sent")
	}
	eventually(t, func() bool {
		status, _ := b.send(t, "a", strings.NewReader("whole"))
		return status == http.StatusNoContent
	})
	b.empty(t)
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, fmt.Errorf("the line is dead") }

func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); {
		if time.Now().After(end) {
			t.Fatal("it never came")
		}
		runtime.Gosched()
	}
}
