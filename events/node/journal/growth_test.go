package journal

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
	"time"
)

var growthSizes = flag.String("growth-sizes", "10000,100000", "numbers of events at which BenchmarkGrowth measures")

const growthPerStream = 10

// BenchmarkGrowth measures what the same work costs as the store grows: appends to new and old streams, reads of a stream,
// reads of the log, and opening. One store grows through all sizes.
func BenchmarkGrowth(b *testing.B) {
	dir, have := b.TempDir(), 0
	for field := range strings.SplitSeq(*growthSizes, ",") {
		size, err := strconv.Atoi(field)
		if err != nil {
			b.Fatal(err)
		}
		j, err := Open(Options{Dir: dir})
		if err != nil {
			b.Fatal(err)
		}
		growTo(b, j, &have, size)
		if err := j.Close(); err != nil {
			b.Fatal(err)
		}
		begun := time.Now()
		if j, err = Open(Options{Dir: dir}); err != nil {
			b.Fatal(err)
		}
		opening := time.Since(begun)
		b.Run(fmt.Sprintf("events=%d/append", size), func(b *testing.B) {
			b.ReportMetric(float64(opening.Milliseconds()), "open-ms")
			before := have
			growTo(b, j, &have, before+b.N)
		})
		b.Run(fmt.Sprintf("events=%d/read-stream", size), func(b *testing.B) {
			for range b.N {
				stream := growthStream(rand.IntN(size / growthPerStream))
				h, err := j.Head(context.Background(), stream)
				n := 0
				if err == nil {
					err = j.Stream(stream, h, 0, false, func(*Record) bool { n++; return true })
				}
				if err != nil || n != growthPerStream {
					b.Fatalf("%s has %d events: %v", stream, n, err)
				}
			}
		})
		b.Run(fmt.Sprintf("events=%d/read-all-1000", size), func(b *testing.B) {
			end, _ := j.Durable()
			for range b.N {
				n := 0
				if err := j.All(rand.Uint64N(end), false, func(*Record) bool { n++; return n < 1000 }); err != nil {
					b.Fatal(err)
				}
			}
		})
		if err := j.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func growthStream(i int) string { return fmt.Sprintf("Delivery-%08x", uint32(i)*2654435761) }

// growTo appends until the store holds this many events, two to an append, streams filling up five at a time.
func growTo(b *testing.B, j *Journal, have *int, size int) {
	room := make(chan struct{}, 2048)
	var wg sync.WaitGroup
	data := make([]byte, 200)
	for i := range data {
		data[i] = byte(rand.Uint32N(64)) + 32
	}
	for *have < size {
		first := *have / growthPerStream
		for revision := 0; revision < growthPerStream; revision += 2 {
			room <- struct{}{}
			wg.Add(1)
			events := make([]Event, 2)
			for k := range events {
				events[k] = Event{Type: "DeliveryCompleted", JSON: true, Data: data}
				binary.BigEndian.PutUint64(events[k].ID[:], uint64(*have+revision+k))
			}
			err := j.Submit(context.Background(), Append{Stream: growthStream(first), Expected: int64(revision) - 1, Events: events},
				func(_ Written, err error) {
					if err != nil {
						b.Error(err)
					}
					<-room
					wg.Done()
				})
			if err != nil {
				b.Fatal(err)
			}
		}
		*have += growthPerStream
	}
	wg.Wait()
}
