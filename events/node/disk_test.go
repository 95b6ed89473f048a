package node

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

func TestFullDiskEndsTheNodeAndNothingIsAnsweredAsWritten(t *testing.T) {
	t.Parallel()
	var full atomic.Bool
	disk := vfs.NewCrashableMem()
	cfg := Config{Dir: "store", files: errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if full.Load() && op.Kind == errorfs.OpFileWrite && strings.HasSuffix(op.Path, ".log") {
			return syscall.ENOSPC
		}
		return nil
	}))}
	n, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- n.Run(context.Background()) }()
	c := connect(t, n.ConnectionString())
	appendTo(t, c, "s", esdb.NoStream{}, proposals(3)...)
	h := subscribeAll(t, c, esdb.SubscribeToAllOptions{From: esdb.End{}})
	h.expect("caught-up")
	full.Store(true)
	_, err = c.AppendToStream(within(t), "s", esdb.AppendToStreamOptions{ExpectedRevision: esdb.Revision(2)}, proposals(1)...)
	if codeOf(err) != esdb.ErrorUnavailable {
		t.Errorf("append to a full disk: %v, want Unavailable", err)
	}
	if err := <-ran; !errors.Is(err, ErrFailed) {
		t.Errorf("Run: %v, want ErrFailed", err)
	}
	if e := h.sub.Recv(); e.SubscriptionDropped == nil {
		t.Errorf("the subscription heard %+v, want the end", e)
	}
	crashed := disk.CrashClone(vfs.CrashCloneCfg{})
	_ = n.Close() // its outcome is the disk's
	again, err := Open(Config{Dir: "store", files: crashed})
	if err != nil {
		t.Fatal(err)
	}
	runInTest(t, again)
	if got := revisions(readStream(t, connect(t, again.ConnectionString()), "s", esdb.ReadStreamOptions{})); got != "0 1 2" {
		t.Errorf("after the disk was made larger: %s", got)
	}
}
