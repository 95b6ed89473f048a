package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"waybill/events"
	"waybill/events/fault"
	"waybill/events/store"
	"waybill/events/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

func TestAppendSaysWhereTheEventsAre(t *testing.T) {
	t.Parallel()
	s, stream := storetest.Open(t, store.Config{URL: storetest.URL(t)}), storetest.Category()+"1"
	first, second := storetest.Events(2), storetest.Events(1)

	at1 := mustAppend(t, s, stream, events.NoStream, first)
	at2 := mustAppend(t, s, stream, 1, second)
	if !at2.After(at1) {
		t.Errorf("the second append is at %v, not after %v", at2, at1)
	}
	records, err := s.Read(t.Context(), stream, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	want := append(first, second...)
	if len(records) != len(want) {
		t.Fatalf("read %d events, want %d", len(records), len(want))
	}
	for i, r := range records {
		if r.ID != want[i].ID || r.Revision != uint64(i) || r.Stream != stream || r.Type != want[i].Type ||
			string(r.Data) != string(want[i].Data) || string(r.Metadata) != string(want[i].Metadata) || r.Created.IsZero() {
			t.Errorf("event %d was read back as %+v", i, r)
		}
	}
	if records[1].Position != at1 || records[2].Position != at2 {
		t.Errorf("positions read %v, %v; appended %v, %v", records[1].Position, records[2].Position, at1, at2)
	}
	if head, err := s.Head(t.Context()); err != nil || at2.After(head) {
		t.Errorf("the log's head is %v (%v), before the last append %v", head, err, at2)
	}
}

func TestAppendAtAnotherRevisionIsAConflictThatTellsBoth(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Config{URL: storetest.URL(t)})
	for _, c := range []struct {
		has      int
		expected events.Expected
		actual   events.Expected
	}{
		{has: 0, expected: 0, actual: events.NoStream},
		{has: 0, expected: 7, actual: events.NoStream},
		{has: 1, expected: events.NoStream, actual: 0},
		{has: 3, expected: events.NoStream, actual: 2},
		{has: 3, expected: 1, actual: 2},
		{has: 3, expected: 3, actual: 2},
	} {
		for name, appendTo := range appenders(t, s) {
			t.Run(fmt.Sprintf("%s/%d events, expected %d", name, c.has, c.expected), func(t *testing.T) {
				stream := storetest.Category() + "1"
				if c.has > 0 {
					mustAppend(t, s, stream, events.NoStream, storetest.Events(c.has))
				}
				_, err := appendTo(stream, c.expected, storetest.Events(2))
				var conflict *store.ConflictError
				if !errors.As(err, &conflict) || *conflict != (store.ConflictError{Stream: stream, Expected: c.expected, Actual: c.actual}) {
					t.Errorf("got %v, want a conflict at %d", err, c.actual)
				}
				if !fault.Is(err, fault.Conflict) {
					t.Errorf("the error's kind is %v", fault.KindOf(err))
				}
			})
		}
	}
}

func TestTheSameAppendAgainIsTheSameAppend(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Config{URL: storetest.URL(t)})
	for name, appendTo := range appenders(t, s) {
		t.Run(name, func(t *testing.T) {
			stream := storetest.Category() + "1"
			first := storetest.Events(2)
			at := mustAppend(t, s, stream, events.NoStream, first)
			mustAppend(t, s, stream, 1, storetest.Events(1))
			again, err := appendTo(stream, events.NoStream, first)
			if err != nil || again != at {
				t.Errorf("again: %v, %v; want %v", again, err, at)
			}
			if records, err := s.Read(t.Context(), stream, 0, 10); err != nil || len(records) != 3 {
				t.Errorf("the stream has %d events (%v), want 3", len(records), err)
			}
		})
	}
}

