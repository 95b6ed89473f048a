package node

import (
	"bytes"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

func TestAppendedEventReadsBackAsItWasWritten(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 5, 6, 7, 891234500, time.UTC)
	_, c := serve(t, func(cfg *Config) { cfg.Now = func() time.Time { return now } })
	in := proposals(2)
	in[1].ContentType, in[1].Data, in[1].Metadata = esdb.ContentTypeBinary, []byte{0, 255}, nil
	w := appendTo(t, c, "Order-1", esdb.NoStream{}, in...)
	if w.NextExpectedVersion != 1 || w.CommitPosition == 0 || w.CommitPosition != w.PreparePosition {
		t.Fatalf("answer %+v", w)
	}
	out := readStream(t, c, "Order-1", esdb.ReadStreamOptions{})
	if len(out) != 2 {
		t.Fatalf("%d events, want 2", len(out))
	}
	for i, e := range out {
		r := e.Event
		if r.EventID != in[i].EventID || r.EventType != "Happened" || r.StreamID != "Order-1" || r.EventNumber != uint64(i) ||
			!bytes.Equal(r.Data, in[i].Data) || !bytes.Equal(r.UserMetadata, in[i].Metadata) || !r.CreatedDate.Equal(now) {
			t.Errorf("event %d came back as %+v", i, r)
		}
	}
	if out[0].Event.ContentType != "application/json" || out[1].Event.ContentType != "application/octet-stream" {
		t.Errorf("content types %q, %q", out[0].Event.ContentType, out[1].Event.ContentType)
	}
	if out[1].Event.Position.Commit != w.CommitPosition || *out[1].Commit != w.CommitPosition {
		t.Errorf("position %v, appended at %d", out[1].Event.Position, w.CommitPosition)
	}
}

func TestExpectedRevisionDecidesTheAppend(t *testing.T) {
	t.Parallel()
	_, c := serve(t)
	cases := []struct {
		name     string
		have     int
		expected esdb.ExpectedRevision
		want     esdb.ErrorCode // -1 = success
	}{
		{"no stream, none there", 0, esdb.NoStream{}, -1},
		{"no stream, one there", 2, esdb.NoStream{}, esdb.ErrorCodeWrongExpectedVersion},
		{"any, none there", 0, esdb.Any{}, -1},
		{"any, one there", 2, esdb.Any{}, -1},
		{"exists, none there", 0, esdb.StreamExists{}, esdb.ErrorCodeWrongExpectedVersion},
		{"exists, one there", 2, esdb.StreamExists{}, -1},
		{"the revision it is at", 2, esdb.Revision(1), -1},
		{"an earlier revision", 2, esdb.Revision(0), esdb.ErrorCodeWrongExpectedVersion},
		{"a later revision", 2, esdb.Revision(2), esdb.ErrorCodeWrongExpectedVersion},
		{"a revision of no stream", 0, esdb.Revision(0), esdb.ErrorCodeWrongExpectedVersion},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			stream := "Case-" + tc.name
			if tc.have > 0 {
				appendTo(t, c, stream, esdb.NoStream{}, proposals(tc.have)...)
			}
			w, err := c.AppendToStream(within(t), stream, esdb.AppendToStreamOptions{ExpectedRevision: tc.expected}, proposals(1)...)
			if got := codeOf(err); got != tc.want || (err == nil) != (tc.want == -1) {
				t.Fatalf("got %v, want code %v", err, tc.want)
			}
			if err == nil && w.NextExpectedVersion != uint64(tc.have) {
				t.Errorf("revision %d, want %d", w.NextExpectedVersion, tc.have)
			}
		})
	}
}

func TestWrongExpectedVersionTellsBothRevisions(t *testing.T) {
	t.Parallel()
	_, c := serve(t)
	appendTo(t, c, "s", esdb.NoStream{}, proposals(3)...)
	_, err := c.AppendToStream(within(t), "s", esdb.AppendToStreamOptions{ExpectedRevision: esdb.Revision(7)}, proposals(1)...)
	if want := "expecting '7' but got '2'"; err == nil || !bytes.Contains([]byte(err.Error()), []byte(want)) {
		t.Errorf("%v, want %q", err, want)
	}
}

