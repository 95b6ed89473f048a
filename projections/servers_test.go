package projections_test

import (
	"context"
	"testing"
	"time"

	"waybill/projections"
)

func TestAServerIsListedWhileItRunsAndAKilledOneNotForLong(t *testing.T) {
	t.Parallel()
	pools := open(t)
	list := func() []projections.Server {
		t.Helper()
		all, err := projections.Servers(t.Context(), pools.Projector)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	announce := func(url string, public, alone bool) *projections.Presence {
		t.Helper()
		p, err := projections.NewPresence(projections.PresenceConfig{
			Pool: pools.Projector, Server: projections.Server{Owner: "here", URL: url, Public: public}, Alone: alone, Every: time.Millisecond, Patience: patience,
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Announce(t.Context()); err != nil {
			t.Fatal(err)
		}
		return p
	}
	if got := list(); len(got) != 0 {
		t.Fatalf("nobody is there, and %v is listed", got)
	}
	public := announce("https://public.example", true, false)
	announce("http://127.0.0.1:1", false, false)
	if got := list(); len(got) != 2 || got[0].URL != "https://public.example" || !got[0].Public || got[1].Public || got[1].Owner != "here" {
		t.Fatalf("listed %+v, want the one with a public URL first", got)
	}

	if _, err := pools.Projector.Exec(t.Context(), `UPDATE ops.servers SET seen_at = now() - interval '2 minutes'`); err != nil {
		t.Fatal(err)
	}
	if got := list(); len(got) != 0 {
		t.Fatalf("silent servers are listed: %v", got)
	}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- public.Run(ctx) }()
	for deadline := time.Now().Add(patience); len(list()) != 1; {
		if time.Now().After(deadline) {
			t.Fatal("a server that runs does not say so again")
		}
	}
	end()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if got := list(); len(got) != 0 {
		t.Errorf("a server that has ended is listed: %v", got)
	}
	announce("http://127.0.0.1:2", false, false) // the other silent one goes, this one stays until ...
	announce("http://127.0.0.1:3", false, true)  // ... somebody knows to be alone
	var rows int
	if err := pools.Projector.QueryRow(t.Context(), `SELECT count(*) FROM ops.servers`).Scan(&rows); err != nil || rows != 1 {
		t.Errorf("%d rows are kept (%v), want that of the one who is alone", rows, err)
	}
}
