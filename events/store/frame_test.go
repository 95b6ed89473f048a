package store

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"
)

// The generated code is the slow model of the frame's decoder.

func TestAFrameHoldsWhatTheGeneratedCodeReads(t *testing.T) {
	t.Parallel()
	var f frame // one for all: nothing of an earlier message may stay
	rapid.Check(t, func(t *rapid.T) {
		want := drawResponse(t)
		b, err := proto.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.decode(b); err != nil {
			t.Fatalf("%v: %v", want, err)
		}
		compare(t, &f, want)
	})
}

func drawResponse(t *rapid.T) *streams.ReadResp {
	number := rapid.Uint64()
	switch rapid.IntRange(0, 6).Draw(t, "kind") {
	case 0:
		return &streams.ReadResp{Content: &streams.ReadResp_Confirmation{
			Confirmation: &streams.ReadResp_SubscriptionConfirmation{SubscriptionId: rapid.String().Draw(t, "id")}}}
	case 1:
		return &streams.ReadResp{Content: &streams.ReadResp_Checkpoint_{
			Checkpoint: &streams.ReadResp_Checkpoint{CommitPosition: number.Draw(t, "c"), PreparePosition: number.Draw(t, "p")}}}
	case 2:
		return &streams.ReadResp{Content: &streams.ReadResp_StreamNotFound_{StreamNotFound: &streams.ReadResp_StreamNotFound{}}}
	case 3:
		return &streams.ReadResp{Content: &streams.ReadResp_CaughtUp_{CaughtUp: &streams.ReadResp_CaughtUp{}}}
	case 4:
		return &streams.ReadResp{Content: &streams.ReadResp_FirstStreamPosition{FirstStreamPosition: number.Draw(t, "first")}}
	case 5:
		return &streams.ReadResp{Content: &streams.ReadResp_Event{Event: &streams.ReadResp_ReadEvent{
			Event: drawRecord(t), Link: drawRecord(t), Position: &streams.ReadResp_ReadEvent_CommitPosition{CommitPosition: number.Draw(t, "at")}}}}
	default:
		return &streams.ReadResp{Content: &streams.ReadResp_Event{Event: &streams.ReadResp_ReadEvent{Link: drawRecord(t)}}}
	}
}

