package group

import (
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"waybill/events/node/journal"
)

func TestWhatIsDealtWithWhileThePositionIsStoredIsStoredNext(t *testing.T) {
	t.Parallel()
	var slow sync.Mutex
	armed, storing := false, make(chan struct{})
	disk := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpFileWrite && strings.HasSuffix(op.Path, ".log") {
			slow.Lock()
			defer slow.Unlock()
			if armed {
				armed = false
				storing <- struct{}{}
				<-storing
			}
		}
		return nil
	}))
	j, err := journal.Open(journal.Options{Dir: "store", FS: disk})
	if err != nil {
		t.Fatal(err)
	}
	events := make([]journal.Event, 3)
	for i := range events {
		events[i] = journal.Event{ID: [16]byte{byte(i + 1)}, Type: "T"}
	}
	if _, err := j.Append(t.Context(), journal.Append{Stream: "s", Expected: journal.NoStream, Events: events}); err != nil {
		t.Fatal(err)
	}
	deps := Deps{Journal: j, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	g, err := newGroup(Key{"s", "g"}, &deps, Settings{
		ReadBatch: 4, HistoryBuffer: 10, Strategy: RoundRobin, MinCheckpoint: 1, MaxCheckpoint: 2, CheckpointAfter: 1,
	}, 0)
	if err != nil {
		t.Fatal(err)
	}
	g.start()
	c, err := g.Join(3, "here")
	if err != nil {
		t.Fatal(err)
	}
	for range events {
		<-c.Messages
	}
	slow.Lock()
	armed = true
	slow.Unlock()
	g.Ack(c, [][16]byte{events[0].ID, events[1].ID})
	<-storing
	g.Ack(c, [][16]byte{events[2].ID})
	storing <- struct{}{}
	look, late := time.NewTicker(time.Millisecond), time.After(2*time.Minute)
	defer look.Stop()
	for {
		info, err := g.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if info.Stored == 3 {
			break
		}
		select {
		case <-look.C:
		case <-late:
			t.Fatalf("stored is %d, want 3", info.Stored)
		}
	}
	g.stop(ErrStopped)
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}
