package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"
)

// serve opens a node in a directory of its own, serves until the test ends, and connects a client.
func serve(t testing.TB, change ...func(*Config)) (*Node, *esdb.Client) {
	t.Helper()
	cfg := Config{Dir: t.TempDir()}
	for _, f := range change {
		f(&cfg)
	}
	n, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	runInTest(t, n)
	return n, connect(t, n.ConnectionString())
}

// runInTest serves until the test ends.
func runInTest(t testing.TB, n *Node) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- n.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ran; err != nil {
			t.Errorf("Run: %v", err)
		}
		if err := n.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

func connect(t testing.TB, connection string) *esdb.Client {
	t.Helper()
	settings, err := esdb.ParseConnectionString(connection)
	if err != nil {
		t.Fatal(err)
	}
	settings.Logger = esdb.NoopLogging()
	client, err := esdb.NewClient(settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// proposals makes n events with ids of their own.
func proposals(n int) []esdb.EventData {
	events := make([]esdb.EventData, n)
	for i := range events {
		events[i] = esdb.EventData{
			EventID: uuid.New(), EventType: "Happened", ContentType: esdb.ContentTypeJson,
			Data: fmt.Appendf(nil, `{"n":%d}`, i), Metadata: []byte(`{"m":1}`),
		}
	}
	return events
}

func appendTo(t testing.TB, c *esdb.Client, stream string, expected esdb.ExpectedRevision, events ...esdb.EventData) *esdb.WriteResult {
	t.Helper()
	w, err := c.AppendToStream(within(t), stream, esdb.AppendToStreamOptions{ExpectedRevision: expected}, events...)
	if err != nil {
		t.Fatalf("append to %s: %v", stream, err)
	}
	return w
}

func codeOf(err error) esdb.ErrorCode {
	var e *esdb.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return -1
}

func collect(t testing.TB, s *esdb.ReadStream, err error) []*esdb.ResolvedEvent {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var out []*esdb.ResolvedEvent
	for {
		e, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
}

func readStream(t testing.TB, c *esdb.Client, stream string, o esdb.ReadStreamOptions) []*esdb.ResolvedEvent {
	t.Helper()
	s, err := c.ReadStream(within(t), stream, o, math.MaxUint64)
	return collect(t, s, err)
}

func readAll(t testing.TB, c *esdb.Client, o esdb.ReadAllOptions) []*esdb.ResolvedEvent {
	t.Helper()
	s, err := c.ReadAll(within(t), o, math.MaxUint64)
	return collect(t, s, err)
}

func revisions(events []*esdb.ResolvedEvent) string {
	var b strings.Builder
	for _, e := range events {
		fmt.Fprintf(&b, "%d ", e.OriginalEvent().EventNumber)
	}
	return strings.TrimSpace(b.String())
}
