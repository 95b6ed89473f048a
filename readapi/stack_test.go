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
	"waybill/aggregates/commandapi/upload"
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
	// Every check makes an organisation, and always the same things happen: what an
	// unlucky draw would find is to be looked for, with -rapid.seed=0, and not to
	// hold up whoever lands something else. What the command line says, wins.
	for name, value := range map[string]string{"rapid.seed": "20260302", "rapid.checks": "8", "rapid.shrinktime": "10s"} {
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
	clock    *clock
	node     string // connection string
	store    *store.Store
	pools    *projections.Pools
	access   *access.Service
	commands *command.Service
	progress *gate
	routes   []route.Route
	logs     *aggregatetest.Log
	codec    *events.Codec
	secret   []byte

	walkLimit int // of searches; 0 = the default

	contract *contract // what every answer is held against

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

// plenty is how long everything may take that is to come to be: it is waited for
// so long only where it does not.
const plenty = 3 * time.Minute

// claimed is how long somebody may take between claiming a name and creating what
// it is for. It is also how long a name is out of use whose creation was refused,
// less what the clock of the stack is ahead.
const claimed = 40 * time.Second

func newStack(t testing.TB) *stack { return newStackLimited(t, access.Limits{}) }

// newStackLimited returns a stack with other limits on tries.
func newStackLimited(t testing.TB, tries access.Limits) *stack {
	t.Helper()
	s := &stack{logs: &aggregatetest.Log{}, clock: &clock{}}
	url := pgtest.Template(t, "migrated", func(url string) error {
		_, err := projections.Migrate(context.Background(), url)
		return err
	})
	var err error
	s.pools, err = projections.Open(t.Context(), projections.Config{URL: url, ConnectTimeout: plenty})
	must(t, err)
	t.Cleanup(s.pools.Close)
	n, err := node.Open(node.Config{Dir: t.TempDir()})
	must(t, err)
	t.Cleanup(func() { _ = n.Close() })
	running(t, n.Run)
	s.node = n.ConnectionString()
	s.progress = &gate{Progress: projections.NewProgress(projections.ProgressConfig{Name: readmodel.Name, Pool: s.pools.Reader})}
	running(t, s.progress.Run)
	s.decide(t, tries, nil)

	model, err := readmodel.New(readmodel.Config{Codec: s.codec, Pool: s.pools.Projector})
	must(t, err)
	consumer, err := consume.New(consume.Config{Name: readmodel.Name, Prefixes: events.AggregatePrefixes(), Store: s.store,
		Log: model.Log(), Handler: model.Handle, Logger: s.logger()})
	must(t, err)
	stopReadModel := running(t, consumer.Run)
	stopPolicy := s.follow(t)
	s.stopConsumers = func() { stopReadModel(); stopPolicy() }
	s.serve(t, plenty)
	return s
}

// logger writes to the logs of the stack.
func (s *stack) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(s.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// decide makes the command side of a process. Identities may stand in for its
// access; nil: they do not.
func (s *stack) decide(t testing.TB, tries access.Limits, identities func(*access.Service) command.Identities) {
	t.Helper()
	var err error
	s.store, err = store.Open(store.Config{URL: s.node, Logger: s.logger(), Timeout: plenty, AttemptTimeout: time.Minute})
	must(t, err)
	t.Cleanup(func() { _ = s.store.Close() })
	keys, err := access.NewKeyRing(access.KeyRingConfig{Pool: s.pools.Identity, Now: s.clock.now})
	must(t, err)
	s.codec, err = events.NewCodec(keys)
	must(t, err)
	s.access, err = access.New(access.Config{Pool: s.pools.Identity, Limits: tries, Now: s.clock.now})
	must(t, err)
	executor, err := aggregates.New(aggregates.Config{Store: s.store, Codec: s.codec, Now: s.clock.now})
	must(t, err)
	s.secret, err = access.Secret(t.Context(), s.pools.Identity, rand.Reader, access.SecretClaims)
	must(t, err)
	var who command.Identities = s.access
	if identities != nil {
		who = identities(s.access)
	}
	s.commands, err = command.New(command.Config{Executor: executor, Store: s.store, Codec: s.codec, Identities: who, ClaimsSecret: s.secret,
		ClaimsGrace: claimed, Sight: s.sight(), SightLimit: plenty, Logger: s.logger()})
	must(t, err)
}

// sight is what the command side knows of the read model.
func (s *stack) sight() readmodel.Sight {
	return readmodel.Sight{Pool: s.pools.Identity, Progress: s.progress.Progress, Now: s.clock.now}
}

// follow runs the policy that moves the deliveries of merged groups.
func (s *stack) follow(t testing.TB) (stop func()) {
	t.Helper()
	merges, err := policies.NewMerges(policies.MergesConfig{Commands: s.commands, Codec: s.codec, Tagged: s.sight(), Page: 2, Patience: time.Millisecond, Logger: s.logger()})
	must(t, err)
	return s.consume(t, policies.MergesName, policies.MergesPrefixes(), merges.Handle)
}

// consume runs a consumer that has no rows, just its progress.
func (s *stack) consume(t testing.TB, name string, prefixes []string, handle func(context.Context, *consume.Run) error) (stop func()) {
	t.Helper()
	progress, err := projections.NewLog(projections.LogConfig{Name: name, Pool: s.pools.Projector})
	must(t, err)
	consumer, err := consume.New(consume.Config{Name: name, Prefixes: prefixes, Store: s.store, Log: progress, Handler: handle, Logger: s.logger()})
	must(t, err)
	return running(t, consumer.Run)
}

// serve puts both APIs behind one server, whose queries wait so long for a
// position.
func (s *stack) serve(t testing.TB, limit time.Duration) {
	t.Helper()
	problems := problem.NewRenderer(s.logger(), uuid.New)
	registry := prometheus.NewRegistry()
	positions, err := telemetry.New(telemetry.Config{Pool: s.pools.Identity, Keep: 5, Now: s.clock.now})
	must(t, err)
	resets, err := commandapi.NewResets(commandapi.ResetsConfig{Commands: s.commands, Access: s.access, Logger: s.logger()})
	must(t, err)
	running(t, resets.Run)
	commands, err := commandapi.Routes(commandapi.Config{Positions: positions, Resets: resets, Commands: s.commands, Access: s.access, Progress: s.progress, Problems: problems,
		SetupToken: setupToken, VisibleLimit: plenty, Uploads: upload.Config{Patience: plenty}, ImportWait: plenty, Logger: s.logger()})
	must(t, err)
	queries, err := readapi.Routes(readapi.Config{Pool: s.pools.Reader, Access: s.access, Progress: s.progress, Problems: problems,
		CursorKey: s.secret, Metrics: registry, WaitLimit: limit, ExportStall: plenty, IndexLimit: plenty, WalkLimit: s.walkLimit, Now: s.clock.now,
		Checks: map[string]func(context.Context) error{"postgres": s.pools.Reader.Ping}})
	must(t, err)
	s.routes, s.contract = append(queries, commands...), &contract{}
	router, err := route.Router(route.Config{Access: s.access, Problems: problems, Registry: registry}, s.routes...)
	must(t, err)
	s.Server = httptest.NewServer(router)
	// Who sends the header Expect sends no body before it is asked for.
	s.Client().Transport.(*http.Transport).ExpectContinueTimeout = plenty
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
	got := answer{res.StatusCode, res.Header, string(text)}
	p.s.conforms(t, req, got)
	return got
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
