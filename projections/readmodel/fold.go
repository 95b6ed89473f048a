package readmodel

import (
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/events"
	"waybill/events/consume"
)

// fold is the rows of one run. It implements projections.Rows.
type fold struct {
	organisations organisations
	groups        groups
	codes         codes
	vehicles      vehicles
	users         users
	grants        grants
	requests      requests
	clients       clients
	deliveries    deliveries
}

func newFold() *fold {
	return &fold{
		organisations: organisations{}, groups: groups{}, codes: codes{},
		vehicles: newVehicles(),
		users:    users{}, grants: grants{}, requests: requests{}, clients: clients{},
		deliveries: deliveries{byID: map[uuid.UUID]int{}},
	}
}

// Reset implements projections.Rows.
func (f *fold) Reset() {
	clear(f.organisations)
	clear(f.groups)
	clear(f.codes)
	f.vehicles.reset()
	clear(f.users)
	clear(f.grants)
	clear(f.requests)
	clear(f.clients)
	f.deliveries.reset()
}

// Queue implements projections.Rows.
func (f *fold) Queue(b *pgx.Batch) {
	f.organisations.queue(b)
	f.groups.queue(b)
	f.codes.queue(b)
	f.vehicles.queue(b)
	f.users.queue(b)
	f.grants.queue(b)
	f.requests.queue(b)
	f.clients.queue(b)
	f.deliveries.queue(b)
}

// apply folds one event whose personal data is open. An error is permanent: the
// event can never be a row.
func (f *fold) apply(e events.Event) error {
	at, err := placeOf(e)
	if err != nil {
		return consume.Permanent(err)
	}
	switch e.Stream.Category {
	case events.CategoryGroup:
		err = f.group(at, e)
	case events.CategoryUser:
		err = f.user(at, e)
	case events.CategoryClientAccount:
		err = f.client(at, e)
	case events.CategoryDelivery:
		err = f.deliveries.apply(at, e)
	default:
		err = fmt.Errorf("no table for streams of category %q", e.Stream.Category)
	}
	if err != nil {
		return consume.Permanent(fmt.Errorf("fold %s of %s@%d: %w", e.Record.Type, e.Record.Stream, e.Record.Revision, err))
	}
	return nil
}

// place is where an event stands: whose row it touches, and what it makes of the
// row's own place.
type place struct {
	org, id            uuid.UUID
	revision, position int64
}

func placeOf(e events.Event) (place, error) {
	p := place{
		org: e.Stream.Org, id: e.Stream.UUID(),
		revision: int64(e.Record.Revision), position: int64(e.Record.Position.Commit),
	}
	if p.id == uuid.Nil {
		return p, fmt.Errorf("stream %s: its id is no UUID", e.Record.Stream)
	}
	return p, nil
}

// maxKey bounds a text that stands in an index, in bytes; an index entry takes
// little more.
const maxKey = 2000

// key refuses a text that an index cannot hold.
func key(field, s string) error {
	if n := len(clean(s)); n > maxKey {
		return fmt.Errorf("%s has %d bytes, at most %d can be looked up", field, n, maxKey)
	}
	return nil
}

// unexpected is the error for an event that this category's streams never hold.
func unexpected(e events.Event) error {
	return fmt.Errorf("event %s does not belong into a stream of category %s", e.Record.Type, e.Stream.Category)
}
