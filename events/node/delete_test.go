package node

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

func readError(t *testing.T, c *esdb.Client, stream string) error {
	t.Helper()
	s, err := c.ReadStream(within(t), stream, esdb.ReadStreamOptions{}, 10)
	if err != nil {
		return err
	}
	defer s.Close()
	_, err = s.Recv()
	return err
}

func metadataDocument(t *testing.T, c *esdb.Client, stream string) map[string]any {
	t.Helper()
	out := map[string]any{}
	events := readStream(t, c, "$$"+stream, esdb.ReadStreamOptions{})
	if len(events) != 1 {
		t.Fatalf("%d metadata events are visible, want 1", len(events))
	}
	if err := json.Unmarshal(events[0].Event.Data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSoftDeletedStreamGoesOnWithItsNumbering(t *testing.T) {
	t.Parallel()
	_, c := serve(t)
	appendTo(t, c, "s", esdb.NoStream{}, proposals(3)...)
	meta := esdb.StreamMetadata{}
	meta.AddCustomProperty("mine", "kept not")
	if _, err := c.SetStreamMetadata(within(t), "s", esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}}, meta); err != nil {
		t.Fatal(err)
	}
	d, err := c.DeleteStream(within(t), "s", esdb.DeleteStreamOptions{ExpectedRevision: esdb.Revision(2)})
	if err != nil || d.Position.Commit == 0 {
		t.Fatalf("%+v, %v", d, err)
	}
	if err := readError(t, c, "s"); codeOf(err) != esdb.ErrorCodeResourceNotFound {
		t.Errorf("read of the deleted stream: %v", err)
	}
	if got := metadataDocument(t, c, "s"); len(got) != 1 || fmt.Sprint(got["$tb"]) != fmt.Sprint(float64(math.MaxInt64)) {
		t.Errorf("metadata %v", got)
	}
	if _, err := c.AppendToStream(within(t), "s", esdb.AppendToStreamOptions{ExpectedRevision: esdb.StreamExists{}}, proposals(1)...); codeOf(err) != esdb.ErrorCodeStreamDeleted {
		t.Errorf("append expecting it to exist: %v", err)
	}
	if w := appendTo(t, c, "s", esdb.NoStream{}, proposals(2)...); w.NextExpectedVersion != 4 {
		t.Errorf("continued at %d, want 4", w.NextExpectedVersion)
	}
	if got := revisions(readStream(t, c, "s", esdb.ReadStreamOptions{})); got != "3 4" {
		t.Errorf("visible: %q, want \"3 4\"", got)
	}
	if got := metadataDocument(t, c, "s"); fmt.Sprint(got["$tb"]) != "3" {
		t.Errorf("metadata %v, want $tb 3", got)
	}
	if got := len(readAll(t, c, esdb.ReadAllOptions{From: esdb.Start{}})); got != 5+3 {
		t.Errorf("the log holds %d events, want 8", got)
	}
}

func TestContinuingADeletedStreamKeepsTheOtherMetadata(t *testing.T) {
	t.Parallel()
	_, c := serve(t)
	appendTo(t, c, "s", esdb.NoStream{}, proposals(2)...)
	document := proposals(1)[0]
	document.EventType = "$metadata"
	document.Data = []byte(`{"$tb":9223372036854775807,"$acl":{"$r":"$admins"},"mine":{"a":[1,2]}}`)
	appendTo(t, c, "$$s", esdb.Any{}, document)
	appendTo(t, c, "s", esdb.Revision(1), proposals(1)...)
	got := metadataDocument(t, c, "s")
	if fmt.Sprint(got["$tb"]) != "2" || fmt.Sprint(got["$acl"]) != "map[$r:$admins]" || fmt.Sprint(got["mine"]) != "map[a:[1 2]]" {
		t.Errorf("metadata %v", got)
	}
}

