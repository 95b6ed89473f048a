package store_test

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"waybill/events/fault"
	"waybill/events/store"
	"waybill/events/store/storetest"
)

func TestAGroupsUnexpectedAnswersAreSkippedAndItsEventsAcknowledged(t *testing.T) {
	t.Parallel()
	acked := make(chan string, 10)
	f := &fakeGroups{read: func(s persistent.PersistentSubscriptions_ReadServer) error {
		s.Send(letIn())
		s.Send(&persistent.ReadResp{})
		s.Send(letIn())
		first, goneLink := given("a", 0, 3), given("a", 1, 0)
		goneLink.GetEvent().Link, goneLink.GetEvent().Event = goneLink.GetEvent().Event, nil
		for _, e := range []*persistent.ReadResp{first, goneLink, given("a", 2, 0)} {
			s.Send(e)
			req, err := s.Recv()
			if err != nil {
				return err
			}
			acked <- req.GetAck().String()
		}
		return untilItLeaves(s)
	}}
	s := storetest.Open(t, store.Config{URL: f.serve(t)})
	c := consume(t, s, store.GroupConfig{Stream: "a", Name: "g"})
	if d := c.answer(t, nil); d.Record.Revision != 0 || d.Retries != 3 {
		t.Errorf("first came %+v", d)
	}
	if d := c.answer(t, nil); d.Record.Revision != 2 {
		t.Errorf("then %+v, want what follows the link to nothing", d)
	}
	for range 3 {
		if ack := <-acked; ack == "" || ack == "<nil>" {
			t.Error("an event was not acknowledged")
		}
	}
}

func TestAGroupsMalformedEventIsAnErrorAndNotTheEndOfTheProcess(t *testing.T) {
	t.Parallel()
	f := &fakeGroups{read: func(s persistent.PersistentSubscriptions_ReadServer) error {
		s.Send(letIn())
		e := given("a", 0, 0)
		e.GetEvent().GetEvent().Metadata["created"] = "yesterday"
		return s.Send(e)
	}}
	s := storetest.Open(t, store.Config{URL: f.serve(t)})
	err := s.Consume(t.Context(), store.GroupConfig{Stream: "a", Name: "g"}, nil)
	if err == nil || !strings.Contains(err.Error(), "malformed") {
		t.Errorf("got %v, want a malformed answer", err)
	}
}

func TestAMemberGoesToTheLeader(t *testing.T) {
	t.Parallel()
	leader := &fakeGroups{read: func(s persistent.PersistentSubscriptions_ReadServer) error {
		s.Send(letIn())
		s.Send(given("a", 0, 0))
		return untilItLeaves(s)
	}}
	host, port, _ := net.SplitHostPort(address(leader.serve(t)))
	follower := &fakeGroups{read: func(s persistent.PersistentSubscriptions_ReadServer) error {
		s.SetTrailer(trailer("exception", "not-leader", "leader-endpoint-host", host, "leader-endpoint-port", port))
		return status.Error(codes.NotFound, "not leader")
	}}
	s := storetest.Open(t, store.Config{URL: follower.serve(t)})
	consume(t, s, store.GroupConfig{Stream: "a", Name: "g"}).answer(t, nil)
}

func TestASilentGroupIsJoinedAnewWhenItsStreamHasGrownOrNobodyAnswers(t *testing.T) {
	t.Parallel()
	for name, dead := range map[string]bool{"the server forgot it": false, "nobody answers": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var joined atomic.Int64
			f := &fakeGroups{read: func(s persistent.PersistentSubscriptions_ReadServer) error {
				s.Send(letIn())
				if joined.Add(1) > 1 {
					s.Send(given("a", 0, 0))
				}
				return untilItLeaves(s)
			}}
			f.fake.read = func(_ *streams.ReadReq, s streams.Streams_ReadServer) error { // where does the stream end?
				if dead {
					<-s.Context().Done()
					return s.Context().Err()
				}
				return s.Send(recorded("a", 5, validTime))
			}
			s := storetest.Open(t, store.Config{URL: f.serve(t), Silence: 30 * time.Millisecond, AttemptTimeout: time.Second})
			consume(t, s, store.GroupConfig{Stream: "a", Name: "g"}).answer(t, nil)
		})
	}
}

func TestAQuietGroupIsLeftAlone(t *testing.T) {
	t.Parallel()
	var joined, asked atomic.Int64
	f := &fakeGroups{read: func(s persistent.PersistentSubscriptions_ReadServer) error {
		joined.Add(1)
		s.Send(letIn())
		return untilItLeaves(s)
	}}
	f.fake.read = func(_ *streams.ReadReq, s streams.Streams_ReadServer) error {
		asked.Add(1)
		return s.Send(recorded("a", 5, validTime))
	}
	s := storetest.Open(t, store.Config{URL: f.serve(t), Silence: 5 * time.Millisecond})
	consume(t, s, store.GroupConfig{Stream: "a", Name: "g"})
	storetest.Eventually(t, "the end of the quiet stream was asked for a few times", func() bool { return asked.Load() > 5 })
	if joined.Load() != 2 { // again once, because what it had seen was not known
		t.Errorf("joined %d times, want twice", joined.Load())
	}
}

