package store_test

import (
	"context"
	"errors"
	"strings"
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

const validTime = "17000000000000000"

// Each of these makes the client module's own Client panic, hang, or end the
// process.

func TestAnUnexpectedAnswerToAReadIsSkipped(t *testing.T) {
	t.Parallel()
	f := &fake{read: func(r *streams.ReadReq, s streams.Streams_ReadServer) error {
		s.Send(caughtUp())
		s.Send(&streams.ReadResp{Content: &streams.ReadResp_FirstStreamPosition{FirstStreamPosition: 3}})
		s.Send(&streams.ReadResp{})
		return s.Send(recorded("a", 7, validTime))
	}}
	s := storetest.Open(t, store.Config{URL: "esdb://" + f.serve(t) + "?tls=false"})
	if records, err := s.Read(t.Context(), "a", 0, 1); err != nil || len(records) != 1 || records[0].Position.Commit != 7 {
		t.Errorf("read %v, %v; want the one event", records, err)
	}
}

func TestAnEventWithAMalformedTimeIsAnErrorAndNotTheEndOfTheProcess(t *testing.T) {
	t.Parallel()
	for _, created := range []string{"", "yesterday", "1.5", "99999999999999999999999"} {
		f := &fake{read: func(r *streams.ReadReq, s streams.Streams_ReadServer) error {
			return s.Send(recorded("a", 7, created))
		}}
		s := storetest.Open(t, store.Config{URL: "esdb://" + f.serve(t) + "?tls=false"})
		if _, err := s.Read(t.Context(), "a", 0, 1); err == nil || !strings.Contains(err.Error(), "malformed") {
			t.Errorf("created %q: got %v, want a malformed answer", created, err)
		}
	}
}

func TestASubscriptionEndsAtAMalformedEventInsteadOfAskingForItForEver(t *testing.T) {
	t.Parallel()
	f := &fake{read: func(r *streams.ReadReq, s streams.Streams_ReadServer) error {
		if r.GetOptions().GetSubscription() != nil {
			s.Send(confirmation())
			s.Send(recorded("a", 7, validTime))
		}
		return s.Send(recorded("a", 8, validTime[:3]+"x"))
	}}
	s := storetest.Open(t, store.Config{URL: "esdb://" + f.serve(t) + "?tls=false"})
	sub := s.SubscribeStream(t.Context(), "a", 0)
	defer sub.Close()
	nextRecords(t, sub, 1)
	if _, err := sub.Next(t.Context()); err == nil || !strings.Contains(err.Error(), "malformed") {
		t.Errorf("got %v, want a malformed answer", err)
	}
}

func TestAnAppendThatIsAnsweredBeforeItIsReadCounts(t *testing.T) {
	t.Parallel()
	f := &fake{append: func(s streams.Streams_AppendServer) error { return s.SendAndClose(appended(42)) }}
	s := storetest.Open(t, store.Config{URL: "esdb://" + f.serve(t) + "?tls=false"})
	for range 20 {
		if at, err := s.Append(t.Context(), "a", events.NoStream, storetest.Events(200)); err != nil || at.Commit != 42 {
			t.Fatalf("got %v, %v; want the answer", at, err)
		}
	}
}

func TestAnAppendThatIsRefusedBeforeItIsReadSaysWhy(t *testing.T) {
	t.Parallel()
	f := &fake{append: func(s streams.Streams_AppendServer) error {
		s.SetTrailer(trailer("exception", "maximum-append-size-exceeded", "maximum-append-size", "1"))
		return status.Error(codes.InvalidArgument, "too large")
	}}
	s := storetest.Open(t, store.Config{URL: "esdb://" + f.serve(t) + "?tls=false"})
	if _, err := s.Append(t.Context(), "a", events.NoStream, storetest.Events(500)); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v, want kind invalid", err)
	}
}

func TestADeletedStreamIsNotFoundEvenWhenItsNameIsMissing(t *testing.T) {
	t.Parallel()
	deleted := func(set func(pairs ...string)) error {
		set("exception", "stream-deleted") // without stream-name
		return status.Error(codes.FailedPrecondition, "deleted")
	}
	f := &fake{
		append: func(s streams.Streams_AppendServer) error {
			drain(s)
			return deleted(func(p ...string) { s.SetTrailer(trailer(p...)) })
		},
		read: func(_ *streams.ReadReq, s streams.Streams_ReadServer) error {
			return deleted(func(p ...string) { s.SetTrailer(trailer(p...)) })
		},
	}
	s := storetest.Open(t, store.Config{URL: "esdb://" + f.serve(t) + "?tls=false"})
	if _, err := s.Append(t.Context(), "a", events.NoStream, storetest.Events(1)); !fault.Is(err, fault.NotFound) {
		t.Errorf("append: %v, want kind not found", err)
	}
	if _, err := s.Read(t.Context(), "a", 0, 1); !fault.Is(err, fault.NotFound) {
		t.Errorf("read: %v, want kind not found", err)
	}
	sub := s.SubscribeStream(t.Context(), "a", 0)
	defer sub.Close()
	if _, err := sub.Next(t.Context()); !fault.Is(err, fault.NotFound) {
		t.Errorf("subscription: %v, want to end with kind not found", err)
	}
}

