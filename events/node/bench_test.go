package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"waybill/events/node/journal"
)

// Each benchmark measures the limit and the node in turns within one run, and reports both rates and their ratio.
const (
	benchSize  = 550 // with its metadata about 600 bytes
	benchTurns = 20
)

// inTurns runs b.N operations against the limit and as many against the node, a part of each at a time.
func inTurns(b *testing.B, unit string, limit, node func(n int)) {
	b.Helper()
	b.StopTimer() // what came before was preparation
	b.ResetTimer()
	var onLimit, onNode time.Duration
	done := 0
	for turn := range benchTurns {
		n := b.N*(turn+1)/benchTurns - done
		if n == 0 {
			continue
		}
		done += n
		begun := time.Now()
		limit(n)
		onLimit += time.Since(begun)
		b.StartTimer()
		begun = time.Now()
		node(n)
		onNode += time.Since(begun)
		b.StopTimer()
	}
	b.ReportMetric(float64(b.N)/onLimit.Seconds(), "limit-"+unit+"/s")
	b.ReportMetric(float64(b.N)/onNode.Seconds(), unit+"/s")
	b.ReportMetric(onLimit.Seconds()/onNode.Seconds(), "of-limit")
}

func benchEvent() esdb.EventData {
	return esdb.EventData{
		EventID: uuid.New(), EventType: "Happened", ContentType: esdb.ContentTypeJson,
		Data: []byte(`{"x":"` + strings.Repeat("d", benchSize-8) + `"}`), Metadata: []byte(`{"m":1}`),
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, clients := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			limit, _ := serveLimit(b, 0, 0)
			_, c := serve(b)
			inTurns(b, "appends", func(n int) { appendFrom(b, limit, clients, n) }, func(n int) { appendFrom(b, c, clients, n) })
		})
	}
}

// appendFrom appends n events from so many clients, each to a stream of its own.
func appendFrom(b *testing.B, c *esdb.Client, clients, n int) {
	var wg sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(n))
	for range clients {
		wg.Go(func() {
			stream := "Delivery-" + uuid.NewString()
			var expected esdb.ExpectedRevision = esdb.NoStream{}
			for i := uint64(0); left.Add(-1) >= 0; i++ {
				_, err := c.AppendToStream(context.Background(), stream, esdb.AppendToStreamOptions{ExpectedRevision: expected}, benchEvent())
				if err != nil {
					b.Error(err)
					return
				}
				expected = esdb.Revision(i)
			}
		})
	}
	wg.Wait()
}

func BenchmarkBatchAppend(b *testing.B) {
	_, limit := serveLimit(b, 0, 0)
	n, _ := serve(b)
	inTurns(b, "streams", func(count int) { batchFrom(b, limit, count) }, func(count int) { batchFrom(b, n.Addr(), count) })
}

// batchFrom appends two events to each of count new streams, pipelined over one call.
func batchFrom(b *testing.B, address string, count int) {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	call, err := streams.NewStreamsClient(conn).BatchAppend(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	go func() {
		for range count {
			_ = call.Send(&streams.BatchAppendReq{
				CorrelationId: wireID(uuid.New()), Options: newStreamOptions("Delivery-" + uuid.NewString()),
				ProposedMessages: batchEvents(2, benchSize), IsFinal: true,
			})
		}
		_ = call.CloseSend()
	}()
	for range count {
		if resp, err := call.Recv(); err != nil || resp.GetSuccess() == nil {
			b.Fatalf("%v, %v", resp, err)
		}
	}
}

const benchStored = 60_000

// stored is a node with events to read, opened anew so that it has nothing else to do.
func stored(b *testing.B) *esdb.Client {
	b.Helper()
	dir := b.TempDir()
	j, err := journal.Open(journal.Options{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	for i := 0; i < benchStored; i += 1000 {
		events := make([]journal.Event, 1000)
		for k := range events {
			e := benchEvent()
			events[k] = journal.Event{ID: e.EventID, Type: e.EventType, JSON: true, Data: e.Data, Metadata: e.Metadata}
		}
		if _, err := j.Append(b.Context(), journal.Append{Stream: fmt.Sprintf("Delivery-%d", i), Expected: journal.NoStream, Events: events}); err != nil {
			b.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
	_, c := serve(b, func(cfg *Config) { cfg.Dir = dir })
	return c
}

func BenchmarkReadAll(b *testing.B) {
	limit, _ := serveLimit(b, benchStored, benchSize)
	c := stored(b)
	read := func(c *esdb.Client) func(int) {
		return func(n int) {
			for n > 0 {
				s, err := c.ReadAll(context.Background(), esdb.ReadAllOptions{From: esdb.Start{}}, math.MaxUint64)
				if err != nil {
					b.Fatal(err)
				}
				for ; n > 0; n-- {
					if _, err := s.Recv(); errors.Is(err, io.EOF) {
						break
					} else if err != nil {
						b.Fatal(err)
					}
				}
				s.Close()
			}
		}
	}
	inTurns(b, "events", read(limit), read(c))
}

func BenchmarkCatchUpSubscription(b *testing.B) {
	limit, _ := serveLimit(b, benchStored, benchSize)
	c := stored(b)
	follow := func(c *esdb.Client) func(int) {
		return func(n int) {
			for n > 0 {
				s, err := c.SubscribeToAll(context.Background(), esdb.SubscribeToAllOptions{From: esdb.Start{}})
				if err != nil {
					b.Fatal(err)
				}
				for caughtUp := false; n > 0 && !caughtUp; {
					switch e := s.Recv(); {
					case e.EventAppeared != nil:
						n--
					case e.CaughtUp != nil:
						caughtUp = true
					case e.SubscriptionDropped != nil:
						b.Fatal(e.SubscriptionDropped.Error)
					}
				}
				_ = s.Close()
			}
		}
	}
	inTurns(b, "events", follow(limit), follow(c))
}
