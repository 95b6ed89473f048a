package store_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"waybill/events"
	"waybill/events/store"
	"waybill/events/store/storetest"
)

func TestEveryCallReturnsWithinItsContextHoweverTheStoreBreaks(t *testing.T) {
	t.Parallel()
	process := func(breaks func(*storetest.Process)) func(*testing.T) (string, func(), func()) {
		return func(t *testing.T) (string, func(), func()) {
			p := storetest.StartProcess(t)
			return p.URL(), func() { breaks(p) }, nil
		}
	}
	proxied := func(breaks func(*storetest.Proxy)) func(*testing.T) (string, func(), func()) {
		return func(t *testing.T) (string, func(), func()) {
			p := storetest.NewProxy(t, storetest.ProxyableURL(t))
			return p.URL(), func() { breaks(p) }, p.Pass
		}
	}
	cases := map[string]func(*testing.T) (url string, breaks, heals func()){
		"killed":  process((*storetest.Process).Kill),
		"paused":  process((*storetest.Process).Pause),
		"stalled": proxied((*storetest.Proxy).Stall),
		"refused": proxied((*storetest.Proxy).Refuse),
	}
	for _, n := range []int{1, 40, 400} {
		cases[fmt.Sprintf("silent after %d bytes", n)] = proxied(func(p *storetest.Proxy) { p.Half(n, storetest.Stalls) })
		cases[fmt.Sprintf("cut after %d bytes", n)] = proxied(func(p *storetest.Proxy) { p.Half(n, storetest.Cuts) })
	}
	for name, open := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, breaks, heals := open(t)
			s := storetest.Open(t, store.Config{URL: url, Timeout: 2 * storetest.Patience, AttemptTimeout: 500 * time.Millisecond})
			b, err := s.Bulk(t.Context(), store.BulkConfig{})
			if err != nil {
				t.Fatal(err)
			}
			stream := storetest.Category() + "1"
			mustAppend(t, s, stream, events.NoStream, storetest.Events(1))
			breaks()
			var calls sync.WaitGroup
			for call, f := range everyCall(s, b, stream) {
				calls.Go(func() {
					ctx, cancel := context.WithTimeout(t.Context(), 1200*time.Millisecond) // more than two tries
					defer cancel()
					began := time.Now()
					err := f(ctx)
					if took := time.Since(began); took > storetest.Patience {
						t.Errorf("%s returned %v after %v", call, err, took)
					}
					if err == nil && !strings.Contains(name, "bytes") {
						t.Errorf("%s succeeded", call)
					}
				})
			}
			calls.Wait()
			if heals != nil {
				heals()
				mustAppend(t, s, stream, 0, storetest.Events(1))
			}
		})
	}
}

func TestEveryCallWorksOnASlowStore(t *testing.T) {
	t.Parallel()
	p := storetest.NewProxy(t, storetest.ProxyableURL(t))
	s := storetest.Open(t, store.Config{URL: p.URL(), AttemptTimeout: storetest.Patience})
	b, err := s.Bulk(t.Context(), store.BulkConfig{})
	if err != nil {
		t.Fatal(err)
	}
	stream := storetest.Category() + "1"
	p.Slow(100, time.Millisecond)
	mustAppend(t, s, stream, events.NoStream, storetest.Events(20))
	for call, f := range everyCall(s, b, stream) {
		if err := f(t.Context()); err != nil {
			t.Errorf("%s: %v", call, err)
		}
	}
}

func TestEveryCallFindsTheLeader(t *testing.T) {
	t.Parallel()
	leader := storetest.ProxyableURL(t)
	stream := storetest.Category() + "1"
	mustAppend(t, storetest.Open(t, store.Config{URL: leader}), stream, events.NoStream, storetest.Events(1))
	host, port, err := net.SplitHostPort(address(leader))
	if err != nil {
		t.Fatal(err)
	}
	follower := serve(t, func(*grpc.Server) {}, grpc.UnknownServiceHandler(func(_ any, s grpc.ServerStream) error {
		s.SetTrailer(trailer("exception", "not-leader", "leader-endpoint-host", host, "leader-endpoint-port", port))
		return status.Error(codes.NotFound, "not leader")
	}))
	for call := range everyCall(nil, nil, "") {
		s := storetest.Open(t, store.Config{URL: "esdb://" + follower + "?tls=false"})
		b, err := s.Bulk(t.Context(), store.BulkConfig{})
		if err != nil {
			t.Fatal(err)
		}
		if err := everyCall(s, b, stream)[call](t.Context()); err != nil {
			t.Errorf("%s: %v", call, err)
		}
	}
}

