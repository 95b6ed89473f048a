package events

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
)

// memoryKeys is a key ring that tests can delete from.
type memoryKeys struct {
	mu    sync.Mutex
	keys  map[uuid.UUID]Key
	calls int
}

func (m *memoryKeys) Ensure(_ context.Context, subjects []uuid.UUID) (map[uuid.UUID]Key, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	out := map[uuid.UUID]Key{}
	for _, s := range subjects {
		k, ok := m.keys[s]
		if !ok {
			copy(k[:], s[:])
			copy(k[16:], s[:])
			m.keys[s] = k
		}
		out[s] = k
	}
	return out, nil
}

func (m *memoryKeys) Lookup(_ context.Context, subjects []uuid.UUID) (map[uuid.UUID]Key, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	out := map[uuid.UUID]Key{}
	for _, s := range subjects {
		if k, ok := m.keys[s]; ok {
			out[s] = k
		}
	}
	return out, nil
}

func newMemoryKeys() *memoryKeys { return &memoryKeys{keys: map[uuid.UUID]Key{}} }

func testCodec(t testing.TB, keys Keys) *Codec {
	t.Helper()
	c, err := NewCodec(keys)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func recordOf(p Proposed, stream string) Record {
	return Record{Stream: stream, ID: p.ID, Type: p.Type, Metadata: p.Metadata, Data: p.Data}
}

var (
	testOrg  = uuid.MustParse("0b9f8f0e-9a53-4c53-8c7c-0d5a3b1c2e01")
	testUser = uuid.MustParse("0b9f8f0e-9a53-4c53-8c7c-0d5a3b1c2e02")
)

func userAddedDraft() Draft {
	return Draft{
		ID: uuid.MustParse("0b9f8f0e-9a53-4c53-8c7c-0d5a3b1c2e03"),
		Metadata: Metadata{
			Org: testOrg, Actor: Actor{Type: ActorSystem},
			RecordedAt: time.Date(2026, 3, 2, 8, 0, 0, 1000, time.UTC),
		},
		Payload: &UserAdded{
			Identity: testUser, Role: "owner", Access: AccessAll,
			Name: PersonalText(testUser, "Olivia Öberg"), Email: PersonalText(testUser, "olivia@example.com"),
		},
	}
}

func TestPersonalDataNeverStandsInTheStoredBytes(t *testing.T) {
	t.Parallel()
	out, err := testCodec(t, newMemoryKeys()).Encode(t.Context(), []Draft{userAddedDraft()})
	if err != nil {
		t.Fatal(err)
	}
	stored := string(out[0].Data) + string(out[0].Metadata)
	for _, secret := range []string{"olivia", "Olivia", "example.com"} {
		if strings.Contains(stored, secret) {
			t.Errorf("stored event contains %q: %s", secret, stored)
		}
	}
}

func TestSealedDataOpensWithItsKeyAndReadsAsErasedWithout(t *testing.T) {
	t.Parallel()
	keys := newMemoryKeys()
	c := testCodec(t, keys)
	out, err := c.Encode(t.Context(), []Draft{userAddedDraft()})
	if err != nil {
		t.Fatal(err)
	}
	decode := func() *UserAdded {
		e, err := c.Decode(recordOf(out[0], Stream(CategoryUser, testOrg, testUser).String()))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Open(t.Context(), []Event{e}); err != nil {
			t.Fatal(err)
		}
		return e.Payload.(*UserAdded)
	}
	if u := decode(); u.Email.Text() != "olivia@example.com" || u.Name.Text() != "Olivia Öberg" || u.Email.Erased() {
		t.Errorf("opened = %q, %q, erased %v", u.Name.Text(), u.Email.Text(), u.Email.Erased())
	}
	delete(keys.keys, testUser)
	if u := decode(); u.Email.Text() != "" || !u.Email.Erased() || u.Role != "owner" {
		t.Errorf("without the key: email %q, erased %v, role %q", u.Email.Text(), u.Email.Erased(), u.Role)
	}
}

func TestSealedFieldOpensOnlyInItsOwnEvent(t *testing.T) {
	t.Parallel()
	c := testCodec(t, newMemoryKeys())
	out, err := c.Encode(t.Context(), []Draft{userAddedDraft()})
	if err != nil {
		t.Fatal(err)
	}
	r := recordOf(out[0], Stream(CategoryUser, testOrg, testUser).String())
	r.ID = uuid.MustParse("0b9f8f0e-9a53-4c53-8c7c-0d5a3b1c2eff")
	e, err := c.Decode(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Open(t.Context(), []Event{e}); err == nil {
		t.Error("a field moved to another event opened")
	}
}

func TestKeyRingIsAskedOncePerBatch(t *testing.T) {
	t.Parallel()
	keys := newMemoryKeys()
	c := testCodec(t, keys)
	a, b := userAddedDraft(), userAddedDraft()
	b.Payload.(*UserAdded).Email = PersonalText(testOrg, "other@example.com")
	if _, err := c.Encode(t.Context(), []Draft{a, b}); err != nil {
		t.Fatal(err)
	}
	if keys.calls != 1 {
		t.Errorf("key ring was asked %d times for one batch", keys.calls)
	}
}

func TestUnsealedPersonalDataCannotBeEncoded(t *testing.T) {
	t.Parallel()
	p := PersonalText(testUser, "olivia@example.com")
	if _, err := marshal(&p); err == nil || strings.Contains(err.Error(), "olivia") {
		t.Errorf("err = %v; want a refusal that does not show the text", err)
	}
}

func TestUnknownEventsAndNewerVersionsAreNamed(t *testing.T) {
	t.Parallel()
	c := testCodec(t, newMemoryKeys())
	stream := Stream(CategoryUser, testOrg, testUser).String()
	for _, r := range []Record{
		{Stream: stream, Type: "Nonsense", Metadata: []byte(`{"schema_version":1}`), Data: []byte(`{}`)},
		{Stream: stream, Type: "UserAdded", Metadata: []byte(`{"schema_version":99}`), Data: []byte(`{}`)},
		{Stream: stream, Type: "UserAdded", Metadata: []byte(`{}`), Data: []byte(`{}`)},
	} {
		_, err := c.Decode(r)
		if !errors.Is(err, ErrUnknownEvent) || !strings.Contains(err.Error(), r.Type) || !strings.Contains(err.Error(), stream) {
			t.Errorf("%s %s: err = %v", r.Type, r.Metadata, err)
		}
	}
}

func TestPersonalNeverPrints(t *testing.T) {
	t.Parallel()
	p := PersonalText(testUser, "olivia@example.com")
	var k Key
	copy(k[:], "0123456789abcdef0123456789abcdef")
	for _, s := range []string{p.String(), p.GoString(), k.String(), k.GoString()} {
		if strings.Contains(s, "olivia") || strings.Contains(s, "0123") {
			t.Errorf("printed %q", s)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	c := testCodec(b, newMemoryKeys())
	d := userAddedDraft()
	d.Payload = &DeliveryCreated{DONumber: "DO-1000", Type: TypeDelivery, Date: "2026-03-10", Group: testUser, Attempt: 1,
		Address: PersonalText(testUser, "12 Long Street, Springfield, 12345"), Recipient: PersonalText(testUser, "A. Recipient"),
		Items: []Item{{ID: "1", SKU: "SKU-1", Description: "Box of pens", Quantity: 3, Unit: "box"}}}
	out, err := c.Encode(b.Context(), []Draft{d})
	if err != nil {
		b.Fatal(err)
	}
	r := recordOf(out[0], Stream(CategoryDelivery, testOrg, testUser).String())
	b.SetBytes(int64(len(r.Data) + len(r.Metadata)))
	b.ReportAllocs()
	for b.Loop() {
		e, err := c.Decode(r)
		if err != nil {
			b.Fatal(err)
		}
		if err := c.Open(b.Context(), []Event{e}); err != nil {
			b.Fatal(err)
		}
	}
}
