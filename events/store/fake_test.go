package store_test

import (
	"context"
	"net"
	"strconv"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// fake is a server of the protocol that misbehaves in a chosen way. What is not
// chosen is not implemented.
type fake struct {
	streams.UnimplementedStreamsServer
	read        func(*streams.ReadReq, streams.Streams_ReadServer) error
	append      func(streams.Streams_AppendServer) error
	batchAppend func(streams.Streams_BatchAppendServer) error
	version     string
	members     func() []*gossip.MemberInfo
	also        func(*grpc.Server) // registers more services
}

func (f *fake) Read(r *streams.ReadReq, s streams.Streams_ReadServer) error {
	if f.read == nil {
		return f.UnimplementedStreamsServer.Read(r, s)
	}
	return f.read(r, s)
}

func (f *fake) Append(s streams.Streams_AppendServer) error {
	if f.append == nil {
		return f.UnimplementedStreamsServer.Append(s)
	}
	return f.append(s)
}

func (f *fake) BatchAppend(s streams.Streams_BatchAppendServer) error {
	if f.batchAppend == nil {
		return f.UnimplementedStreamsServer.BatchAppend(s)
	}
	return f.batchAppend(s)
}

type fakeFeatures struct {
	serverfeatures.UnimplementedServerFeaturesServer
	version string
}

func (f fakeFeatures) GetSupportedMethods(context.Context, *shared.Empty) (*serverfeatures.SupportedMethods, error) {
	return &serverfeatures.SupportedMethods{EventStoreServerVersion: f.version}, nil
}

type fakeGossip struct {
	gossip.UnimplementedGossipServer
	members func() []*gossip.MemberInfo
}

func (f fakeGossip) Read(context.Context, *shared.Empty) (*gossip.ClusterInfo, error) {
	return &gossip.ClusterInfo{Members: f.members()}, nil
}

// serve runs the fake until the test ends and returns its address.
func (f *fake) serve(t testing.TB, opts ...grpc.ServerOption) string {
	t.Helper()
	return serve(t, func(s *grpc.Server) {
		streams.RegisterStreamsServer(s, f)
		if f.version != "" {
			serverfeatures.RegisterServerFeaturesServer(s, fakeFeatures{version: f.version})
		}
		if f.members != nil {
			gossip.RegisterGossipServer(s, fakeGossip{members: f.members})
		}
		if f.also != nil {
			f.also(s)
		}
	}, opts...)
}

// serve runs a server until the test ends and returns its address.
func serve(t testing.TB, register func(*grpc.Server), opts ...grpc.ServerOption) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(opts...)
	register(s)
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Stop()
		<-served
	})
	return l.Addr().String()
}

func member(address string, state gossip.MemberInfo_VNodeState) *gossip.MemberInfo {
	host, port, _ := net.SplitHostPort(address)
	n, _ := strconv.ParseUint(port, 10, 16)
	return &gossip.MemberInfo{State: state, IsAlive: true, HttpEndPoint: &gossip.EndPoint{Address: host, Port: uint32(n)}}
}

// drain reads an append to its end, as a server must.
func drain(s streams.Streams_AppendServer) {
	for {
		if _, err := s.Recv(); err != nil {
			return
		}
	}
}

func appended(commit uint64) *streams.AppendResp {
	return &streams.AppendResp{Result: &streams.AppendResp_Success_{Success: &streams.AppendResp_Success{
		CurrentRevisionOption: &streams.AppendResp_Success_CurrentRevision{},
		PositionOption: &streams.AppendResp_Success_Position{
			Position: &streams.AppendResp_Position{CommitPosition: commit, PreparePosition: commit},
		},
	}}}
}

// recorded is an event as a server sends it.
func recorded(stream string, position uint64, created string) *streams.ReadResp {
	id := uuid.NewString()
	return &streams.ReadResp{Content: &streams.ReadResp_Event{Event: &streams.ReadResp_ReadEvent{
		Event: &streams.ReadResp_ReadEvent_RecordedEvent{
			Id:               &shared.UUID{Value: &shared.UUID_String_{String_: id}},
			StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(stream)},
			CommitPosition:   position, PreparePosition: position,
			Metadata: map[string]string{"type": "Tested", "created": created, "content-type": "application/json"},
			Data:     []byte(`{}`),
		},
	}}}
}

func confirmation() *streams.ReadResp {
	return &streams.ReadResp{Content: &streams.ReadResp_Confirmation{
		Confirmation: &streams.ReadResp_SubscriptionConfirmation{SubscriptionId: "1"},
	}}
}

func checkpoint(at uint64) *streams.ReadResp {
	return &streams.ReadResp{Content: &streams.ReadResp_Checkpoint_{
		Checkpoint: &streams.ReadResp_Checkpoint{CommitPosition: at, PreparePosition: at},
	}}
}

func caughtUp() *streams.ReadResp {
	return &streams.ReadResp{Content: &streams.ReadResp_CaughtUp_{CaughtUp: &streams.ReadResp_CaughtUp{}}}
}

func trailer(pairs ...string) metadata.MD { return metadata.Pairs(pairs...) }
