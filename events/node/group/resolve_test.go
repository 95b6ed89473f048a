package group

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"waybill/events/node/journal"
)

func TestALinkThatCannotBeFollowedForNowIsFollowedLaterAndNothingIsLost(t *testing.T) {
	t.Parallel()
	j, err := journal.Open(journal.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	links := make([]journal.Event, 5)
	for i := range links {
		links[i] = journal.Event{ID: [16]byte{byte(i + 1)}, Type: journal.TypeLink, Data: []byte("0@a")}
	}
	if _, err := j.Append(t.Context(), journal.Append{Stream: "s", Expected: journal.NoStream, Events: links}); err != nil {
		t.Fatal(err)
	}
	tries := 0
	deps := Deps{Journal: j, Now: time.Now, Log: slog.New(slog.DiscardHandler), Resolve: func(context.Context, *journal.Record) (*journal.Record, error) {
		if tries++; tries == 3 {
			return nil, errors.New("the disk is busy")
		}
		return nil, nil
	}}
	g, err := newGroup(Key{"s", "g"}, &deps, Settings{ResolveLinks: true, ReadBatch: 4, HistoryBuffer: 10, Strategy: RoundRobin}, 0)
	if err != nil {
		t.Fatal(err)
	}
	g.start()
	c, err := g.Join(10, "here")
	if err != nil {
		t.Fatal(err)
	}
	for i := range links {
		select {
		case m := <-c.Messages:
			if m.Link == nil || m.Link.Revision != int64(i) {
				t.Fatalf("got %+v when link %d was due", m, i)
			}
			g.Ack(c, [][16]byte{m.Link.ID})
		case <-time.After(2 * time.Minute):
			t.Fatalf("link %d does not come", i)
		}
	}
	g.stop(ErrStopped)
	if low := g.progress.low(); low != 5 {
		t.Errorf("everything is dealt with below %d, want 5", low)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}
