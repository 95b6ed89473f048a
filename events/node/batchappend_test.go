package node

import (
	"fmt"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/emptypb"
)

func dial(t testing.TB, n *Node) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(n.Addr(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func batchCallTo(t testing.TB, n *Node) streams.Streams_BatchAppendClient {
	t.Helper()
	call, err := streams.NewStreamsClient(dial(t, n)).BatchAppend(within(t))
	if err != nil {
		t.Fatal(err)
	}
	return call
}

func wireID(id uuid.UUID) *shared.UUID {
	return &shared.UUID{Value: &shared.UUID_String_{String_: id.String()}}
}

func batchEvents(n, size int) []*streams.BatchAppendReq_ProposedMessage {
	events := make([]*streams.BatchAppendReq_ProposedMessage, n)
	for i := range events {
		events[i] = &streams.BatchAppendReq_ProposedMessage{
			Id: wireID(uuid.New()), Data: make([]byte, size),
			Metadata: map[string]string{"type": "Happened", "content-type": "application/octet-stream"},
		}
	}
	return events
}

func newStreamOptions(stream string) *streams.BatchAppendReq_Options {
	return &streams.BatchAppendReq_Options{
		StreamIdentifier:       &shared.StreamIdentifier{StreamName: []byte(stream)},
		ExpectedStreamPosition: &streams.BatchAppendReq_Options_NoStream{NoStream: &emptypb.Empty{}},
	}
}

func send(t testing.TB, call streams.Streams_BatchAppendClient, req *streams.BatchAppendReq) {
	t.Helper()
	if err := call.Send(req); err != nil {
		t.Fatal(err)
	}
}

func answer(t testing.TB, call streams.Streams_BatchAppendClient) *streams.BatchAppendResp {
	t.Helper()
	resp, err := call.Recv()
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func TestBatchAppendAnswersEveryStreamOnce(t *testing.T) {
	t.Parallel()
	n, c := serve(t)
	call := batchCallTo(t, n)
	const count = batchOutstanding + 500
	go func() {
		for i := range count {
			_ = call.Send(&streams.BatchAppendReq{
				CorrelationId: wireID(uuid.New()), Options: newStreamOptions(fmt.Sprintf("s-%d", i)),
				ProposedMessages: batchEvents(2, 10), IsFinal: true,
			})
		}
		_ = call.CloseSend()
	}()
	seen := map[string]bool{}
	for range count {
		resp := answer(t, call)
		if resp.GetSuccess().GetCurrentRevision() != 1 || resp.GetSuccess().GetPosition().GetCommitPosition() == 0 || resp.GetNoStream() == nil {
			t.Fatalf("answer %v", resp)
		}
		seen[string(resp.GetStreamIdentifier().GetStreamName())] = true
	}
	if len(seen) != count {
		t.Errorf("%d streams answered, want %d", len(seen), count)
	}
	if got := len(readAll(t, c, esdb.ReadAllOptions{From: esdb.Start{}})); got != 2*count {
		t.Errorf("%d events, want %d", got, 2*count)
	}
}

func TestBatchAppendInPartsIsOneTransaction(t *testing.T) {
	t.Parallel()
	n, c := serve(t)
	call := batchCallTo(t, n)
	a, b := wireID(uuid.New()), wireID(uuid.New())
	send(t, call, &streams.BatchAppendReq{CorrelationId: a, Options: newStreamOptions("a"), ProposedMessages: batchEvents(2, 10)})
	send(t, call, &streams.BatchAppendReq{CorrelationId: b, Options: newStreamOptions("b"), ProposedMessages: batchEvents(1, 10)})
	send(t, call, &streams.BatchAppendReq{CorrelationId: b, IsFinal: true})
	if resp := answer(t, call); resp.GetCorrelationId().GetString_() != b.GetString_() || resp.GetSuccess().GetCurrentRevision() != 0 {
		t.Fatalf("answer %v", resp)
	}
	if got := readAll(t, c, esdb.ReadAllOptions{From: esdb.Start{}}); len(got) != 1 {
		t.Errorf("%d events before the last part of a, want 1", len(got))
	}
	send(t, call, &streams.BatchAppendReq{CorrelationId: a, ProposedMessages: batchEvents(3, 10), IsFinal: true})
	if resp := answer(t, call); resp.GetSuccess().GetCurrentRevision() != 4 {
		t.Fatalf("answer %v", resp)
	}
}

func TestBatchAppendRefusesEachAppendForItself(t *testing.T) {
	t.Parallel()
	n, c := serve(t)
	appendTo(t, c, "taken", esdb.NoStream{}, proposals(3)...)
	appendTo(t, c, "gone", esdb.NoStream{}, proposals(1)...)
	if _, err := c.TombstoneStream(within(t), "gone", esdb.TombstoneStreamOptions{ExpectedRevision: esdb.Any{}}); err != nil {
		t.Fatal(err)
	}
	late := newStreamOptions("late")
	late.DeadlineOption = &streams.BatchAppendReq_Options_Deadline{Deadline: durationpb.New(-time.Second)}
	untyped := batchEvents(1, 1)
	delete(untyped[0].Metadata, "type")
	cases := []struct {
		name     string
		options  *streams.BatchAppendReq_Options
		events   []*streams.BatchAppendReq_ProposedMessage
		want     code.Code
		message  string
		detailed any
	}{
		{"wrong revision", newStreamOptions("taken"), batchEvents(1, 1), code.Code_ALREADY_EXISTS, "WrongExpectedVersion", &shared.WrongExpectedVersion{}},
		{"tombstoned", newStreamOptions("gone"), batchEvents(1, 1), code.Code_NOT_FOUND, "StreamDeleted", &shared.StreamDeleted{}},
		{"too large", newStreamOptions("big"), batchEvents(3, 500<<10), code.Code_INVALID_ARGUMENT, "MaximumAppendSizeExceeded", &shared.MaximumAppendSizeExceeded{}},
		{"past its deadline", late, batchEvents(1, 1), code.Code_DEADLINE_EXCEEDED, "Timeout", &shared.Timeout{}},
		{"no type", newStreamOptions("untyped"), untyped, code.Code_INVALID_ARGUMENT, "BadRequest", &shared.BadRequest{}},
		{"no stream", newStreamOptions(""), batchEvents(1, 1), code.Code_INVALID_ARGUMENT, "BadRequest", &shared.BadRequest{}},
	}
	call := batchCallTo(t, n)
	for _, tc := range cases {
		send(t, call, &streams.BatchAppendReq{CorrelationId: wireID(uuid.New()), Options: tc.options, ProposedMessages: tc.events, IsFinal: true})
		resp := answer(t, call)
		got := resp.GetError()
		if got.GetCode() != int32(tc.want) || got.GetMessage() != tc.message || len(got.GetDetails()) != 1 {
			t.Errorf("%s: %v", tc.name, resp)
			continue
		}
		detail, err := got.GetDetails()[0].UnmarshalNew()
		if err != nil || fmt.Sprintf("%T", detail) != fmt.Sprintf("%T", tc.detailed) {
			t.Errorf("%s: detail %T (%v), want %T", tc.name, detail, err, tc.detailed)
		}
		if wrong, ok := detail.(*shared.WrongExpectedVersion); ok && (wrong.GetCurrentStreamRevision() != 2 || wrong.GetExpectedNoStream() == nil) {
			t.Errorf("%s: %v", tc.name, wrong)
		}
	}
	send(t, call, &streams.BatchAppendReq{CorrelationId: wireID(uuid.New()), Options: newStreamOptions("fine"), ProposedMessages: batchEvents(1, 1), IsFinal: true})
	if resp := answer(t, call); resp.GetSuccess() == nil {
		t.Errorf("after the refusals: %v", resp)
	}
	if got := len(readAll(t, c, esdb.ReadAllOptions{From: esdb.Start{}})); got != 3+1+1+1 {
		t.Errorf("%d events, want 6", got)
	}
}

func TestBatchAppendRepeatedIsAnsweredAsBefore(t *testing.T) {
	t.Parallel()
	n, _ := serve(t)
	call := batchCallTo(t, n)
	req := &streams.BatchAppendReq{Options: newStreamOptions("s"), ProposedMessages: batchEvents(2, 10), IsFinal: true}
	var positions []uint64
	for range 2 {
		req.CorrelationId = wireID(uuid.New())
		send(t, call, req)
		positions = append(positions, answer(t, call).GetSuccess().GetPosition().GetCommitPosition())
	}
	// Both in one group of the committer, too.
	for range 2 {
		req.CorrelationId = wireID(uuid.New())
		send(t, call, req)
	}
	for range 2 {
		positions = append(positions, answer(t, call).GetSuccess().GetPosition().GetCommitPosition())
	}
	for _, p := range positions {
		if p == 0 || p != positions[0] {
			t.Fatalf("positions %v", positions)
		}
	}
}