func TestTombstonedStreamIsGoneForEver(t *testing.T) {
	t.Parallel()
	n, c := serve(t)
	appendTo(t, c, "s", esdb.NoStream{}, proposals(2)...)
	live := subscribeStream(t, c, "s", esdb.End{})
	live.expect("caught-up")
	d, err := c.TombstoneStream(within(t), "s", esdb.TombstoneStreamOptions{ExpectedRevision: esdb.Revision(1)})
	if err != nil || d.Position.Commit == 0 {
		t.Fatalf("%+v, %v", d, err)
	}
	if e := live.sub.Recv(); e.SubscriptionDropped == nil {
		t.Errorf("live subscription heard %+v, want the end", e)
	}
	_, appendErr := c.AppendToStream(within(t), "s", esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}}, proposals(1)...)
	_, subscribeErr := c.SubscribeToStream(within(t), "s", esdb.SubscribeToStreamOptions{})
	_, deleteErr := c.DeleteStream(within(t), "s", esdb.DeleteStreamOptions{ExpectedRevision: esdb.Any{}})
	_, againErr := c.TombstoneStream(within(t), "s", esdb.TombstoneStreamOptions{ExpectedRevision: esdb.Any{}})
	for name, err := range map[string]error{
		"append": appendErr, "read": readError(t, c, "s"), "subscribe": subscribeErr, "delete": deleteErr, "tombstone": againErr,
	} {
		if codeOf(err) != esdb.ErrorCodeStreamDeleted {
			t.Errorf("%s: %v, want StreamDeleted", name, err)
		}
	}
	all := readAll(t, c, esdb.ReadAllOptions{From: esdb.Start{}})
	last := all[len(all)-1].Event
	if len(all) != 3 || last.EventType != "$streamDeleted" || last.Position.Commit != d.Position.Commit || last.StreamID != "s" {
		t.Errorf("%d events in the log, the last is %+v", len(all), last)
	}
	var trailer metadata.MD
	_, err = streams.NewStreamsClient(dial(t, n)).Delete(within(t), &streams.DeleteReq{Options: &streams.DeleteReq_Options{
		StreamIdentifier:       &shared.StreamIdentifier{StreamName: []byte("s")},
		ExpectedStreamRevision: &streams.DeleteReq_Options_Any{Any: &shared.Empty{}},
	}}, grpc.Trailer(&trailer))
	if status.Code(err) != codes.FailedPrecondition || fmt.Sprint(trailer.Get("exception"), trailer.Get("stream-name")) != "[stream-deleted] [s]" {
		t.Errorf("status %v, trailers %v", err, trailer)
	}
}

func TestDeleteAtAnotherRevisionIsRefusedWithBothRevisions(t *testing.T) {
	t.Parallel()
	n, c := serve(t)
	appendTo(t, c, "s", esdb.NoStream{}, proposals(2)...)
	for _, expected := range []uint64{0, 5} {
		var trailer metadata.MD
		_, err := streams.NewStreamsClient(dial(t, n)).Tombstone(within(t), &streams.TombstoneReq{Options: &streams.TombstoneReq_Options{
			StreamIdentifier:       &shared.StreamIdentifier{StreamName: []byte("s")},
			ExpectedStreamRevision: &streams.TombstoneReq_Options_Revision{Revision: expected},
		}}, grpc.Trailer(&trailer))
		want := fmt.Sprintf("[wrong-expected-version] [s] [%d] [1]", expected)
		got := fmt.Sprint(trailer.Get("exception"), trailer.Get("stream-name"), trailer.Get("expected-version"), trailer.Get("actual-version"))
		if status.Code(err) != codes.FailedPrecondition || got != want {
			t.Errorf("status %v, trailers %s, want %s", err, got, want)
		}
	}
	if got := revisions(readStream(t, c, "s", esdb.ReadStreamOptions{})); got != "0 1" {
		t.Errorf("the stream holds %q", got)
	}
}

func TestMetadataDecidesWhatIsVisible(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	clock := make(chan time.Time, 1)
	clock <- now
	_, c := serve(t, func(cfg *Config) {
		cfg.Now = func() time.Time {
			at := <-clock
			clock <- at
			return at
		}
	})
	advance := func(d time.Duration) { at := <-clock; clock <- at.Add(d) }
	appendTo(t, c, "s", esdb.NoStream{}, proposals(5)...)
	set := func(change func(*esdb.StreamMetadata)) {
		t.Helper()
		var m esdb.StreamMetadata
		change(&m)
		if _, err := c.SetStreamMetadata(within(t), "s", esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}}, m); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(when, want string) {
		t.Helper()
		if got := revisions(readStream(t, c, "s", esdb.ReadStreamOptions{})); got != want {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}
	set(func(m *esdb.StreamMetadata) { m.SetMaxCount(2) })
	expect("max count 2", "3 4")
	set(func(m *esdb.StreamMetadata) { m.SetTruncateBefore(1) })
	expect("the last document wins as a whole", "1 2 3 4")
	set(func(m *esdb.StreamMetadata) { m.SetTruncateBefore(4); m.SetMaxCount(3) })
	expect("the higher of both", "4")
	set(func(m *esdb.StreamMetadata) { m.SetMaxAge(time.Minute) })
	advance(45 * time.Second)
	appendTo(t, c, "s", esdb.Revision(4), proposals(1)...)
	expect("young enough", "0 1 2 3 4 5")
	advance(30 * time.Second)
	expect("some too old", "5")
	advance(time.Hour)
	expect("all too old", "")
	set(func(m *esdb.StreamMetadata) {
		m.SetMaxCount(7)
		m.SetAcl("$systemStreamAcl")
		m.AddCustomProperty("mine", "x")
	})
	m, err := c.GetStreamMetadata(within(t), "s", esdb.ReadStreamOptions{})
	if err != nil || *m.MaxCount() != 7 || m.MaxAge() != nil || m.Acl() != "$systemStreamAcl" || m.CustomProperty("mine") != "x" {
		t.Errorf("metadata came back as %+v, %v", m, err)
	}
	if got := len(readAll(t, c, esdb.ReadAllOptions{From: esdb.Start{}})); got != 6+5 {
		t.Errorf("the log holds %d events, want 11", got)
	}
}

