package mail_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	netmail "net/mail"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/access/route"
	"waybill/aggregates/aggregatetest"
	"waybill/aggregates/command"
	"waybill/aggregates/commandapi"
	"waybill/aggregates/mail"
	"waybill/aggregates/problem"
	"waybill/events"
	"waybill/events/consume"
	"waybill/events/node"
	"waybill/events/store"
	"waybill/projections"
	"waybill/projections/pgtest"
	"waybill/projections/readmodel"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

const (
	setupToken = "the token of whoever runs this"
	password   = "correct horse battery"

	// patience is what a test may wait for: far above what a healthy machine
	// needs, however busy it is and however slow its disk.
	patience = 5 * time.Minute
)

// post is the write side behind one HTTP server, with everything that leads to
// mails.
type post struct {
	*httptest.Server
	url      string // of the database
	pools    *projections.Pools
	store    *store.Store
	codec    *events.Codec
	executor *aggregates.Executor
	access   *access.Service
	commands *command.Service
	progress *projections.Progress
	model    *readmodel.Model
	clock    *clock
	logs     *aggregatetest.Log
	server   *mailServer
}

// clock is the machine's, moved.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

func newPost(t *testing.T) *post {
	t.Helper()
	ctx := t.Context()
	p := &post{clock: &clock{}, logs: &aggregatetest.Log{}, server: newMailServer(t, "starttls")}
	logger := slog.New(slog.NewTextHandler(p.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	p.url = pgtest.Template(t, "migrated", func(url string) error {
		_, err := projections.Migrate(context.Background(), url)
		return err
	})
	var err error
	p.pools, err = projections.Open(ctx, projections.Config{URL: p.url})
	must(t, err)
	t.Cleanup(p.pools.Close)
	n, err := node.Open(node.Config{Dir: t.TempDir()})
	must(t, err)
	t.Cleanup(func() { _ = n.Close() })
	running(t, n.Run)
	p.store, err = store.Open(store.Config{URL: n.ConnectionString(), Timeout: patience, AttemptTimeout: patience / 2, Logger: logger})
	must(t, err)
	t.Cleanup(func() { _ = p.store.Close() })
	keys, err := access.NewKeyRing(access.KeyRingConfig{Pool: p.pools.Identity})
	must(t, err)
	p.codec, err = events.NewCodec(keys)
	must(t, err)
	p.access, err = access.New(access.Config{Pool: p.pools.Identity, Now: p.clock.Now, Limits: access.Limits{PerIP: 10000, PerEmail: 5, EmailEvery: time.Hour}})
	must(t, err)
	p.executor, err = aggregates.New(aggregates.Config{Store: p.store, Codec: p.codec, Now: p.clock.Now})
	must(t, err)
	secret, err := access.Secret(ctx, p.pools.Identity, rand.Reader, access.SecretClaims)
	must(t, err)
	p.commands, err = command.New(command.Config{Executor: p.executor, Store: p.store, Codec: p.codec, Identities: p.access, ClaimsSecret: secret, Logger: logger})
	must(t, err)
	p.model, err = readmodel.New(readmodel.Config{Codec: p.codec, Pool: p.pools.Projector})
	must(t, err)
	p.follow(t)
	p.progress = projections.NewProgress(projections.ProgressConfig{Name: readmodel.Name, Pool: p.pools.Reader})
	running(t, p.progress.Run)
	p.serve(t, logger)
	return p
}

// follow runs the read model.
func (p *post) follow(t *testing.T) (stop func()) {
	t.Helper()
	consumer, err := consume.New(consume.Config{Name: readmodel.Name, Prefixes: events.AggregatePrefixes(), Store: p.store, Log: p.model.Log(), Handler: p.model.Handle})
	must(t, err)
	return running(t, func(ctx context.Context) error {
		if err := consumer.Run(ctx); !errors.Is(err, consume.ErrFenced) {
			return err
		}
		<-ctx.Done() // it was cleared
		return nil
	})
}

func (p *post) serve(t *testing.T, logger *slog.Logger) {
	t.Helper()
	resets, err := commandapi.NewResets(commandapi.ResetsConfig{Commands: p.commands, Access: p.access, Patience: patience, Logger: logger})
	must(t, err)
	running(t, resets.Run)
	problems := problem.NewRenderer(logger, uuid.New)
	routes, err := commandapi.Routes(commandapi.Config{Commands: p.commands, Access: p.access, Progress: p.progress, Problems: problems,
		SetupToken: setupToken, VisibleLimit: patience, Resets: resets, Logger: logger})
	must(t, err)
	router, err := route.Router(route.Config{Access: p.access, Problems: problems, Registry: prometheus.NewRegistry()}, routes...)
	must(t, err)
	p.Server = httptest.NewServer(router)
	t.Cleanup(p.Server.Close)
}

// outbox runs the consumer that fills the outbox, from its checkpoint on.
func (p *post) outbox(t *testing.T, wake func()) (stop func()) {
	t.Helper()
	fill, err := mail.NewConsumer(mail.ConsumerConfig{Codec: p.codec, Now: p.clock.Now, Rows: func(u consume.Unit) (*mail.Rows, bool) {
		unit, ok := u.(*projections.Unit)
		if !ok {
			return nil, false
		}
		rows, ok := unit.Rows().(*mail.Rows)
		return rows, ok
	}})
	must(t, err)
	log, err := projections.NewLog(projections.LogConfig{Name: mail.Name, Pool: p.pools.Projector, NewRows: func() projections.Rows { return mail.NewRows() }})
	must(t, err)
	consumer, err := consume.New(consume.Config{Name: mail.Name, Prefixes: mail.Prefixes(), Store: p.store, Log: log, Handler: fill.Handle,
		Progress: 20 * time.Millisecond, Committed: func(events.Position) { wake() }})
	must(t, err)
	return running(t, consumer.Run)
}

// sender returns one that sends to the server, as fast as it can.
func (p *post) sender(t *testing.T, change func(*mail.Config)) *mail.Sender {
	t.Helper()
	cfg := mail.Config{
		Pool: p.pools.Identity, Store: p.store, Codec: p.codec, Executor: p.executor, Access: p.access, Transport: p.server.smtp(t),
		From: netmail.Address{Name: "Waybill", Address: "mail@waybill.example"}, PublicURL: p.URL, Now: p.clock.Now,
		MinRetry: time.Millisecond, MaxRetry: 4 * time.Millisecond, MinPause: time.Millisecond, MaxPause: 10 * time.Millisecond,
		Logger: slog.New(slog.NewTextHandler(p.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if change != nil {
		change(&cfg)
	}
	s, err := mail.NewSender(cfg)
	must(t, err)
	return s
}

// deliver runs both until the test ends, or until they are stopped.
func (p *post) deliver(t *testing.T, change func(*mail.Config)) (stop func()) {
	t.Helper()
	s := p.sender(t, change)
	stopSender, stopOutbox := running(t, s.Run), p.outbox(t, s.Wake)
	return func() { stopOutbox(); stopSender() }
}

// running runs something until the test ends.
func running(t testing.TB, run func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("something that runs until the test ends has ended: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// eventually polls until a condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: not within %s", what, patience)
		}
	}
}

// entries are the rows of the outbox, the oldest event first.
func (p *post) entries(t testing.TB) []mail.Entry {
	t.Helper()
	list, err := (&mail.Outbox{Pool: p.pools.Identity, Now: p.clock.Now}).List(t.Context(), "", 10000)
	must(t, err)
	return list
}

// settled waits until the outbox holds everything that is in the log and nothing
// is queued, and returns its rows by kind.
func (p *post) settled(t testing.TB) map[string][]mail.Entry {
	t.Helper()
	var last events.Position // of what concerns the outbox
	for r, err := range p.store.ReadAll(t.Context(), events.Position{}, store.Backwards) {
		must(t, err)
		if slices.ContainsFunc(mail.Prefixes(), func(prefix string) bool { return strings.HasPrefix(r.Stream, prefix) }) {
			last = r.Position
			break
		}
	}
	eventually(t, "the outbox has followed the log", func() bool {
		var at int64
		must(t, p.pools.Projector.QueryRow(t.Context(), `SELECT coalesce(max(commit_position), 0) FROM ops.projections WHERE name = 'mail'`).Scan(&at))
		return uint64(at) >= last.Commit
	})
	var kinds map[string][]mail.Entry
	eventually(t, "every mail is settled", func() bool {
		kinds = map[string][]mail.Entry{}
		for _, e := range p.entries(t) {
			if e.State == mail.StateQueued || e.State == mail.StateSending {
				return false
			}
			kinds[e.Kind] = append(kinds[e.Kind], e)
		}
		return true
	})
	return kinds
}

// mailTo waits for the n-th mail to somebody and returns the last one.
func (p *post) mailTo(t testing.TB, email string, n int) mail.Letter {
	t.Helper()
	var got []received
	eventually(t, fmt.Sprintf("mail %d to %s", n, email), func() bool { got = p.server.mails(email); return len(got) >= n })
	if len(got) != n {
		t.Fatalf("%s got %d mails, want %d", email, len(got), n)
	}
	if !got[n-1].secured {
		t.Error("a mail came without TLS")
	}
	return got[n-1].letter(t)
}

// link is the link of a mail, as a browser opens it.
type link struct{ token, email, role string }

func linkOf(t testing.TB, p *post, l mail.Letter) link {
	t.Helper()
	_, rest, ok := strings.Cut(l.Text, p.URL+"/set-password#")
	if !ok {
		t.Fatalf("no link in the mail:\n%s", l.Text)
	}
	fragment, _, _ := strings.Cut(rest, "\n")
	v, err := url.ParseQuery(fragment)
	must(t, err)
	return link{v.Get("token"), v.Get("email"), v.Get("for")}
}

// call sends a request; the answer's body goes into v when there is one.
func (p *post) call(t testing.TB, token, method, path, body string, v any, headers ...string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, p.URL+path, strings.NewReader(body))
	must(t, err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := p.Client().Do(req)
	must(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(t, err)
	if v != nil {
		if err := json.Unmarshal(text, v); err != nil {
			t.Fatalf("%s %s: %d %s: %v", method, path, res.StatusCode, text, err)
		}
	}
	return res.StatusCode, res.Header, string(text)
}

// done is call for a command that must go well; it returns the id of what it made.
func (p *post) done(t testing.TB, token, method, path, body string, headers ...string) uuid.UUID {
	t.Helper()
	var made struct {
		ID   uuid.UUID      `json:"id"`
		Rest map[string]any `json:",unknown"`
	}
	status, _, text := p.call(t, token, method, path, body, nil, headers...)
	if status/100 != 2 {
		t.Fatalf("%s %s: %d %s", method, path, status, text)
	}
	if text != "" {
		must(t, json.Unmarshal([]byte(text), &made))
	}
	return made.ID
}

// use uses a link and returns the status.
func (p *post) use(t testing.TB, l link, password string) int {
	t.Helper()
	path := "/v1/passwords"
	if l.role == "client" {
		path = "/v1/client-invitations/accept"
	}
	status, _, _ := p.call(t, "", "POST", path, fmt.Sprintf(`{"token": %q, "email": %q, "password": %q}`, l.token, l.email, password), nil)
	return status
}

// signIn returns the token of a new session; empty when it is refused.
func (p *post) signIn(t testing.TB, email, password string) string {
	t.Helper()
	var s struct {
		Token string         `json:"token"`
		Rest  map[string]any `json:",unknown"`
	}
	p.call(t, "", "POST", "/v1/sessions", fmt.Sprintf(`{"email": %q, "password": %q}`, email, password), &s)
	return s.Token
}
