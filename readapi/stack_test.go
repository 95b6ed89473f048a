package readapi_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
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
	"waybill/aggregates/policies"
	"waybill/aggregates/problem"
	"waybill/aggregates/telemetry"
	"waybill/events"
	"waybill/events/consume"
	"waybill/events/node"
	"waybill/events/store"
	"waybill/projections"
	"waybill/projections/pgtest"
	"waybill/projections/readmodel"
	"waybill/readapi"
)

func TestMain(m *testing.M) {
	// Every check makes an organisation; the flag on the command line wins.
	for name, value := range map[string]string{"rapid.checks": "8", "rapid.shrinktime": "10s"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(pgtest.Main(m))
}

const (
	setupToken = "the token of whoever runs this"
	password   = "correct horse battery"
)

// stack is the whole of waybill behind one HTTP server: a node, a Postgres
// database, the command side, the read model and both APIs.
type stack struct {
	*httptest.Server
	node     string // connection string
	store    *store.Store
	pools    *projections.Pools
	access   *access.Service
	commands *command.Service
	progress *gate
	routes   []route.Route
	logs     *aggregatetest.Log

	stopConsumers func() // of the log: the read model and the policy
}

// gate is the progress of the read model; closed, it makes everybody wait.
type gate struct {
	*projections.Progress
	mu     sync.Mutex
	closed bool
}

func (g *gate) Wait(ctx context.Context, p events.Position) error {
	g.mu.Lock()
	closed := g.closed
	g.mu.Unlock()
	if closed {
		<-ctx.Done()
		return ctx.Err()
	}
	return g.Progress.Wait(ctx, p)
}

func (g *gate) close(on bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = on
}

func newStack(t testing.TB) *stack { return newStackWaiting(t, 30*time.Second) }

// newStackWaiting returns a stack whose queries wait so long for a position.
func newStackWaiting(t testing.TB, limit time.Duration) *stack {
	return newStackLimited(t, limit, access.Limits{})
}

// newStackLimited returns a stack with other limits on tries.
func newStackLimited(t testing.TB, limit time.Duration, tries access.Limits) *stack {
	t.Helper()
	ctx := t.Context()
	s := &stack{logs: &aggregatetest.Log{}}
	logger := slog.New(slog.NewTextHandler(s.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	url := pgtest.Template(t, "migrated", func(url string) error {
		_, err := projections.Migrate(context.Background(), url)
		return err
	})
	var err error
	s.pools, err = projections.Open(ctx, projections.Config{URL: url})
	must(t, err)
	t.Cleanup(s.pools.Close)
	n, err := node.Open(node.Config{Dir: t.TempDir()})
	must(t, err)
	t.Cleanup(func() { _ = n.Close() })
	running(t, n.Run)
	s.node = n.ConnectionString()
	s.store, err = store.Open(store.Config{URL: n.ConnectionString(), Logger: logger})
	must(t, err)
	t.Cleanup(func() { _ = s.store.Close() })

	keys, err := access.NewKeyRing(access.KeyRingConfig{Pool: s.pools.Identity})
	must(t, err)
	codec, err := events.NewCodec(keys)
	must(t, err)
	s.access, err = access.New(access.Config{Pool: s.pools.Identity, Limits: tries})
	must(t, err)
	executor, err := aggregates.New(aggregates.Config{Store: s.store, Codec: codec})
	must(t, err)
	secret, err := access.Secret(ctx, s.pools.Identity, rand.Reader, access.SecretClaims)
	must(t, err)
	s.progress = &gate{Progress: projections.NewProgress(projections.ProgressConfig{Name: readmodel.Name, Pool: s.pools.Reader})}
	running(t, s.progress.Run)
	sight := readmodel.Sight{Pool: s.pools.Identity, Progress: s.progress.Progress}
	s.commands, err = command.New(command.Config{Executor: executor, Store: s.store, Codec: codec, Identities: s.access, ClaimsSecret: secret, Sight: sight, Logger: logger})
	must(t, err)

	model, err := readmodel.New(readmodel.Config{Codec: codec, Pool: s.pools.Projector})
	must(t, err)
	consumer, err := consume.New(consume.Config{Name: readmodel.Name, Prefixes: events.AggregatePrefixes(), Store: s.store,
		Log: model.Log(), Handler: model.Handle, Logger: logger})
	must(t, err)
	stopReadModel := running(t, consumer.Run)
	stopPolicy := s.follow(t, codec, sight, logger)
	s.stopConsumers = func() { stopReadModel(); stopPolicy() }
	s.serve(t, logger, secret, limit)
	return s
}

// follow runs the policy that moves the deliveries of merged groups.
func (s *stack) follow(t testing.TB, codec *events.Codec, sight readmodel.Sight, logger *slog.Logger) (stop func()) {
	t.Helper()
	merges, err := policies.NewMerges(policies.MergesConfig{Commands: s.commands, Codec: codec, Tagged: sight, Page: 2, Patience: time.Millisecond, Logger: logger})
	must(t, err)
	progress, err := projections.NewLog(projections.LogConfig{Name: policies.MergesName, Pool: s.pools.Projector})
	must(t, err)
	consumer, err := consume.New(consume.Config{Name: policies.MergesName, Prefixes: policies.MergesPrefixes(), Store: s.store,
		Log: progress, Handler: merges.Handle, Logger: logger})
	must(t, err)
	return running(t, consumer.Run)
}

// serve puts both APIs behind one server.
func (s *stack) serve(t testing.TB, logger *slog.Logger, key []byte, limit time.Duration) {
	t.Helper()
	problems := problem.NewRenderer(logger, uuid.New)
	registry := prometheus.NewRegistry()
	positions, err := telemetry.New(telemetry.Config{Pool: s.pools.Identity, Keep: 5})
	must(t, err)
	resets, err := commandapi.NewResets(commandapi.ResetsConfig{Commands: s.commands, Access: s.access, Logger: logger})
	must(t, err)
	running(t, resets.Run)
	commands, err := commandapi.Routes(commandapi.Config{Positions: positions, Resets: resets, Commands: s.commands, Access: s.access, Progress: s.progress, Problems: problems,
		SetupToken: setupToken, VisibleLimit: 30 * time.Second, Logger: logger})
	must(t, err)
	queries, err := readapi.Routes(readapi.Config{Pool: s.pools.Reader, Access: s.access, Progress: s.progress, Problems: problems,
		CursorKey: key, Metrics: registry, WaitLimit: limit,
		Checks: map[string]func(context.Context) error{"postgres": s.pools.Reader.Ping}})
	must(t, err)
	s.routes = append(queries, commands...)
	router, err := route.Router(route.Config{Access: s.access, Problems: problems, Registry: registry}, s.routes...)
	must(t, err)
	s.Server = httptest.NewServer(router)
	t.Cleanup(s.Server.Close)
}

// running runs something until the test ends.
func running(t testing.TB, run func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	stop = sync.OnceFunc(func() {
		select {
		case err := <-ended: // by itself
			t.Errorf("something that runs until the test ends has ended: %v", err)
		default:
			cancel()
			<-ended
		}
	})
	t.Cleanup(stop)
	return stop
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// into decodes the body.
func (a answer) into(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), v); err != nil {
		t.Fatalf("answer %d %q: %v", a.status, a.body, err)
	}
}

// person sends requests with a token; the empty one is a stranger.
type person struct {
	s     *stack
	token string
	user  uuid.UUID
}

func (p person) do(t testing.TB, method, path, body string, headers ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, p.s.URL+path, bytes.NewReader([]byte(body)))
	must(t, err)
	if p.token != "" {
		req.Header.Set("Authorization", "Bearer "+p.token)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := p.s.Client().Do(req)
	must(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(t, err)
	return answer{res.StatusCode, res.Header, string(text)}
}

func (p person) get(t testing.TB, path string, headers ...string) answer {
	t.Helper()
	return p.do(t, http.MethodGet, path, "", headers...)
}

// done sends a command that must go well.
func (p person) done(t testing.TB, method, path, body string, headers ...string) commandapi.Done {
	t.Helper()
	a := p.do(t, method, path, body, headers...)
	if a.status != http.StatusOK && a.status != http.StatusCreated {
		t.Fatalf("%s %s: %d %s", method, path, a.status, a.body)
	}
	var d struct {
		commandapi.Done `json:",inline"`
		Rest            map[string]any `json:",unknown"`
	}
	a.into(t, &d)
	return d.Done
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
