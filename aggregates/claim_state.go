package aggregates

import (
	"time"

	"github.com/google/uuid"

	"waybill/events"
)

// Claim is what a claim's stream says about a key. The zero value is a key that
// nobody ever claimed.
type Claim struct {
	Held     bool
	Holder   uuid.UUID // who holds it, or held it last
	Category string    // of the holder's streams
	Imported bool      // the holder got it from an import
	Known    bool      // an import's delivery had it once and gave it up; a later import still knows it

	seen    events.Expected // revision of the last event
	claimed time.Time       // when it was claimed, by the store's clock
}

// evolve returns the claim after an event.
func (c Claim) evolve(r events.Record, p events.Payload) Claim {
	c.seen = events.Expected(r.Revision)
	switch e := p.(type) {
	case *events.KeyClaimed:
		// Claimed over a holder without a release: that holder was abandoned,
		// and what was never created is not known from an import.
		c.Held, c.Holder, c.Category, c.Imported, c.claimed = true, e.Holder, e.Category, e.Imported || c.Imported && c.Held && c.Holder == e.Holder, r.Created
	case *events.KeyReleased:
		c.Known = c.Known || c.Imported
		c.Held, c.Imported = false, false
	}
	return c
}