func TestAZeroPositionMeansTheWholeLog(t *testing.T) {
	t.Parallel()
	s, category := storetest.Open(t, store.Config{URL: storetest.URL(t)}), storetest.Category()
	evs := storetest.Events(3)
	mustAppend(t, s, category+"1", events.NoStream, evs)
	sub := s.Subscribe(t.Context(), store.SubscribeConfig{Prefixes: []string{category}})
	defer sub.Close()
	got, _ := untilCaughtUp(t, sub)
	sameEvents(t, got, evs)
}

func TestALostAnswerIsSettledByTheSameIds(t *testing.T) {
	t.Parallel()
	var ids []string
	f := &fake{append: func(s streams.Streams_AppendServer) error {
		var id string
		for {
			req, err := s.Recv()
			if err != nil {
				break
			}
			if m := req.GetProposedMessage(); m != nil {
				id += m.GetId().String()
			}
		}
		if ids = append(ids, id); len(ids) < 3 {
			return status.Error(codes.Unavailable, "lost")
		}
		return s.SendAndClose(appended(42))
	}}
	s := storetest.Open(t, store.Config{URL: "esdb://" + f.serve(t) + "?tls=false"})
	if at, err := s.Append(t.Context(), "a", events.NoStream, storetest.Events(2)); err != nil || at.Commit != 42 {
		t.Errorf("got %v, %v", at, err)
	}
	if len(ids) != 3 || ids[0] != ids[1] || ids[1] != ids[2] {
		t.Errorf("the tries had different ids: %q", ids)
	}
}

func TestANodeThatIsNotTheLeaderSendsToIt(t *testing.T) {
	t.Parallel()
	leader := &fake{append: func(s streams.Streams_AppendServer) error { drain(s); return s.SendAndClose(appended(42)) }}
	host, port, _ := strings.Cut(leader.serve(t), ":")
	var asked atomic.Int64
	follower := &fake{append: func(s streams.Streams_AppendServer) error {
		asked.Add(1)
		drain(s)
		s.SetTrailer(trailer("exception", "not-leader", "leader-endpoint-host", host, "leader-endpoint-port", port))
		return status.Error(codes.NotFound, "not leader")
	}}
	s := storetest.Open(t, store.Config{URL: "esdb://" + follower.serve(t) + "?tls=false"})
	for range 3 {
		if at, err := s.Append(t.Context(), "a", events.NoStream, storetest.Events(1)); err != nil || at.Commit != 42 {
			t.Fatalf("got %v, %v", at, err)
		}
	}
	if asked.Load() != 1 {
		t.Errorf("the follower was asked %d times, want once", asked.Load())
	}
}

func TestAClusterIsAskedForItsLeaderAndAgainWhenThatIsGone(t *testing.T) {
	t.Parallel()
	var nodes [2]*fake
	var address [2]string
	for i := range nodes {
		nodes[i] = &fake{append: func(s streams.Streams_AppendServer) error { drain(s); return s.SendAndClose(appended(uint64(i + 1))) }}
		address[i] = nodes[i].serve(t)
	}
	front := storetest.NewProxy(t, "esdb://"+address[0]+"?tls=false") // to the first leader
	var leader atomic.Int64
	seed := &fake{members: func() []*gossip.MemberInfo {
		states := []gossip.MemberInfo_VNodeState{gossip.MemberInfo_Leader, gossip.MemberInfo_Follower}
		if leader.Load() == 1 {
			states[0], states[1] = gossip.MemberInfo_Shutdown, states[0]
		}
		return []*gossip.MemberInfo{member(address[1], states[1]), member(front.Address(), states[0])}
	}}
	s := storetest.Open(t, store.Config{URL: "esdb://127.0.0.1:1," + seed.serve(t) + "?tls=false", AttemptTimeout: time.Second})
	for want := range uint64(2) {
		at, err := s.Append(t.Context(), "a", events.NoStream, storetest.Events(1))
		if err != nil || at.Commit != want+1 {
			t.Fatalf("node %d: got %v, %v", want, at, err)
		}
		leader.Store(1)
		front.Refuse()
	}
}

