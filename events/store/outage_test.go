package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"waybill/events"
	"waybill/events/fault"
	"waybill/events/store"
	"waybill/events/store/storetest"
)

func TestAnAppendIsWholeOrNotThereHoweverItsConnectionBreaks(t *testing.T) {
	t.Parallel()
	url := storetest.ProxyableURL(t)
	p := storetest.NewProxy(t, url)
	s := storetest.Open(t, store.Config{URL: p.URL(), AttemptTimeout: 300 * time.Millisecond})
	direct := storetest.Open(t, store.Config{URL: url})
	ctx, cancel := context.WithCancel(t.Context())
	var cutter sync.WaitGroup
	cutter.Go(func() {
		for ctx.Err() == nil {
			p.Cut()
			select {
			case <-ctx.Done():
			case <-time.After(time.Duration(rand.IntN(int(4 * time.Millisecond)))):
			}
		}
	})
	category := storetest.Category()
	for i := range 150 {
		stream := fmt.Sprint(category, i)
		evs := storetest.Events(60)
		short, stop := context.WithTimeout(ctx, 20*time.Millisecond)
		_, err := s.Append(short, stream, events.NoStream, evs)
		stop()
		if unknown := (*store.UnknownOutcomeError)(nil); err != nil && !errors.As(err, &unknown) && !fault.Is(err, fault.Unavailable) {
			t.Fatal(err)
		}
		records, err := direct.Read(ctx, stream, 0, 1000)
		if err != nil && !fault.Is(err, fault.NotFound) {
			t.Fatal(err)
		}
		if n := len(records); n != 0 && n != len(evs) {
			t.Fatalf("append %d left %d of %d events", i, n, len(evs))
		}
	}
	cancel()
	cutter.Wait()
}

func TestAHundredOutagesLeakNothingAndAreSurvived(t *testing.T) {
	dir := t.TempDir()
	p := storetest.NewProxy(t, storetest.Start(t, dir, "").ConnectionString())
	s := storetest.Open(t, store.Config{URL: p.URL(), AttemptTimeout: 250 * time.Millisecond, Silence: 50 * time.Millisecond})
	category := storetest.Category()
	b, err := s.Bulk(t.Context(), store.BulkConfig{})
	if err != nil {
		t.Fatal(err)
	}
	sub := s.Subscribe(t.Context(), store.SubscribeConfig{Prefixes: []string{category}})
	defer sub.Close()
	group := store.GroupConfig{Stream: category + "group", Name: "g"}
	member := consume(t, s, group)

	round := func(i int) {
		for j := range 3 {
			mustAppend(t, s, fmt.Sprint(category, i, ".", j), events.NoStream, storetest.Events(1))
			if _, err := b.Append(t.Context(), fmt.Sprint(category, i, ".b", j), events.NoStream, storetest.Events(1)).Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		mustAppend(t, s, group.Stream, events.Expected(i), storetest.Events(1))
		if d := member.answer(t, nil); d.Record.Revision != uint64(i+1) {
			t.Fatalf("round %d: the group's member got revision %d", i, d.Record.Revision)
		}
		if records, err := s.Read(t.Context(), group.Stream, 0, 1000); err != nil || len(records) != i+2 {
			t.Fatalf("round %d: read %d events (%v)", i, len(records), err)
		}
		nextRecords(t, sub, 7)
	}
	round(-1)
	settled := func() int { runtime.GC(); return runtime.NumGoroutine() }
	before := settled()
	var lift sync.WaitGroup
	for i := range 100 {
		switch i % 4 {
		case 0:
			p.Cut()
		case 1:
			p.Refuse()
			time.AfterFunc(5*time.Millisecond, p.Pass)
		case 2:
			opened := p.Opened()
			p.Stall()
			lift.Go(func() {
				storetest.Eventually(t, "a try is given up", func() bool { return p.Opened() > opened })
				p.Pass()
			})
		case 3:
			p.Stall()
			time.AfterFunc(20*time.Millisecond, p.Cut)
		}
		round(i)
		lift.Wait()
	}
	if p.Opened() < 60 {
		t.Errorf("only %d connections were made: the outages did not happen", p.Opened())
	}
	// The subscription, the member and the bulk writer may each have a connection
	// that one of the others has given up. A cut brings them together, unless the
	// machine is so slow that a try is given up just then.
	storetest.Eventually(t, "the connections of the outages are closed", func() bool { return p.Open() <= 4 })
	i := 100
	storetest.Eventually(t, "one connection and its goroutines are left", func() bool {
		if i%20 == 0 {
			p.Cut()
			round(i/20 + 95)
		}
		i++
		return p.Open() <= 1 && settled() <= before+15
	})
	if err := b.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestFindingTheNodeOfAClusterAgainAndAgainLeaksNothing(t *testing.T) {
	node := storetest.NewProxy(t, storetest.Start(t, t.TempDir(), "").ConnectionString())
	f := &fake{members: func() []*gossip.MemberInfo {
		return []*gossip.MemberInfo{member(node.Address(), gossip.MemberInfo_Leader)}
	}}
	seed := storetest.NewProxy(t, "esdb://"+f.serve(t)+"?tls=false")
	s := storetest.Open(t, store.Config{URL: "esdb://" + seed.Address() + ",127.0.0.1:1?tls=false", AttemptTimeout: 400 * time.Millisecond})
	round := func() { mustAppend(t, s, storetest.Category()+"1", events.NoStream, storetest.Events(1)) }
	round()
	settled := func() int { runtime.GC(); return runtime.NumGoroutine() }
	before := settled()
	for i := range 40 {
		if i%2 == 0 {
			node.Cut()
		} else {
			node.Stall()
			time.AfterFunc(60*time.Millisecond, node.Cut)
		}
		round()
	}
	if seed.Opened() < 20 {
		t.Errorf("the seed was asked %d times only: the outages did not happen", seed.Opened())
	}
	storetest.Eventually(t, "one connection is left", func() bool { return node.Open() <= 1 && seed.Open() == 0 })
	storetest.Eventually(t, "the goroutines of the outages are gone", func() bool { return settled() <= before+10 })
}

func TestASilentSubscriptionIsMadeAnew(t *testing.T) {
	t.Parallel()
	for name, dead := range map[string]bool{"the server forgot it": false, "nobody answers": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var subscriptions, heads atomic.Int64
			f := &fake{read: func(r *streams.ReadReq, s streams.Streams_ReadServer) error {
				if r.GetOptions().GetSubscription() == nil { // where does the log end?
					if heads.Add(1) == 2 && dead {
						<-s.Context().Done()
						return s.Context().Err()
					}
					return s.Send(recorded("other", uint64(5*heads.Load()), validTime))
				}
				s.Send(confirmation())
				if subscriptions.Add(1) > 1 {
					s.Send(recorded("a", 50, validTime))
				}
				<-s.Context().Done()
				return s.Context().Err()
			}}
			s := storetest.Open(t, store.Config{
				URL: "esdb://" + f.serve(t) + "?tls=false", Silence: 30 * time.Millisecond, AttemptTimeout: time.Second,
			})
			sub := s.Subscribe(t.Context(), store.SubscribeConfig{Prefixes: []string{"a"}})
			defer sub.Close()
			if got := nextRecords(t, sub, 1); got[0].Position.Commit != 50 {
				t.Errorf("got %+v", got[0])
			}
		})
	}
}

