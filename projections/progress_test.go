package projections_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"waybill/events"
	"waybill/events/fault"
	"waybill/projections"
)

// patience is what a test may wait for: far above what a healthy machine needs,
// however busy it is.
const patience = 5 * time.Minute

func following(t *testing.T, pools *projections.Pools, run bool) *projections.Progress {
	t.Helper()
	p := projections.NewProgress(projections.ProgressConfig{Name: "p", Pool: pools.Reader, Poll: time.Millisecond})
	if run {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- p.Run(ctx) }()
		t.Cleanup(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("Run: %v", err)
			}
		})
	}
	return p
}

func TestWaitersAreReleasedWhenTheirPositionIsCommitted(t *testing.T) {
	t.Parallel()
	for name, run := range map[string]bool{"by notifications": true, "by polling": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pools := open(t)
			log, progress := newLog(t, pools, "p"), following(t, pools, run)
			if err := progress.Wait(t.Context(), events.Position{}); err != nil {
				t.Fatalf("waiting for the start: %v", err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			var wg sync.WaitGroup
			for n := uint64(1); n <= 50; n++ {
				wg.Go(func() {
					if err := progress.Wait(ctx, at(n)); err != nil {
						t.Errorf("waiting for %d: %v", n, err)
						return
					}
					if pos, err := progress.Position(ctx); err != nil || at(n).After(pos) {
						t.Errorf("released for %d at %v (%v)", n, pos, err)
					}
				})
			}
			after := events.Position{}
			for n := uint64(5); n <= 50; n += 5 {
				if err := unit(log).Commit(ctx, after, at(n)); err != nil {
					t.Fatal(err)
				}
				after = at(n)
			}
			wg.Wait()
		})
	}
}

func TestWaitingInVainSaysHowFarTheReadModelIs(t *testing.T) {
	t.Parallel()
	for name, run := range map[string]bool{"by notifications": true, "by polling": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pools := open(t)
			log := newLog(t, pools, "p")
			if err := unit(log).Commit(t.Context(), events.Position{}, events.Position{Commit: 41, Prepare: 41}); err != nil {
				t.Fatal(err)
			}
			progress := following(t, pools, run) // which has never known another position
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if err := progress.Wait(ctx, events.Position{Commit: 41, Prepare: 41}); err != nil {
				t.Fatal(err)
			}
			short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			err := progress.Wait(short, events.Position{Commit: 42, Prepare: 42})
			var f *fault.Error
			if !errors.As(err, &f) || f.Kind != fault.Unavailable || f.Code != "read-model-behind" || !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("got %v; want unavailable, read-model-behind, by the deadline", err)
			}
			if want := "The read model has reached position 41, not yet 42. Ask again in a moment."; f.Detail != want {
				t.Errorf("it says %q, want %q", f.Detail, want)
			}
		})
	}
}

func TestWaitersFollowARebuildAndALostConnection(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	pools := openURL(t, url)
	log, progress := newLog(t, pools, "p"), following(t, pools, true)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	// Who does not wait learns what the notifications have told, and nothing while
	// nobody listens: the table cannot be asked any more.
	hurried, hurry := context.WithCancel(ctx)
	hurry()
	heard := func(n uint64, want bool) {
		t.Helper()
		for (progress.Wait(hurried, at(n)) == nil) != want {
			if ctx.Err() != nil {
				t.Fatalf("the notifications never say of %d: %v", n, want)
			}
			runtime.Gosched()
		}
	}
	if err := unit(log).Commit(ctx, events.Position{}, at(50)); err != nil {
		t.Fatal(err)
	}
	heard(50, true)
	if err := log.Clear(ctx); err != nil {
		t.Fatal(err)
	}
	heard(50, false) // it is ahead again
	if n := cutListeners(t, url); n != 1 {
		t.Fatalf("%d connections listened, want one", n)
	}
	if err := unit(log).Commit(ctx, events.Position{}, at(60)); err != nil {
		t.Fatal(err)
	}
	if err := progress.Wait(ctx, at(60)); err != nil {
		t.Fatal(err)
	}
}

// cutListeners ends the connections that listen, and returns how many there were.
func cutListeners(t *testing.T, url string) (n int) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	err = conn.QueryRow(context.Background(), `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
		WHERE application_name = 'waybill_progress' AND datname = current_database()`).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