func drawRecord(t *rapid.T) *streams.ReadResp_ReadEvent_RecordedEvent {
	var id uuid.UUID
	copy(id[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
	wire := protoUUID(id)
	if rapid.Bool().Draw(t, "id as text") {
		wire = &shared.UUID{Value: &shared.UUID_String_{String_: id.String()}}
	}
	return &streams.ReadResp_ReadEvent_RecordedEvent{
		Id: wire, StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(rapid.StringN(1, 40, -1).Draw(t, "stream"))},
		StreamRevision: rapid.Uint64().Draw(t, "revision"),
		CommitPosition: rapid.Uint64().Draw(t, "commit"), PreparePosition: rapid.Uint64().Draw(t, "prepare"),
		Metadata: map[string]string{
			"type": rapid.String().Draw(t, "type"), "content-type": "application/json",
			"created": strconv.FormatInt(rapid.Int64Range(0, math.MaxInt64/100).Draw(t, "created"), 10),
		},
		CustomMetadata: rapid.SliceOf(rapid.Byte()).Draw(t, "metadata"), Data: rapid.SliceOf(rapid.Byte()).Draw(t, "data"),
	}
}

func compare(t interface{ Fatalf(string, ...any) }, f *frame, want *streams.ReadResp) {
	kind := frameOther
	switch want.Content.(type) {
	case *streams.ReadResp_Event:
		kind = frameEvent
	case *streams.ReadResp_Confirmation:
		kind = frameConfirmation
	case *streams.ReadResp_Checkpoint_:
		kind = frameCheckpoint
	case *streams.ReadResp_StreamNotFound_:
		kind = frameNoStream
	case *streams.ReadResp_CaughtUp_:
		kind = frameCaughtUp
	}
	if f.kind != kind {
		t.Fatalf("kind %d, want %d", f.kind, kind)
	}
	if c := want.GetCheckpoint(); f.at.Commit != c.GetCommitPosition() || f.at.Prepare != c.GetPreparePosition() {
		t.Fatalf("checkpoint %v, want %v", f.at, c)
	}
	if kind != frameEvent {
		return
	}
	e := want.GetEvent().GetEvent()
	if e == nil {
		e = want.GetEvent().GetLink()
	}
	id := idOf(e.GetId())
	if link := want.GetEvent().GetLink(); f.linked != (link != nil) || f.link != idOf(link.GetId()) || f.gone != (want.GetEvent().GetEvent() == nil) {
		t.Fatalf("linked %v by %v, gone %v; want %v", f.linked, f.link, f.gone, want)
	}
	ticks, _ := strconv.ParseInt(e.GetMetadata()["created"], 10, 64)
	r := f.record
	switch {
	case r.Stream != string(e.GetStreamIdentifier().GetStreamName()), r.Revision != e.GetStreamRevision(), r.ID != id,
		r.Type != e.GetMetadata()["type"], r.Position.Commit != e.GetCommitPosition(), r.Position.Prepare != e.GetPreparePosition(),
		r.Created.Unix() != ticks/1e7, int64(r.Created.Nanosecond()) != ticks%1e7*100,
		!bytes.Equal(r.Metadata, e.GetCustomMetadata()), !bytes.Equal(r.Data, e.GetData()):
		t.Fatalf("record %+v, want %v", r, e)
	}
}

func idOf(wire *shared.UUID) (id uuid.UUID) {
	if text := wire.GetString_(); text != "" {
		return uuid.MustParse(text)
	}
	binary.BigEndian.PutUint64(id[:8], uint64(wire.GetStructured().GetMostSignificantBits()))
	binary.BigEndian.PutUint64(id[8:], uint64(wire.GetStructured().GetLeastSignificantBits()))
	return id
}

func TestAFrameOfAGroupTellsTheRetries(t *testing.T) {
	t.Parallel()
	var f frame
	rapid.Check(t, func(t *rapid.T) {
		given := &persistent.ReadResp{Content: &persistent.ReadResp_Event{Event: &persistent.ReadResp_ReadEvent{
			Event: &persistent.ReadResp_ReadEvent_RecordedEvent{
				Id: protoUUID(uuid.UUID{1}), StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte("a")},
				StreamRevision: rapid.Uint64().Draw(t, "revision"), Metadata: map[string]string{"created": "17000000000000000"},
			},
			Count: &persistent.ReadResp_ReadEvent_NoRetryCount{NoRetryCount: &shared.Empty{}},
		}}}
		want := rapid.Int32Range(0, math.MaxInt32).Draw(t, "retries")
		if want > 0 {
			given.GetEvent().Count = &persistent.ReadResp_ReadEvent_RetryCount{RetryCount: want}
		}
		b, err := proto.Marshal(given)
		if err == nil {
			err = f.decode(b)
		}
		if err != nil || f.kind != frameEvent || f.retries != want || f.record.Revision != given.GetEvent().GetEvent().GetStreamRevision() {
			t.Fatalf("%v: %+v, want %v", err, f, given)
		}
	})
}

func FuzzDecode(f *testing.F) {
	good, err := proto.Marshal(&streams.ReadResp{Content: &streams.ReadResp_Event{Event: &streams.ReadResp_ReadEvent{
		Event: &streams.ReadResp_ReadEvent_RecordedEvent{
			Id: protoUUID(uuid.UUID{1, 2, 3}), StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte("a")},
			Metadata: map[string]string{"type": "t", "created": "17000000000000000"}, Data: []byte("{}"),
		},
	}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add([]byte{0x0a, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		var got frame
		if got.decode(b) != nil {
			return
		}
		if got.kind == frameEvent && (got.record.Stream == "" || got.record.Created.IsZero()) {
			t.Errorf("accepted an event without stream or time: %+v", got.record)
		}
	})
}