func TestAnUnknownOutcomeIsSettledByTheSameAppendAgain(t *testing.T) {
	t.Parallel()
	url := storetest.ProxyableURL(t)
	direct := storetest.Open(t, store.Config{URL: url})
	var all sync.WaitGroup
	for bytes := 0; bytes <= 200; bytes += 20 {
		for _, bulk := range []bool{false, true} {
			p := storetest.NewProxy(t, url)
			s := storetest.Open(t, store.Config{URL: p.URL()})
			appends := s.Append
			if bulk {
				b, err := s.Bulk(t.Context(), store.BulkConfig{})
				if err != nil {
					t.Fatal(err)
				}
				appends = func(ctx context.Context, stream string, at events.Expected, evs []events.Proposed) (events.Position, error) {
					return b.Append(ctx, stream, at, evs).Wait(ctx)
				}
			}
			category := storetest.Category()
			if _, err := appends(t.Context(), category+"0", events.NoStream, storetest.Events(1)); err != nil {
				t.Fatal(err)
			}
			if bytes == 0 {
				p.Stall()
			} else {
				p.Half(bytes, storetest.Stalls)
			}
			all.Go(func() {
				evs := storetest.Events(3)
				ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
				defer cancel()
				_, err := appends(ctx, category+"1", events.NoStream, evs)
				if conflict := (*store.ConflictError)(nil); errors.As(err, &conflict) {
					t.Errorf("interrupted after %d bytes: %v", bytes, err)
				}
				p.Pass()
				at, err := appends(t.Context(), category+"1", events.NoStream, evs)
				if err != nil {
					t.Errorf("the same again, after %d bytes: %v", bytes, err)
					return
				}
				records, err := direct.Read(t.Context(), category+"1", 0, 10)
				if err != nil || len(records) != len(evs) || records[2].Position != at {
					t.Errorf("after %d bytes: %d events (%v), the answer says %v", bytes, len(records), err, at)
				}
			})
		}
	}
	all.Wait()
}

func TestEveryAppendNamesTheRevisionItExpects(t *testing.T) {
	t.Parallel()
	headers := make(chan string, 1)
	f := &fake{
		append: func(s streams.Streams_AppendServer) error {
			req, err := s.Recv()
			if err != nil {
				return err
			}
			drain(s)
			headers <- fmt.Sprintf("%T %d", req.GetOptions().GetExpectedStreamRevision(), req.GetOptions().GetRevision())
			return s.SendAndClose(appended(42))
		},
		batchAppend: func(s streams.Streams_BatchAppendServer) error {
			req, err := s.Recv()
			if err != nil {
				return err
			}
			headers <- fmt.Sprintf("%T %d", req.GetOptions().GetExpectedStreamPosition(), req.GetOptions().GetStreamPosition())
			return status.Error(codes.InvalidArgument, "enough")
		},
	}
	s := storetest.Open(t, store.Config{URL: "esdb://" + f.serve(t) + "?tls=false"})
	for expected, want := range map[events.Expected][2]string{
		events.NoStream: {"*streams.AppendReq_Options_NoStream 0", "*streams.BatchAppendReq_Options_NoStream 0"},
		0:               {"*streams.AppendReq_Options_Revision 0", "*streams.BatchAppendReq_Options_StreamPosition 0"},
		7:               {"*streams.AppendReq_Options_Revision 7", "*streams.BatchAppendReq_Options_StreamPosition 7"},
	} {
		if _, err := s.Append(t.Context(), "a", expected, storetest.Events(1)); err != nil {
			t.Error(err)
		}
		if got := <-headers; got != want[0] {
			t.Errorf("expecting %d, an append said %s", expected, got)
		}
		b, err := s.Bulk(t.Context(), store.BulkConfig{})
		if err != nil {
			t.Fatal(err)
		}
		b.Append(t.Context(), "a", expected, storetest.Events(1))
		if got := <-headers; got != want[1] {
			t.Errorf("expecting %d, a bulk append said %s", expected, got)
		}
		b.Close(t.Context())
	}
}