func TestEveryCallReturnsWithinItsContextFromAServerThatSaysNothing(t *testing.T) {
	t.Parallel()
	mute := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	f := &fake{
		append:      func(s streams.Streams_AppendServer) error { return mute(s.Context()) },
		read:        func(_ *streams.ReadReq, s streams.Streams_ReadServer) error { return mute(s.Context()) },
		batchAppend: func(s streams.Streams_BatchAppendServer) error { return mute(s.Context()) },
	}
	dead := storetest.NewProxy(t, "esdb://127.0.0.1:1?tls=false")
	dead.Stall()
	refusing := storetest.NewProxy(t, "esdb://127.0.0.1:1?tls=false")
	refusing.Refuse()
	for name, url := range map[string]string{
		"mute":        "esdb://" + f.serve(t) + "?tls=false",
		"dead":        dead.URL(),
		"refusing":    refusing.URL(),
		"absent":      "esdb://127.0.0.1:1?tls=false",
		"no seed":     "esdb://127.0.0.1:1,127.0.0.1:2?tls=false",
		"not a store": "esdb+discover://" + strings.TrimSuffix(strings.TrimPrefix(refusing.URL(), "esdb://"), "?tls=false") + "?tls=false",
	} {
		s := storetest.Open(t, store.Config{URL: url, Timeout: 2 * storetest.Patience, AttemptTimeout: 60 * time.Millisecond})
		b, err := s.Bulk(t.Context(), store.BulkConfig{})
		if err != nil {
			t.Fatal(err)
		}
		for call, f := range everyCall(s, b, "a") {
			t.Run(name+"/"+call, func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
				defer cancel()
				began := time.Now()
				err := f(ctx)
				if took := time.Since(began); err == nil || took > storetest.Patience {
					t.Errorf("returned %v after %v", err, took)
				}
			})
		}
	}
}

func TestAStoreThatCannotBeReachedIsNamedWithoutItsCredentials(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Config{URL: "esdb://admin:hush-hush@127.0.0.1:1?tls=true", Timeout: 100 * time.Millisecond})
	_, err := s.Append(t.Context(), "a", events.NoStream, storetest.Events(1))
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "127.0.0.1:1") || strings.Contains(err.Error(), "hush-hush") {
		t.Errorf("got %v (%v)", err, fault.KindOf(err))
	}
	if unknown := (*store.UnknownOutcomeError)(nil); errors.As(err, &unknown) {
		t.Errorf("what was never sent has no unknown outcome: %v", err)
	}
	for _, url := range []string{"esdb://admin:hush-hush@:x", "esdb://admin:hush/hush-hush@h:1", "postgres://admin:hush-hush@h", "hush-hush"} {
		if _, err := store.Open(store.Config{URL: url}); err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("a connection string that cannot be read: %v", err)
		}
	}
}

func TestACancelledCallSaysSo(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Config{URL: "esdb://127.0.0.1:1?tls=false"})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err := s.Head(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestCloseBesideFailingCallsIsHarmless(t *testing.T) {
	t.Parallel()
	for range 4 {
		p := storetest.NewProxy(t, storetest.Start(t, t.TempDir(), "").ConnectionString())
		s := storetest.Open(t, store.Config{URL: p.URL(), AttemptTimeout: time.Second})
		var callers sync.WaitGroup
		for range 8 {
			callers.Go(func() {
				for i := 0; ; i++ {
					if _, err := s.Append(t.Context(), storetest.Category(), events.NoStream, storetest.Events(1)); errors.Is(err, store.ErrClosed) {
						return
					}
				}
			})
		}
		sub := s.Subscribe(t.Context(), store.SubscribeConfig{})
		nextRecords(t, sub, 3)
		p.Cut()
		p.Refuse()
		s.Close()
		callers.Wait()
	}
}

func TestBulkAppendsThatAreRefusedSayWhyOneByOne(t *testing.T) {
	t.Parallel()
	f := &fake{batchAppend: func(s streams.Streams_BatchAppendServer) error {
		s.Recv()
		s.SetTrailer(trailer("exception", "access-denied"))
		return status.Error(codes.PermissionDenied, "access denied")
	}}
	s := storetest.Open(t, store.Config{URL: "esdb://" + f.serve(t) + "?tls=false"})
	b, err := s.Bulk(t.Context(), store.BulkConfig{})
	if err != nil {
		t.Fatal(err)
	}
	var pending []*store.Pending
	for _, stream := range []string{"first", "second", "third"} {
		pending = append(pending, b.Append(t.Context(), stream, events.NoStream, storetest.Events(1)))
	}
	for i, stream := range []string{"first", "second", "third"} {
		_, err := pending[i].Wait(t.Context())
		if err == nil || fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "stream "+stream) ||
			strings.Count(err.Error(), "append to stream") != 1 {
			t.Errorf("append to %s: %v, want a refusal that names it", stream, err)
		}
	}
	if err := b.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
