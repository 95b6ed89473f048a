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
	timeline []step
}

// delivery is what a run does to a row of read.deliveries.
type delivery struct {
	place
	created              *events.DeliveryCreated // nil: the row is there already
	createdAt, updatedAt time.Time
	tagged, assigned     bool // group, vehicle are set; else unchanged
	group, vehicle       uuid.UUID
	status               string                  // empty: unchanged
	details              *events.DeliveryDetails // nil: unchanged
	date                 time.Time               // of details
	mark                 *string                 // nil: unchanged
	eta                  time.Time               // zero: unchanged
	next                 uuid.UUID               // zero: unchanged
	deleted              bool                    // false: unchanged
}

func (d *deliveries) reset() {
	clear(d.byID)
	d.rows, d.timeline = d.rows[:0], d.timeline[:0]
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
	change, err := changeOf(e)
	if err != nil {
		return err
	}
	row := d.row(at.id)
	row.place, row.updatedAt = at, e.Metadata.RecordedAt
	row.take(change)
	d.timeline = append(d.timeline, step)
	return nil
}

func (d *deliveries) create(at place, e events.Event, p *events.DeliveryCreated) error {
	details := events.DeliveryDetails{DONumber: p.DONumber, Date: p.Date, Address: p.Address, Recipient: p.Recipient,
		Phone: p.Phone, Email: p.Email, Items: p.Items}
	date, err := checked(&details)
	if err != nil {
		return err
	}
	if p.Attempt < 0 || p.Attempt > math.MaxInt32 {
		return fmt.Errorf("attempt %d cannot be", p.Attempt)
	}
	*d.row(at.id) = delivery{
		place: at, created: p, createdAt: e.Metadata.RecordedAt, updatedAt: e.Metadata.RecordedAt,
		tagged: true, group: p.Group, assigned: true, vehicle: p.Vehicle, status: events.StatusInfoReceived,
		details: &details, date: date,
	}
	return nil
}

// checked refuses details that can be no row, and returns their date.
func checked(d *events.DeliveryDetails) (time.Time, error) {
	date, err := time.Parse(time.DateOnly, d.Date)
	if err != nil {
		return date, fmt.Errorf("date %q: want YYYY-MM-DD", d.Date)
	}
	return date, key("do_number", d.DONumber)
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