func TestAGroupThatIsRefusedForGoodEndsAndSaysWhy(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]*fakeGroups{
		"joining": {read: func(s persistent.PersistentSubscriptions_ReadServer) error {
			s.SetTrailer(trailer("exception", "access-denied"))
			return status.Error(codes.PermissionDenied, "access denied")
		}},
		"looking": {info: func(ctx context.Context) (*persistent.GetInfoResp, error) {
			grpc.SetTrailer(ctx, trailer("exception", "access-denied"))
			return nil, status.Error(codes.PermissionDenied, "access denied")
		}},
	} {
		s := storetest.Open(t, store.Config{URL: f.serve(t)})
		err := s.Consume(t.Context(), store.GroupConfig{Stream: "a", Name: "g"}, nil)
		if err == nil || fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "group g of stream a") {
			t.Errorf("%s: got %v, want a refusal", name, err)
		}
	}
}

func TestAGroupThatSomebodyElseCreatesAtTheSameTimeIsFine(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	refuse := func(ctx context.Context, exception string, code codes.Code) error {
		grpc.SetTrailer(ctx, trailer("exception", exception))
		return status.Error(code, exception)
	}
	f := &fakeGroups{
		info: func(ctx context.Context) (*persistent.GetInfoResp, error) {
			if asked.Add(1) == 1 {
				return nil, refuse(ctx, "persistent-subscription-does-not-exist", codes.NotFound)
			}
			return ordered(), nil
		},
		create: func(ctx context.Context) error {
			return refuse(ctx, "persistent-subscription-exists", codes.AlreadyExists)
		},
	}
	s := storetest.Open(t, store.Config{URL: f.serve(t)})
	if err := s.CreateGroup(t.Context(), store.GroupConfig{Stream: "a", Name: "g"}); err != nil {
		t.Error(err)
	}
}

// fakeGroups is a server of persistent subscriptions that misbehaves in a chosen
// way. What is not chosen goes well.
type fakeGroups struct {
	persistent.UnimplementedPersistentSubscriptionsServer
	fake   fake
	read   func(persistent.PersistentSubscriptions_ReadServer) error
	info   func(context.Context) (*persistent.GetInfoResp, error)
	create func(context.Context) error
}

func (f *fakeGroups) Read(s persistent.PersistentSubscriptions_ReadServer) error {
	if _, err := s.Recv(); err != nil {
		return err
	}
	return f.read(s)
}

func (f *fakeGroups) GetInfo(ctx context.Context, _ *persistent.GetInfoReq) (*persistent.GetInfoResp, error) {
	if f.info == nil {
		return ordered(), nil
	}
	return f.info(ctx)
}

func (f *fakeGroups) Create(ctx context.Context, _ *persistent.CreateReq) (*persistent.CreateResp, error) {
	if err := f.create(ctx); err != nil {
		return nil, err
	}
	return &persistent.CreateResp{}, nil
}

// serve runs the fake until the test ends and returns its connection string.
func (f *fakeGroups) serve(t testing.TB) string {
	t.Helper()
	f.fake.also = func(s *grpc.Server) { persistent.RegisterPersistentSubscriptionsServer(s, f) }
	return "esdb://" + f.fake.serve(t) + "?tls=false"
}

func address(url string) string {
	return strings.TrimSuffix(strings.TrimPrefix(url, "esdb://"), "?tls=false")
}

func ordered() *persistent.GetInfoResp {
	return &persistent.GetInfoResp{SubscriptionInfo: &persistent.SubscriptionInfo{MaxSubscriberCount: 1}}
}

// untilItLeaves hears a member out.
func untilItLeaves(s persistent.PersistentSubscriptions_ReadServer) error {
	for {
		if _, err := s.Recv(); err != nil {
			return nil
		}
	}
}

func letIn() *persistent.ReadResp {
	return &persistent.ReadResp{Content: &persistent.ReadResp_SubscriptionConfirmation_{
		SubscriptionConfirmation: &persistent.ReadResp_SubscriptionConfirmation{SubscriptionId: "1"},
	}}
}

// given is an event as a group gives it: that of a read, with a count.
func given(stream string, revision uint64, retries int32) *persistent.ReadResp {
	wire, err := proto.Marshal(recorded(stream, revision+1, validTime))
	e := new(persistent.ReadResp)
	if err == nil {
		err = proto.Unmarshal(wire, e)
	}
	if err != nil {
		panic(err)
	}
	e.GetEvent().GetEvent().StreamRevision = revision
	e.GetEvent().Count = &persistent.ReadResp_ReadEvent_RetryCount{RetryCount: retries}
	return e
}
