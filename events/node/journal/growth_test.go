package journal

import (
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

var growthSizes = flag.String("growth-sizes", "10000,100000", "numbers of events at which BenchmarkGrowth measures")

const growthPerStream = 10

// growthRecent is how many events the warm measurements keep to, at every size.
const growthRecent = 10_000

// BenchmarkGrowth measures what the same work costs as the store grows: appends to new and old streams, reads of a stream,
// reads of the log, and opening. One store grows through all sizes. Warm reads keep to the newest events, which the cache
// holds at every size; cold ones go anywhere, with next to no cache at any size. So what grows is the store's doing, and
// not a cache that holds all of a small store and little of a big one.
func BenchmarkGrowth(b *testing.B) {
	dir, have := b.TempDir(), 0
	for field := range strings.SplitSeq(*growthSizes, ",") {
		size, err := strconv.Atoi(field)
		if err != nil {
			b.Fatal(err)
		}
		measureGrowth(b, Options{Dir: dir}, &have, size)
	}
}

func measureGrowth(b *testing.B, o Options, have *int, size int) {
	j := growthOpen(b, o)
	growTo(b, j, have, size)
	growthClose(b, j)
	begun := time.Now()
	j = growthOpen(b, o)
	opening := time.Since(begun)
	b.Run(fmt.Sprintf("events=%d/append", size), func(b *testing.B) {
		growTo(b, j, have, *have+b.N)
		b.ReportMetric(float64(opening.Milliseconds()), "open-ms")
		b.ReportMetric(peakMemory(b), "peak-MB")
	})
	growthReads(b, j, size, "recent", max(0, *have-growthRecent), *have)
	growthReads(b, j, size, "anywhere", 0, *have)
	growthClose(b, j)
}

// growthReads reads streams and stretches of the log that lie among the events numbered from low to high.
func growthReads(b *testing.B, j *Journal, size int, state string, low, high int) {
	low, high = (low+growthPerStream-1)/growthPerStream, high/growthPerStream
	b.Run(fmt.Sprintf("events=%d/read-stream-%s", size, state), func(b *testing.B) {
		for range b.N {
			stream := growthStream(low + rand.IntN(high-low))
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
	first, err := j.Head(context.Background(), growthStream(low))
	if err != nil {
		b.Fatal(err)
	}
	end, _ := j.Durable()
	b.Run(fmt.Sprintf("events=%d/read-all-1000-%s", size, state), func(b *testing.B) {
		for range b.N {
			n := 0
			if err := j.All(first.ID+rand.Uint64N(end-first.ID), false, func(*Record) bool { n++; return n < 1000 }); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func growthOpen(b *testing.B, o Options) *Journal {
	j, err := Open(o)
	if err != nil {
		b.Fatal(err)
	}
	return j
}

func growthClose(b *testing.B, j *Journal) {
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
}

// peakMemory is the most that the process has had in memory, in MiB, as Linux tells it; 0 elsewhere.
func peakMemory(b *testing.B) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kib, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	n, err := strconv.Atoi(kib)
	if err != nil {
		b.Fatal(err)
	}
	return float64(n) / 1024
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