func TestMetadataAloneMakesAStreamExist(t *testing.T) {
	t.Parallel()
	_, c := serve(t)
	if _, err := c.SetStreamMetadata(within(t), "s", esdb.AppendToStreamOptions{ExpectedRevision: esdb.NoStream{}}, esdb.StreamMetadata{}); err != nil {
		t.Fatal(err)
	}
	if err := readError(t, c, "s"); codeOf(err) != esdb.ErrorCodeResourceNotFound {
		t.Errorf("read: %v", err)
	}
	if w := appendTo(t, c, "s", esdb.StreamExists{}, proposals(1)...); w.NextExpectedVersion != 0 {
		t.Errorf("revision %d", w.NextExpectedVersion)
	}
}

func TestLinksResolveToTheirEventsWhenAsked(t *testing.T) {
	t.Parallel()
	_, c := serve(t)
	appendTo(t, c, "s", esdb.NoStream{}, proposals(3)...)
	appendTo(t, c, "gone", esdb.NoStream{}, proposals(1)...)
	link := func(data string) esdb.EventData {
		e := proposals(1)[0]
		e.EventType, e.Data, e.ContentType = "$>", []byte(data), esdb.ContentTypeBinary
		return e
	}
	appendTo(t, c, "links", esdb.NoStream{}, link("1@s"), link("0@gone"), link("9@s"), link("nonsense"), link("2@s"))
	if _, err := c.TombstoneStream(within(t), "gone", esdb.TombstoneStreamOptions{ExpectedRevision: esdb.Any{}}); err != nil {
		t.Fatal(err)
	}
	describe := func(events []*esdb.ResolvedEvent) string {
		var b strings.Builder
		for _, e := range events {
			switch {
			case e.Link == nil:
				fmt.Fprintf(&b, "%s/%d ", e.Event.StreamID, e.Event.EventNumber)
			case e.Event == nil:
				fmt.Fprintf(&b, "link%d->nothing ", e.Link.EventNumber)
			default:
				fmt.Fprintf(&b, "link%d->%s/%d ", e.Link.EventNumber, e.Event.StreamID, e.Event.EventNumber)
			}
		}
		return strings.TrimSpace(b.String())
	}
	const resolved = "link0->s/1 link1->nothing link2->nothing link3->nothing link4->s/2"
	if got := describe(readStream(t, c, "links", esdb.ReadStreamOptions{ResolveLinkTos: true})); got != resolved {
		t.Errorf("resolved: %s", got)
	}
	if got := describe(readStream(t, c, "links", esdb.ReadStreamOptions{})); got != "links/0 links/1 links/2 links/3 links/4" {
		t.Errorf("unresolved: %s", got)
	}
	all := readAll(t, c, esdb.ReadAllOptions{From: esdb.Start{}, ResolveLinkTos: true})
	if got := describe(all[4:9]); got != resolved {
		t.Errorf("in the log: %s", got)
	}
	if *all[4].Commit != all[4].Link.Position.Commit {
		t.Errorf("position %d of the resolved event, %d of its link", *all[4].Commit, all[4].Link.Position.Commit)
	}
	sub, err := c.SubscribeToStream(within(t), "links", esdb.SubscribeToStreamOptions{From: esdb.Revision(3), ResolveLinkTos: true})
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	if e := sub.Recv().EventAppeared; e == nil || e.Event.StreamID != "s" || e.Event.EventNumber != 2 || e.Link == nil {
		t.Errorf("subscription: %+v", e)
	}
}