func TestAnAppendThatCanNeverWorkIsInvalid(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Config{URL: storetest.URL(t)})
	huge := storetest.Events(1)
	huge[0].Data = make([]byte, 2<<20)
	for name, appendTo := range appenders(t, s) {
		for what, evs := range map[string][]events.Proposed{"no events": nil, "too much data": huge} {
			t.Run(name+"/"+what, func(t *testing.T) {
				if _, err := appendTo(storetest.Category()+"1", events.NoStream, evs); !fault.Is(err, fault.Invalid) {
					t.Errorf("got %v (%v), want kind invalid", err, fault.KindOf(err))
				}
			})
		}
	}
}

func TestReadTellsEndFromAbsence(t *testing.T) {
	t.Parallel()
	s, stream := storetest.Open(t, store.Config{URL: storetest.URL(t)}), storetest.Category()+"1"
	mustAppend(t, s, stream, events.NoStream, storetest.Events(5))
	for _, c := range []struct {
		from uint64
		max  int
		want []uint64
	}{
		{0, 2, []uint64{0, 1}},
		{2, 10, []uint64{2, 3, 4}},
		{5, 10, nil},
		{100, 10, nil},
	} {
		records, err := s.Read(t.Context(), stream, c.from, c.max)
		var got []uint64
		for _, r := range records {
			got = append(got, r.Revision)
		}
		if err != nil || fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("from %d, at most %d: %v (%v), want %v", c.from, c.max, got, err, c.want)
		}
	}
	if _, err := s.Read(t.Context(), storetest.Category()+"absent", 0, 1); !fault.Is(err, fault.NotFound) {
		t.Errorf("a stream that is not there: %v, want kind not found", err)
	}
}

func TestReadAllYieldsTheLogAfterAPositionInBothDirections(t *testing.T) {
	t.Parallel()
	s, category := storetest.Open(t, store.Config{URL: storetest.URL(t)}), storetest.Category()
	from := mustAppend(t, s, category+"before", events.NoStream, storetest.Events(1))
	want := storetest.Events(2500) // more than two pages
	for i := 0; i < len(want); i += 500 {
		mustAppend(t, s, category+"1", events.Expected(i-1), want[i:i+500])
	}
	to := mustAppend(t, s, category+"after", events.NoStream, storetest.Events(1))

	var forwards, backwards []events.Record
	for r, err := range s.ReadAll(t.Context(), from, store.Forwards) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Position == from {
			t.Error("the position itself was yielded")
		}
		if r.Stream == category+"1" {
			forwards = append(forwards, r)
		}
	}
	for r, err := range s.ReadAll(t.Context(), to, store.Backwards) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Position == from {
			break
		}
		if r.Stream == category+"1" {
			backwards = append(backwards, r)
		}
	}
	if len(forwards) != len(want) || len(backwards) != len(want) {
		t.Fatalf("%d forwards, %d backwards, want %d", len(forwards), len(backwards), len(want))
	}
	for i, e := range want {
		if forwards[i].ID != e.ID || backwards[len(want)-1-i].ID != e.ID {
			t.Fatalf("event %d is out of order", i)
		}
	}
}

// appenders are the two ways to append, which must not differ.
func appenders(t *testing.T, s *store.Store) map[string]func(string, events.Expected, []events.Proposed) (events.Position, error) {
	b, err := s.Bulk(context.Background(), store.BulkConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return map[string]func(string, events.Expected, []events.Proposed) (events.Position, error){
		"append": func(stream string, expected events.Expected, evs []events.Proposed) (events.Position, error) {
			return s.Append(t.Context(), stream, expected, evs)
		},
		"bulk": func(stream string, expected events.Expected, evs []events.Proposed) (events.Position, error) {
			return b.Append(t.Context(), stream, expected, evs).Wait(t.Context())
		},
	}
}

func mustAppend(t testing.TB, s *store.Store, stream string, expected events.Expected, evs []events.Proposed) events.Position {
	t.Helper()
	at, err := s.Append(context.Background(), stream, expected, evs)
	if err != nil {
		t.Fatal(err)
	}
	return at
}
