package aggregates

import (
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"waybill/events"
)

// The slow model of a history is the list of all its events.
func TestAHistoryFindsWhatEachActorsCommandDid(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		id := func(n int) uuid.UUID { return uuid.NewSHA1(uuid.Nil, []byte{byte(n)}) }
		actor := func(n int) events.Actor { return events.Actor{Type: events.ActorUser, ID: string(rune('a' + n))} }
		var h history
		type key struct{ actor, id int }
		want := map[key]done{}
		revision := uint64(0)
		for range rapid.IntRange(0, 80).Draw(t, "commands") {
			k := key{rapid.IntRange(0, 1).Draw(t, "actor"), rapid.IntRange(0, 60).Draw(t, "id")}
			if _, again := want[k]; again {
				continue // a command is appended once
			}
			n := rapid.IntRange(1, 3).Draw(t, "events")
			for range n {
				h.add(done{actor(k.actor), id(k.id), revision, events.Position{Commit: revision, Prepare: revision}, 1})
				revision++
			}
			want[k] = done{actor(k.actor), id(k.id), revision - 1, events.Position{Commit: revision - 1, Prepare: revision - 1}, n}
		}
		for a := range 2 {
			for i := range 61 {
				got, ok := h.find(actor(a), id(i))
				w, known := want[key{a, i}]
				if ok != known || got != w {
					t.Fatalf("find(%d, %d) = %+v, %v, want %+v, %v", a, i, got, ok, w, known)
				}
			}
		}
	})
}
