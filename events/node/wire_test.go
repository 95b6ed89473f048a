package node

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"waybill/events/node/journal"
)

func drawRecord(t *rapid.T, name string) *journal.Record {
	r := &journal.Record{
		Position: rapid.Uint64Min(1).Draw(t, name+" position"), Revision: rapid.Int64Min(0).Draw(t, name+" revision"),
		Created: rapid.Int64().Draw(t, name+" created"), JSON: rapid.Bool().Draw(t, name+" json"),
		Stream: []byte(rapid.StringN(1, 40, -1).Draw(t, name+" stream")), Type: []byte(rapid.String().Draw(t, name+" type")),
		Metadata: rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, name+" metadata"), Data: rapid.SliceOfN(rapid.Byte(), 0, 3000).Draw(t, name+" data"),
	}
	copy(r.ID[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, name+" id"))
	return r
}

// wireRecorded is what the two services' events have in common.
type wireRecorded interface {
	GetId() *shared.UUID
	GetStreamIdentifier() *shared.StreamIdentifier
	GetStreamRevision() uint64
	GetPreparePosition() uint64
	GetCommitPosition() uint64
	GetMetadata() map[string]string
	GetCustomMetadata() []byte
	GetData() []byte
}

func sameRecorded(t *rapid.T, got wireRecorded, want *journal.Record, stringIDs bool) {
	id := uuid.UUID(want.ID)
	if stringIDs && got.GetId().GetString_() != id.String() {
		t.Fatalf("id %v, want %s", got.GetId(), id)
	}
	if s := got.GetId().GetStructured(); !stringIDs && (uint64(s.GetMostSignificantBits()) != binary.BigEndian.Uint64(id[:8]) ||
		uint64(s.GetLeastSignificantBits()) != binary.BigEndian.Uint64(id[8:])) {
		t.Fatalf("id %v, want %s", s, id)
	}
	content := map[bool]string{true: "application/json", false: "application/octet-stream"}[want.JSON]
	m := got.GetMetadata()
	if !bytes.Equal(got.GetStreamIdentifier().GetStreamName(), want.Stream) || got.GetStreamRevision() != uint64(want.Revision) ||
		got.GetCommitPosition() != want.Position || got.GetPreparePosition() != want.Position ||
		!bytes.Equal(got.GetCustomMetadata(), want.Metadata) || !bytes.Equal(got.GetData(), want.Data) || len(m) != 3 ||
		m["type"] != string(want.Type) || m["created"] != strconv.FormatInt(want.Created, 10) || m["content-type"] != content {
		t.Fatalf("%v came out of %+v", got, want)
	}
}

func TestFramesAreTheMessagesOfBothServices(t *testing.T) {
	t.Parallel()
	e := &encoder{}
	rapid.Check(t, func(t *rapid.T) {
		e.stringIDs, e.withRetry = rapid.Bool().Draw(t, "string ids"), rapid.Bool().Draw(t, "with retry")
		e.retries = rapid.Int32Min(0).Draw(t, "retries")
		event, link := drawRecord(t, "event"), (*journal.Record)(nil)
		if rapid.Bool().Draw(t, "linked") {
			link = drawRecord(t, "link")
		}
		f := e.frame(event, link)
		defer f.buffer.Free()
		original := event
		if link != nil {
			original = link
		}
		var p persistent.ReadResp
		if err := proto.Unmarshal(f.buffer.ReadOnlyData(), &p); err != nil {
			t.Fatal(err)
		}
		sameRecorded(t, p.GetEvent().GetEvent(), event, e.stringIDs)
		if link != nil {
			sameRecorded(t, p.GetEvent().GetLink(), link, e.stringIDs)
		}
		if p.GetEvent().GetCommitPosition() != original.Position || e.withRetry && p.GetEvent().GetRetryCount() != e.retries {
			t.Fatalf("position %d, retries %d", p.GetEvent().GetCommitPosition(), p.GetEvent().GetRetryCount())
		}
		if e.withRetry {
			return
		}
		var s streams.ReadResp
		if err := proto.Unmarshal(f.buffer.ReadOnlyData(), &s); err != nil {
			t.Fatal(err)
		}
		sameRecorded(t, s.GetEvent().GetEvent(), event, e.stringIDs)
		if (s.GetEvent().GetLink() == nil) != (link == nil) || s.GetEvent().GetCommitPosition() != original.Position || len(s.ProtoReflect().GetUnknown()) != 0 {
			t.Fatalf("link %v, position %d", s.GetEvent().GetLink(), s.GetEvent().GetCommitPosition())
		}
	})
}

func FuzzRequestsAreParsedOrRefused(f *testing.F) {
	seed, err := proto.Marshal(&streams.ReadReq{Options: &streams.ReadReq_Options{
		StreamOption: &streams.ReadReq_Options_All{All: &streams.ReadReq_Options_AllOptions{
			AllOption: &streams.ReadReq_Options_AllOptions_Position{},
		}},
		CountOption:  &streams.ReadReq_Options_Subscription{},
		FilterOption: &streams.ReadReq_Options_Filter{Filter: &streams.ReadReq_Options_FilterOptions{CheckpointIntervalMultiplier: 1 << 31}},
	}})
	if err != nil {
		f.Fatal(err)
	}
	batch, err := proto.Marshal(&streams.BatchAppendReq{
		CorrelationId: wireID(uuid.New()), Options: newStreamOptions("s"), ProposedMessages: batchEvents(1, 3), IsFinal: true,
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add(batch)
	cfg := Config{Dir: "unused"}
	cfg.setDefaults()
	f.Fuzz(func(t *testing.T, b []byte) {
		var read streams.ReadReq
		if proto.Unmarshal(b, &read) == nil {
			if r, err := parseRead(read.GetOptions()); err == nil && (r.live && r.backwards || r.interval < 0 || r.revision < 0) {
				t.Errorf("%v was understood as %+v", &read, r)
			}
		}
		var req streams.BatchAppendReq
		if proto.Unmarshal(b, &req) == nil {
			call := &batchCall{service: &streamsService{node: &Node{cfg: cfg}}, open: map[uuid.UUID]*openBatch{}}
			if o, refusal := call.collect(&req); refusal == nil && o != nil && (o.append.Stream == "" || o.append.Expected < journal.StreamExists) {
				t.Errorf("%v was understood as %+v", &req, o.append)
			}
		}
		var a streams.AppendReq
		if proto.Unmarshal(b, &a) == nil {
			if got, err := appendOptions(a.GetOptions()); err == nil && got.Stream == "" {
				t.Errorf("%v was understood as %+v", &a, got)
			}
			if m := a.GetProposedMessage(); m != nil {
				_, _ = proposed(noTrailers{}, m)
			}
		}
	})
}