func TestRepeatedAppendIsAnsweredAsBefore(t *testing.T) {
	t.Parallel()
	_, c := serve(t)
	first, second := proposals(2), proposals(2)
	w1 := appendTo(t, c, "s", esdb.NoStream{}, first...)
	w2 := appendTo(t, c, "s", esdb.Revision(1), second...)
	other := proposals(1)[0]
	cases := []struct {
		name     string
		expected esdb.ExpectedRevision
		events   []esdb.EventData
		want     *esdb.WriteResult // nil = WrongExpectedVersion
	}{
		{"no stream, the same events", esdb.NoStream{}, first, w1},
		{"a revision, the same events", esdb.Revision(1), second, w2},
		{"no stream, the first of them", esdb.NoStream{}, first[:1], &esdb.WriteResult{NextExpectedVersion: 0}},
		{"both appends as one", esdb.NoStream{}, append(first[:2:2], second...), w2},
		{"first differs", esdb.NoStream{}, []esdb.EventData{other, first[1]}, nil},
		{"later differs", esdb.NoStream{}, []esdb.EventData{first[0], other}, nil},
		{"another order", esdb.NoStream{}, []esdb.EventData{first[1], first[0]}, nil},
		{"more than there are", esdb.Revision(1), append(second[:2:2], other), nil},
		{"any, the same events", esdb.Any{}, first, w1},
		{"any, some known and then unknown", esdb.Any{}, []esdb.EventData{first[0], other}, nil},
		{"exists, the same events", esdb.StreamExists{}, second, w2},
	}
	for _, tc := range cases {
		w, err := c.AppendToStream(within(t), "s", esdb.AppendToStreamOptions{ExpectedRevision: tc.expected}, tc.events...)
		switch {
		case tc.want == nil && codeOf(err) != esdb.ErrorCodeWrongExpectedVersion:
			t.Errorf("%s: %v, want WrongExpectedVersion", tc.name, err)
		case tc.want != nil && err != nil:
			t.Errorf("%s: %v", tc.name, err)
		case tc.want != nil && (w.NextExpectedVersion != tc.want.NextExpectedVersion || tc.want.CommitPosition != 0 && w.CommitPosition != tc.want.CommitPosition):
			t.Errorf("%s: %+v, want %+v", tc.name, w, tc.want)
		}
	}
	if got := revisions(readStream(t, c, "s", esdb.ReadStreamOptions{})); got != "0 1 2 3" {
		t.Errorf("the stream holds %s", got)
	}
}

func TestKnownIdAtTheCurrentRevisionIsWrittenAgain(t *testing.T) {
	t.Parallel()
	_, c := serve(t)
	e := proposals(1)
	appendTo(t, c, "s", esdb.NoStream{}, e...)
	if w := appendTo(t, c, "s", esdb.Revision(0), e...); w.NextExpectedVersion != 1 {
		t.Errorf("revision %d, want 1", w.NextExpectedVersion)
	}
}

func TestExactIdempotencySurvivesReopening(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	events := proposals(3)
	var before *esdb.WriteResult
	for i := range 2 {
		t.Run([]string{"before", "after"}[i], func(t *testing.T) {
			_, c := serve(t, func(cfg *Config) { cfg.Dir = dir })
			w := appendTo(t, c, "s", esdb.NoStream{}, events...)
			if before != nil && *w != *before {
				t.Errorf("answered %+v, before reopening %+v", w, before)
			}
			before = w
		})
	}
}

func TestAppendBeyondTheLimitIsRefusedAsAWhole(t *testing.T) {
	t.Parallel()
	_, c := serve(t)
	events := proposals(40)
	for i := range events {
		events[i].Data = make([]byte, 32<<10)
	}
	_, err := c.AppendToStream(within(t), "s", esdb.AppendToStreamOptions{ExpectedRevision: esdb.NoStream{}}, events...)
	if codeOf(err) != esdb.ErrorCodeUnknown || !bytes.Contains([]byte(err.Error()), []byte("InvalidArgument")) {
		t.Fatalf("%v, want InvalidArgument", err)
	}
	if w := appendTo(t, c, "s", esdb.NoStream{}, events[:30]...); w.NextExpectedVersion != 29 {
		t.Errorf("after the refusal: %+v", w)
	}
}

func TestEmptyAppendOnlyChecks(t *testing.T) {
	t.Parallel()
	_, c := serve(t)
	appendTo(t, c, "s", esdb.NoStream{})
	appendTo(t, c, "s", esdb.NoStream{}, proposals(1)...)
	_, err := c.AppendToStream(within(t), "s", esdb.AppendToStreamOptions{ExpectedRevision: esdb.NoStream{}})
	if codeOf(err) != esdb.ErrorCodeWrongExpectedVersion {
		t.Errorf("%v, want WrongExpectedVersion", err)
	}
}

func TestNobodyAppendsToTheWholeLog(t *testing.T) {
	t.Parallel()
	_, c := serve(t)
	_, err := c.AppendToStream(within(t), "$all", esdb.AppendToStreamOptions{}, proposals(1)...)
	if codeOf(err) != esdb.ErrorCodeAccessDenied {
		t.Errorf("%v, want AccessDenied", err)
	}
}

func TestClockOfTheNodeDecidesNothingButTheTimeOfEvents(t *testing.T) {
	t.Parallel()
	future := time.Now().AddDate(50, 0, 0)
	_, c := serve(t, func(cfg *Config) { cfg.Now = func() time.Time { return future } })
	appendTo(t, c, "s", esdb.NoStream{}, proposals(1)...)
	if got := readStream(t, c, "s", esdb.ReadStreamOptions{})[0].Event.CreatedDate; got.Sub(future).Abs() > time.Microsecond {
		t.Errorf("created %v, want %v", got, future)
	}
}
