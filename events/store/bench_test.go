package store_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"

	"waybill/events"
	"waybill/events/store"
	"waybill/events/store/storetest"
)

// Every benchmark measures this package and the client module's own Client
// against the same embedded node, in turns within one run, and reports both
// rates and their ratio.

const benchTurns = 4

func inTurns(b *testing.B, unit string, client, own func(n int)) {
	b.Helper()
	var onClient, onOwn time.Duration
	b.ResetTimer()
	for turn, done := 0, 0; turn < benchTurns; turn++ {
		n := b.N*(turn+1)/benchTurns - done
		if n == 0 {
			continue
		}
		done += n
		b.StopTimer()
		began := time.Now()
		client(n)
		onClient += time.Since(began)
		b.StartTimer()
		began = time.Now()
		own(n)
		onOwn += time.Since(began)
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/onClient.Seconds(), "client-"+unit+"/s")
	b.ReportMetric(float64(b.N)/onOwn.Seconds(), unit+"/s")
	b.ReportMetric(onClient.Seconds()/onOwn.Seconds(), "of-client")
}

func BenchmarkCatchUp(b *testing.B) {
	s, c := benchStore(b)
	category := storetest.Category()
	fill(b, s, category, b.N)
	inTurns(b, "events", func(n int) {
		sub, err := c.SubscribeToAll(context.Background(), esdb.SubscribeToAllOptions{
			From:   esdb.Start{},
			Filter: &esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Prefixes: []string{category}}, MaxSearchWindow: 1000, CheckpointInterval: 1,
		})
		if err != nil {
			b.Fatal(err)
		}
		defer sub.Close()
		for n > 0 {
			if e := sub.Recv(); e.EventAppeared != nil {
				n--
			} else if e.SubscriptionDropped != nil {
				b.Fatal(e.SubscriptionDropped.Error)
			}
		}
	}, func(n int) {
		sub := s.Subscribe(context.Background(), store.SubscribeConfig{Prefixes: []string{category}})
		defer sub.Close()
		for n > 0 {
			m, err := sub.Next(context.Background())
			if err != nil {
				b.Fatal(err)
			}
			if m.Record != nil {
				n--
			}
		}
	})
}

func BenchmarkReadAll(b *testing.B) {
	s, c := benchStore(b)
	fill(b, s, storetest.Category(), b.N)
	inTurns(b, "events", func(n int) {
		r, err := c.ReadAll(context.Background(), esdb.ReadAllOptions{From: esdb.Start{}, Direction: esdb.Forwards}, uint64(n))
		if err != nil {
			b.Fatal(err)
		}
		defer r.Close()
		for range n {
			if _, err := r.Recv(); err != nil {
				b.Fatal(err)
			}
		}
	}, func(n int) {
		for _, err := range s.ReadAll(context.Background(), events.Position{}, store.Forwards) {
			if err != nil {
				b.Fatal(err)
			}
			if n--; n == 0 {
				return
			}
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			s, c := benchStore(b)
			inTurns(b, "appends", func(n int) {
				each(b, writers, n, func(stream string, i int64) error {
					var expected esdb.ExpectedRevision = esdb.NoStream{}
					if i > 0 {
						expected = esdb.Revision(uint64(i - 1))
					}
					e := benchEvents(1)[0]
					_, err := c.AppendToStream(context.Background(), stream, esdb.AppendToStreamOptions{ExpectedRevision: expected}, esdb.EventData{
						EventID: e.ID, EventType: e.Type, ContentType: esdb.ContentTypeJson, Data: e.Data, Metadata: e.Metadata,
					})
					return err
				})
			}, func(n int) {
				each(b, writers, n, func(stream string, i int64) error {
					_, err := s.Append(context.Background(), stream, events.Expected(i-1), benchEvents(1))
					return err
				})
			})
		})
	}
}

// BenchmarkBulk writes streams of two events; the client, which has no bulk
// append, writes them with 64 goroutines.
func BenchmarkBulk(b *testing.B) {
	s, c := benchStore(b)
	inTurns(b, "streams", func(n int) {
		each(b, 64, n, func(stream string, i int64) error {
			evs := benchEvents(2)
			_, err := c.AppendToStream(context.Background(), fmt.Sprint(stream, i), esdb.AppendToStreamOptions{ExpectedRevision: esdb.NoStream{}},
				esdb.EventData{EventID: evs[0].ID, EventType: "t", ContentType: esdb.ContentTypeJson, Data: evs[0].Data},
				esdb.EventData{EventID: evs[1].ID, EventType: "t", ContentType: esdb.ContentTypeJson, Data: evs[1].Data})
			return err
		})
	}, func(n int) { bulk(b, s, storetest.Category(), n, 2) })
}

func benchStore(b *testing.B) (*store.Store, *esdb.Client) {
	url := storetest.URL(b)
	cfg, err := esdb.ParseConnectionString(url)
	if err != nil {
		b.Fatal(err)
	}
	cfg.Logger = esdb.NoopLogging()
	c, err := esdb.NewClient(cfg)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	return storetest.Open(b, store.Config{URL: url}), c
}

func benchEvents(n int) []events.Proposed {
	evs := make([]events.Proposed, n)
	for i := range evs {
		evs[i] = events.Proposed{
			ID: uuid.New(), Type: "Happened", Metadata: []byte(`{"m":1}`), Data: []byte(`{"x":"` + strings.Repeat("d", 542) + `"}`),
		}
	}
	return evs
}

// fill writes n events of about 600 bytes.
func fill(b *testing.B, s *store.Store, category string, n int) {
	const perStream = 20
	bulk(b, s, category, (n+perStream-1)/perStream, perStream)
}

func bulk(b *testing.B, s *store.Store, category string, streams, size int) {
	w, err := s.Bulk(context.Background(), store.BulkConfig{})
	if err != nil {
		b.Fatal(err)
	}
	pending := make([]*store.Pending, streams)
	for i := range pending {
		pending[i] = w.Append(context.Background(), fmt.Sprint(category, i), events.NoStream, benchEvents(size))
	}
	for _, p := range pending {
		if _, err := p.Wait(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(context.Background()); err != nil {
		b.Fatal(err)
	}
}

// each does n things with so many goroutines, each on a stream of its own.
func each(b *testing.B, writers, n int, do func(stream string, i int64) error) {
	var left atomic.Int64
	left.Store(int64(n))
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			stream := storetest.Category() + "1"
			for i := int64(0); left.Add(-1) >= 0; i++ {
				if err := do(stream, i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}
