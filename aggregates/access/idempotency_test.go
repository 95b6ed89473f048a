package access_test

import (
	"crypto/sha256"
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/events"
	"waybill/events/fault"
)

func TestAnAnswerIsKeptForADayAndThenPurged(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	who := access.Caller{Org: b.org, Actor: events.Actor{Type: events.ActorUser, ID: uuid.NewString()}}
	first := access.Repeatable{ID: uuid.New(), Hash: sha256.Sum256([]byte("first")), Caller: who}
	other := first
	other.Hash = sha256.Sum256([]byte("other"))

	at, kept, err := b.Begin(t.Context(), first)
	must(t, err)
	if kept != nil {
		t.Fatal("there is an answer before there was a request")
	}
	must(t, b.Finish(t.Context(), at, access.Answer{Status: 201, Header: map[string]string{"Location": "/v1/x"}, Body: []byte("{}\n")}))
	b.clock.forward(access.KeptAnswers - 1)
	if _, kept, err = b.Begin(t.Context(), first); err != nil || kept == nil || kept.Status != 201 || string(kept.Body) != "{}\n" || kept.Header["Location"] != "/v1/x" {
		t.Errorf("within the day: %+v, %v", kept, err)
	}
	if _, _, err = b.Begin(t.Context(), other); !fault.Is(err, fault.Invalid) {
		t.Errorf("another request within the day: %v, want invalid", err)
	}
	if _, kept, err := b.Begin(t.Context(), access.Repeatable{ID: first.ID, Hash: other.Hash, Caller: access.Caller{Org: b.org, Actor: events.Actor{Type: events.ActorUser, ID: uuid.NewString()}}}); err != nil || kept != nil {
		t.Errorf("somebody else with the same id: %v, %v", kept, err)
	}
	b.clock.forward(1)
	late, kept, err := b.Begin(t.Context(), other)
	if err != nil || kept != nil {
		t.Errorf("after the day: %v, %v; want a fresh start", kept, err)
	}
	// Who took longer than a day to answer does not answer for another.
	must(t, b.Finish(t.Context(), at, access.Answer{Status: 200}))
	must(t, b.Release(t.Context(), late))
	if _, kept, err := b.Begin(t.Context(), other); err != nil || kept != nil {
		t.Errorf("after it was released: %v, %v; want a fresh start", kept, err)
	}
	b.clock.forward(access.KeptAnswers)
	if n, err := b.PurgeExpired(t.Context()); err != nil || n != 2 {
		t.Errorf("%d rows purged, %v; want 2", n, err)
	}
}
