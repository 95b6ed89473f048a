package node

import (
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"waybill/events/node/journal"
)

var growthSizes = flag.String("growth-sizes", "10000,100000", "numbers of events at which BenchmarkGrowth measures")

const growthPerStream = 10

// BenchmarkGrowth measures what a client waits for as the store grows: an append, a stream of ten events anywhere in the
// store, and a thousand events of $all from anywhere on. What the storage alone costs is in the journal's benchmark of that
// name.
func BenchmarkGrowth(b *testing.B) {
	dir, have := b.TempDir(), 0
	var some []uint64 // positions all over the log
	for field := range strings.SplitSeq(*growthSizes, ",") {
		size, err := strconv.Atoi(field)
		if err != nil {
			b.Fatal(err)
		}
		some = append(some, growTo(b, dir, have, size)...)
		have = size
		b.Run("events="+field, func(b *testing.B) {
			_, c := serve(b, func(cfg *Config) { cfg.Dir = dir })
			b.Run("append", func(b *testing.B) { appendFrom(b, c, 1, b.N) })
			b.Run("read-stream", func(b *testing.B) {
				for range b.N {
					s, err := c.ReadStream(b.Context(), growthStream(rand.IntN(size/growthPerStream)), esdb.ReadStreamOptions{From: esdb.Start{}}, growthPerStream)
					drain(b, s, err, growthPerStream)
				}
			})
			b.Run("read-all-1000", func(b *testing.B) {
				for range b.N {
					at := some[rand.IntN(len(some))]
					s, err := c.ReadAll(b.Context(), esdb.ReadAllOptions{From: esdb.Position{Commit: at, Prepare: at}}, 1000)
					drain(b, s, err, 1000)
				}
			})
		})
	}
}

func drain(b *testing.B, s *esdb.ReadStream, err error, want int) {
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for n := range want {
		if _, err := s.Recv(); err != nil {
			b.Fatalf("event %d of %d: %v", n, want, err)
		}
	}
}

func growthStream(i int) string { return fmt.Sprintf("Delivery-%08x", uint32(i)*2654435761) }

// growTo fills the store in dir from one number of events to another, and returns positions that have a thousand events
// behind them.
func growTo(b *testing.B, dir string, from, to int) (some []uint64) {
	j, err := journal.Open(journal.Options{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	data := make([]byte, 200)
	for i := range data {
		data[i] = byte(rand.Uint32N(26)) + 'a'
	}
	data[0], data[len(data)-1] = '"', '"'
	var wg sync.WaitGroup
	var mu sync.Mutex
	room := make(chan struct{}, 2048)
	for i := from; i < to; i += growthPerStream {
		room <- struct{}{}
		wg.Add(1)
		events := make([]journal.Event, growthPerStream)
		for k := range events {
			events[k] = journal.Event{Type: "DeliveryCompleted", JSON: true, Data: data}
			binary.BigEndian.PutUint64(events[k].ID[:], uint64(i+k))
		}
		sample := i%1000 == 0 && to-i > 5000
		err := j.Submit(context.Background(), journal.Append{Stream: growthStream(i / growthPerStream), Expected: journal.NoStream, Events: events},
			func(w journal.Written, err error) {
				if err != nil {
					b.Error(err)
				}
				if sample {
					mu.Lock()
					some = append(some, w.Position)
					mu.Unlock()
				}
				<-room
				wg.Done()
			})
		if err != nil {
			b.Fatal(err)
		}
	}
	wg.Wait()
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
	return some
}
