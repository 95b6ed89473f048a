package readmodel

import (
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"

	"waybill/events"
)

// deliveries is what a run does to read.deliveries, its items and timeline, and
// thereby to read.progress. Entries are kept in slices that are used again from
// run to run.
type deliveries struct {
	byID     map[uuid.UUID]int // index in rows
	rows     []delivery
	items    []item
	timeline []step
}

// delivery is what a run does to a row of read.deliveries.
type delivery struct {
	place
	created              *events.DeliveryCreated // nil: the row is there already
	date                 time.Time               // of created
	createdAt, updatedAt time.Time
	tagged, assigned     bool // group, vehicle are set; else unchanged
	group, vehicle       uuid.UUID
	status               string // empty: unchanged
}

// item is a row of read.delivery_items.
type item struct {
	delivery, org uuid.UUID
	line          int32
	*events.Item
}

func (d *deliveries) reset() {
	clear(d.byID)
	d.rows, d.items, d.timeline = d.rows[:0], d.items[:0], d.timeline[:0]
}

// apply folds an event of a Delivery's stream.
func (d *deliveries) apply(at place, e events.Event) error {
	if _, ok := e.Payload.(*events.CreationAbandoned); ok {
		return nil // it never came to be
	}
	step, err := stepOf(at, e)
	if err != nil {
		return err
	}
	if p, ok := e.Payload.(*events.DeliveryCreated); ok {
		if err := d.create(at, e, p); err != nil {
			return err
		}
		d.timeline = append(d.timeline, step)
		return nil
	}
	// Nothing is touched before it is clear that the event can be taken.
	change := delivery{}
	switch p := e.Payload.(type) {
	case *events.DeliveryTagged:
		change.tagged, change.group = true, p.Group
	case *events.DeliveryUntagged:
		change.tagged = true
	case *events.DeliveryAssigned:
		change.assigned, change.vehicle = true, p.Vehicle
	case *events.DeliveryDispatched:
		change.status = events.StatusDispatched
	case *events.DeliveryCompleted:
		change.status = events.StatusCompleted
	case *events.DeliveryFailed:
		change.status = events.StatusFailed
	default:
		return unexpected(e)
	}
	row := d.row(at.id)
	row.place, row.updatedAt = at, e.Metadata.RecordedAt
	if change.tagged {
		row.tagged, row.group = true, change.group
	}
	if change.assigned {
		row.assigned, row.vehicle = true, change.vehicle
	}
	if change.status != "" {
		row.status = change.status
	}
	d.timeline = append(d.timeline, step)
	return nil
}

func (d *deliveries) create(at place, e events.Event, p *events.DeliveryCreated) error {
	date, err := time.Parse(time.DateOnly, p.Date)
	if err != nil {
		return fmt.Errorf("date %q: want YYYY-MM-DD", p.Date)
	}
	if err := key("do_number", p.DONumber); err != nil {
		return err
	}
	if p.Attempt < 0 || p.Attempt > math.MaxInt32 {
		return fmt.Errorf("attempt %d cannot be", p.Attempt)
	}
	*d.row(at.id) = delivery{
		place: at, created: p, date: date, createdAt: e.Metadata.RecordedAt, updatedAt: e.Metadata.RecordedAt,
		tagged: true, group: p.Group, assigned: true, vehicle: p.Vehicle, status: events.StatusInfoReceived,
	}
	for i := range p.Items {
		d.items = append(d.items, item{delivery: at.id, org: at.org, line: int32(i + 1), Item: &p.Items[i]})
	}
	return nil
}

// row returns the entry of a delivery, valid until the next call.
func (d *deliveries) row(id uuid.UUID) *delivery {
	i, ok := d.byID[id]
	if !ok {
		i = len(d.rows)
		d.byID[id] = i
		d.rows = append(d.rows, delivery{})
	}
	return &d.rows[i]
}
