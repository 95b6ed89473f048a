package events

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

func TestEventIDRepeatsForTheSameCommandAndCollidesForNoOther(t *testing.T) {
	t.Parallel()
	cmd := uuid.MustParse("0b9f8f0e-9a53-4c53-8c7c-0d5a3b1c2e10")
	user := Actor{Type: ActorUser, ID: "a"}
	first := EventID(testOrg, user, cmd, "s", 0)
	if again := EventID(testOrg, user, cmd, "s", 0); again != first {
		t.Errorf("a retry made %s, then %s", first, again)
	}
	if first.Version() != 5 {
		t.Errorf("version %d, want 5", first.Version())
	}
	others := map[string]uuid.UUID{
		"organisation": EventID(testUser, user, cmd, "s", 0),
		"actor":        EventID(testOrg, Actor{Type: ActorUser, ID: "b"}, cmd, "s", 0),
		"actor type":   EventID(testOrg, Actor{Type: ActorAPIKey, ID: "a"}, cmd, "s", 0),
		"command":      EventID(testOrg, user, testOrg, "s", 0),
		"stream":       EventID(testOrg, user, cmd, "t", 0),
		"index":        EventID(testOrg, user, cmd, "s", 1),
		"boundary":     EventID(testOrg, Actor{Type: ActorUser, ID: ""}, cmd, "as", 0),
	}
	for what, id := range others {
		if id == first {
			t.Errorf("another %s made the same id", what)
		}
	}
}

func TestStreamNamesReadBack(t *testing.T) {
	t.Parallel()
	s := Stream(CategoryDelivery, testOrg, testUser)
	back, err := ParseStream(s.String())
	if err != nil || back != s || back.UUID() != testUser {
		t.Errorf("ParseStream(%q) = %+v, %v", s, back, err)
	}
	for _, bad := range []string{"", "User", "User-", "User-x.y", "User-" + testOrg.String(), "User-" + testOrg.String() + "."} {
		if got, err := ParseStream(bad); err == nil {
			t.Errorf("ParseStream(%q) = %+v, want an error", bad, got)
		}
	}
}

func TestPositionsReadBackAndOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := Position{Commit: rapid.Uint64().Draw(t, "commit"), Prepare: rapid.Uint64().Draw(t, "prepare")}
		back, err := ParsePosition(p.String())
		if err != nil || back != p {
			t.Fatalf("ParsePosition(%q) = %v, %v", p, back, err)
		}
		if !p.IsZero() && !p.After(Position{}) {
			t.Fatalf("%v is not after the start", p)
		}
	})
	for _, bad := range []string{"", "x", "-1", "1/", "/1", "1/2/3", "18446744073709551616"} {
		if got, err := ParsePosition(bad); err == nil {
			t.Errorf("ParsePosition(%q) = %v, want an error", bad, got)
		}
	}
}

func TestCanonicalBytesIgnoreKeyOrderAndPositionAndNothingElse(t *testing.T) {
	t.Parallel()
	r := Record{Stream: "User-x.y", Revision: 3, ID: testUser, Type: "T", Metadata: []byte(`{"b":1,"a":"x"}`), Data: []byte(`{"n":"1"}`)}
	hash := func(change func(*Record)) string {
		c := r
		change(&c)
		b, err := Canonical(c)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	base := hash(func(*Record) {})
	if !strings.HasPrefix(base, `{"data":{"n":"1"},"id":"`) {
		t.Errorf("canonical form = %s", base)
	}
	same := map[string]func(*Record){
		"key order":  func(r *Record) { r.Metadata = []byte(`{ "a":"x", "b":1.0 }`) },
		"position":   func(r *Record) { r.Position = Position{Commit: 9} },
		"store time": func(r *Record) { r.Created = r.Created.AddDate(1, 0, 0) },
	}
	for what, change := range same {
		if got := hash(change); got != base {
			t.Errorf("%s changed the canonical bytes: %s", what, got)
		}
	}
	differ := map[string]func(*Record){
		"stream":   func(r *Record) { r.Stream = "User-x.z" },
		"revision": func(r *Record) { r.Revision = 4 },
		"id":       func(r *Record) { r.ID = testOrg },
		"type":     func(r *Record) { r.Type = "U" },
		"metadata": func(r *Record) { r.Metadata = []byte(`{"a":"y","b":1}`) },
		"data":     func(r *Record) { r.Data = []byte(`{"n":"2"}`) },
	}
	for what, change := range differ {
		if got := hash(change); got == base {
			t.Errorf("another %s left the canonical bytes the same", what)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("UserAdded", `{"schema_version":1}`, `{"email":{"subject":"x","sealed":"!"}}`)
	f.Add("DeliveryCreated", `{"schema_version":1}`, `{"items":[{"quantity":"1"}]}`)
	f.Fuzz(func(t *testing.T, typ, meta, data string) {
		c := testCodec(t, newMemoryKeys())
		e, err := c.Decode(Record{Stream: Stream(CategoryUser, testOrg, testUser).String(), Type: typ, Metadata: []byte(meta), Data: []byte(data)})
		if err == nil && e.Payload.EventType() != typ {
			t.Errorf("decoded %q as %q", typ, e.Payload.EventType())
		}
		if err == nil {
			_ = c.Open(t.Context(), []Event{e}) // must not panic, whatever was sealed
		}
	})
}