func TestAQuietLogIsLeftAlone(t *testing.T) {
	t.Parallel()
	var subscriptions, heads atomic.Int64
	f := &fake{read: func(r *streams.ReadReq, s streams.Streams_ReadServer) error {
		if r.GetOptions().GetSubscription() == nil {
			heads.Add(1)
			return s.Send(recorded("other", 5, validTime))
		}
		subscriptions.Add(1)
		s.Send(confirmation())
		s.Send(caughtUp())
		<-s.Context().Done()
		return s.Context().Err()
	}}
	s := storetest.Open(t, store.Config{URL: "esdb://" + f.serve(t) + "?tls=false", Silence: 5 * time.Millisecond})
	sub := s.Subscribe(t.Context(), store.SubscribeConfig{Prefixes: []string{"a"}})
	defer sub.Close()
	if _, at := untilCaughtUp(t, sub); at.Commit != 5 {
		t.Errorf("caught up at %v, want the log's end", at)
	}
	// It may have been asked for before it had caught up, and have subscribed again.
	var asked, subscribed int64
	storetest.Eventually(t, "the quiet log is asked for its end again and again on the same subscription", func() bool {
		if s := subscriptions.Load(); s != subscribed {
			asked, subscribed = heads.Load(), s
		}
		return heads.Load() > asked+5
	})
}

func TestCheckpointsOfServersThatSentUnsafeOnesAreIgnored(t *testing.T) {
	t.Parallel()
	for version, trusted := range map[string]bool{"24.10.0": false, "24.10.4.1866": false, "24.10.5": true, "24.10.11-lts": true, "25.0.0": true, "": true} {
		f := &fake{version: version, read: func(r *streams.ReadReq, s streams.Streams_ReadServer) error {
			if r.GetOptions().GetSubscription() == nil {
				return s.Send(recorded("other", 5, validTime))
			}
			s.Send(confirmation())
			s.Send(checkpoint(9))
			s.Send(recorded("a", 8, validTime)) // what an unsafe checkpoint would have skipped
			s.Send(caughtUp())
			<-s.Context().Done()
			return s.Context().Err()
		}}
		s := storetest.Open(t, store.Config{URL: "esdb://" + f.serve(t) + "?tls=false"})
		sub := s.Subscribe(t.Context(), store.SubscribeConfig{Prefixes: []string{"a"}})
		first, err := sub.Next(t.Context())
		if err != nil || (first.Checkpoint.Commit == 9) != trusted {
			t.Errorf("version %q: the first message is %+v, %v", version, first, err)
		}
		sub.Close()
	}
}

func TestASubscriptionThatIsRefusedForGoodEndsAndSaysWhy(t *testing.T) {
	t.Parallel()
	f := &fake{read: func(_ *streams.ReadReq, s streams.Streams_ReadServer) error {
		s.SetTrailer(trailer("exception", "access-denied"))
		return status.Error(codes.PermissionDenied, "access denied")
	}}
	s := storetest.Open(t, store.Config{URL: "esdb://" + f.serve(t) + "?tls=false"})
	sub := s.Subscribe(t.Context(), store.SubscribeConfig{Prefixes: []string{"a"}})
	if _, err := sub.Next(t.Context()); err == nil || fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v, want a refusal", err)
	}
}
