package importing_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"waybill/aggregates/importing"
)

// Not parallel: it looks at the whole process' memory.
func TestMemoryDoesNotGrowWithTheFile(t *testing.T) {
	const deliveries = 60_000
	path := filepath.Join(t.TempDir(), "large.csv")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "customer code,do number,date,address,description,quantity")
	for range 2 { // the two rows of a delivery are the whole file apart
		for i := range deliveries {
			fmt.Fprintf(w, "C%d,N-%d,2026-03-01,\"%d Mill Lane, a town of some name\",\"Nevirapine 200mg, tablets, 60 Tabs\",%d\n", i%100, i, i, i)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}

	live := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := live()
	staged, err := importing.Stage(context.Background(), path, importing.Config{TempDir: t.TempDir(), SortMemory: 512 << 10})
	if err != nil {
		t.Fatal(err)
	}
	defer staged.Close()
	peak, n := live(), 0
	for d, err := range staged.Deliveries() {
		if err != nil || len(d.Items) != 2 {
			t.Fatalf("delivery %s has %d items (%v)", d.DONumber, len(d.Items), err)
		}
		if n++; n%20_000 == 0 {
			peak = max(peak, live())
		}
	}
	const allowed = 8 << 20 // sorting, one buffer per run; the file itself is larger
	if info, err := os.Stat(path); err != nil || info.Size() < allowed {
		t.Fatalf("the file is too small to tell: %v (%v)", info.Size(), err)
	}
	if n != deliveries || peak-before > allowed {
		t.Errorf("%d deliveries took %d KiB of memory, allowed are %d", n, (peak-before)>>10, allowed>>10)
	}
}