func TestAClusterWhoseSeedsWereAllAwayIsFoundAgain(t *testing.T) {
	t.Parallel()
	node := &fake{append: func(s streams.Streams_AppendServer) error { drain(s); return s.SendAndClose(appended(42)) }}
	leader := node.serve(t)
	seed := &fake{members: func() []*gossip.MemberInfo {
		return []*gossip.MemberInfo{member(leader, gossip.MemberInfo_Leader)}
	}}
	p := storetest.NewProxy(t, "esdb://"+seed.serve(t)+"?tls=false")
	p.Refuse()
	s := storetest.Open(t, store.Config{URL: "esdb://127.0.0.1:1," + p.Address() + "?tls=false", AttemptTimeout: 600 * time.Millisecond})
	ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond) // longer than the client module tries
	defer cancel()
	if _, err := s.Append(ctx, "a", events.NoStream, storetest.Events(1)); err == nil {
		t.Error("an append without any node succeeded")
	}
	p.Pass()
	if at, err := s.Append(t.Context(), "a", events.NoStream, storetest.Events(1)); err != nil || at.Commit != 42 {
		t.Errorf("after the outage: %v, %v", at, err)
	}
}

func TestWhatFollowsIsThereSoonAfterARecoveryWithTheDefaultPauses(t *testing.T) {
	t.Parallel()
	url := storetest.ProxyableURL(t)
	p := storetest.NewProxy(t, url)
	direct := storetest.Open(t, store.Config{URL: url})
	s, err := store.Open(store.Config{URL: p.URL(), Timeout: storetest.Patience})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	category := storetest.Category()
	mustAppend(t, direct, category+"1", events.NoStream, storetest.Events(1))
	sub := s.Subscribe(t.Context(), store.SubscribeConfig{Prefixes: []string{category}})
	defer sub.Close()
	group := consume(t, s, store.GroupConfig{Stream: category + "1", Name: "g"})
	nextRecords(t, sub, 1)
	group.answer(t, nil)

	p.Refuse()
	time.AfterFunc(2500*time.Millisecond, p.Pass)
	mustAppend(t, direct, category+"1", 0, storetest.Events(1))
	storetest.Eventually(t, "the outage is over", func() bool { return p.Passing() })
	recovered := time.Now()
	nextRecords(t, sub, 1)
	subscription := time.Since(recovered)
	group.answer(t, nil)
	if member := time.Since(recovered); subscription > time.Minute || member > time.Minute {
		t.Errorf("the subscription took %v, the member of the group %v", subscription, member)
	}
}

// everyCall is one of each kind of call that a store has; stream has an event.
func everyCall(s *store.Store, b *store.Bulk, stream string) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"append": func(ctx context.Context) error {
			_, err := s.Append(ctx, storetest.Category()+"1", events.NoStream, storetest.Events(1))
			return err
		},
		"read": func(ctx context.Context) error { _, err := s.Read(ctx, stream, 0, 1); return err },
		"head": func(ctx context.Context) error { _, err := s.Head(ctx); return err },
		"read all": func(ctx context.Context) error {
			for _, err := range s.ReadAll(ctx, events.Position{}, store.Forwards) {
				return err
			}
			return nil
		},
		"next": func(ctx context.Context) error {
			sub := s.Subscribe(ctx, store.SubscribeConfig{})
			defer sub.Close()
			_, err := sub.Next(ctx)
			return err
		},
		"next of a stream": func(ctx context.Context) error {
			sub := s.SubscribeStream(ctx, stream, 0)
			defer sub.Close()
			_, err := sub.Next(ctx)
			return err
		},
		"bulk": func(ctx context.Context) error {
			_, err := b.Append(ctx, storetest.Category()+"1", events.NoStream, storetest.Events(1)).Wait(ctx)
			return err
		},
		"create group": func(ctx context.Context) error {
			return s.CreateGroup(ctx, store.GroupConfig{Stream: stream, Name: "created"})
		},
		"consume": func(ctx context.Context) error {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			var got bool
			err := s.Consume(ctx, store.GroupConfig{Stream: stream, Name: "consumed"}, func(context.Context, store.Delivery) error {
				got = true
				cancel()
				return nil
			})
			if got {
				return nil
			}
			return err
		},
	}
}
