package aggregates

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"waybill/events"
	"waybill/events/fault"
)

// ImportClaim is the claim of the key of a delivery that an import is about to
// create. An import's delivery gets its id from its key, not from the command,
// so that whoever imports the same finishes what another left half-done.
type ImportClaim struct {
	Stream string
	Holder uuid.UUID // the delivery's id, if the claim is won as it stands
	Event  events.Draft
}

// Import returns the first claim of a key, to be appended at NoStream. When
// that conflicts, [Claims.TakeImport] finds out more.
func (c *Claims) Import(cmd Command, key Key) ImportClaim {
	stream := c.Stream(cmd.Org, key).String()
	holder := importHolder(cmd.Org, stream, events.NoStream)
	return ImportClaim{stream, holder, c.x.Draft(cmd, stream, 0, nil, importClaimed(key, holder))}
}

func importClaimed(key Key, holder uuid.UUID) *events.KeyClaimed {
	return &events.KeyClaimed{Kind: key.Kind, Category: events.CategoryDelivery, Holder: holder, Imported: true}
}

// importHolder returns the id of the delivery that an import's claim after a
// revision of the claim's stream is for. A claim taken over is for another one,
// because the one before may be abandoned.
func importHolder(org uuid.UUID, stream string, seen events.Expected) uuid.UUID {
	return uuid.NewSHA1(org, fmt.Appendf(nil, "import %s %d", stream, seen.Next()))
}

// Imported reports whether the delivery that the first claim of a key by an
// import is for was created by another command, whatever became of it since: then
// [Claims.TakeImport] says that the key is known, without looking at the claim. It
// is the cheapest look at a file that was imported before.
func (c *Claims) Imported(ctx context.Context, cmd Command, key Key) (bool, error) {
	r, err := c.imported(ctx, cmd.Org, c.Stream(cmd.Org, key).String())
	return r.Stream != "" && r.ID != events.EventID(cmd.Org, cmd.Actor, cmd.ID, r.Stream, 0), err
}

// imported returns the creation of the delivery that an import's first claim is
// for; the zero record when there is none.
func (c *Claims) imported(ctx context.Context, org uuid.UUID, stream string) (events.Record, error) {
	first := importHolder(org, stream, events.NoStream)
	records, err := c.x.store.Read(ctx, events.Stream(events.CategoryDelivery, org, first).String(), 0, 1)
	switch {
	case fault.Is(err, fault.NotFound):
		return events.Record{}, nil
	case err != nil:
		return events.Record{}, fmt.Errorf("look for an imported delivery: %w", err)
	case len(records) == 0 || records[0].Type == (*events.CreationAbandoned)(nil).EventType():
		return events.Record{}, nil
	}
	// A delivery's stream begins with its creation, or with what makes that
	// impossible: its state need not be known to know that it was created.
	return records[0], nil
}

// TakeImport claims a key for an import. It returns the id of the delivery to
// create; known means that there is none to create, because one has the key, or
// was imported with it once.
func (c *Claims) TakeImport(ctx context.Context, cmd Command, key Key) (delivery uuid.UUID, known bool, err error) {
	stream := c.Stream(cmd.Org, key).String()
	// Nearly always it is a file imported before: the delivery that the first
	// claim of the key was for exists, and then no claim needs to be read.
	if r, err := c.imported(ctx, cmd.Org, stream); err != nil || r.Stream != "" {
		return uuid.Nil, err == nil, err
	}
	for range rounds {
		claim, err := c.read(ctx, stream)
		if err != nil {
			return uuid.Nil, false, err
		}
		if claim.Known {
			return uuid.Nil, true, nil
		}
		if claim.Held && claim.Imported {
			switch fate, err := c.judge(ctx, cmd.Org, claim.Holder, key); {
			case err != nil:
				return uuid.Nil, false, err
			case fate == Holds || fate == Moved:
				return uuid.Nil, true, nil
			case fate == Unborn:
				return claim.Holder, false, nil
			}
		}
		release, err := c.vacate(ctx, cmd, stream, key, claim, Holder{})
		switch {
		case lost(err):
			continue
		case fault.Is(err, fault.Conflict):
			return uuid.Nil, true, nil
		case err != nil:
			return uuid.Nil, false, err
		}
		holder := importHolder(cmd.Org, stream, claim.seen+events.Expected(len(release)))
		mine := importClaimed(key, holder)
		err = c.append(ctx, cmd, stream, claim.seen, append(release, mine)...)
		if err == nil && len(release) > 0 {
			var back bool
			if back, err = c.giveBack(ctx, cmd, stream, key, claim, mine); back {
				continue
			}
		}
		if err == nil || !lost(err) {
			return holder, false, err
		}
	}
	return uuid.Nil, false, fmt.Errorf("claim %s: %w", stream, fault.New(fault.Conflict, "stream-busy", "Others keep claiming the same at the same time; try again."))
}
