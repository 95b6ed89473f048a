package readmodel

import (
	"github.com/google/uuid"

	"waybill/events"
)

// Marks of a dispatched delivery, as they stand in read.deliveries. They end when
// it is stopped or changes its vehicle.
const (
	markNone    = ""
	markHeading = "heading"
	markArrived = "arrived"
)

// changeOf returns what an event of an existing delivery does to its row.
func changeOf(e events.Event) (delivery, error) {
	c := delivery{}
	marked := func(mark string) { c.mark = &mark }
	switch p := e.Payload.(type) {
	case *events.DeliveryChanged:
		c.details = &p.After
		date, err := checked(c.details)
		if err != nil {
			return c, err
		}
		c.date = date
	case *events.DeliveryTagged:
		c.tagged, c.group = true, p.Group
	case *events.DeliveryUntagged:
		c.tagged = true
	case *events.DeliveryAssigned:
		c.assigned, c.vehicle = true, p.Vehicle
		marked(markNone)
	case *events.DeliveryUnassigned:
		c.assigned = true
		marked(markNone)
	case *events.DeliveryGoodsReceived:
		c.status = events.StatusInTransit
	case *events.DeliveryDispatched:
		c.status = events.StatusDispatched
	case *events.DeliveryHeadingStarted:
		marked(markHeading)
	case *events.DeliveryArrived:
		marked(markArrived)
	case *events.DeliveryCompleted:
		c.status = events.StatusCompleted
	case *events.DeliveryPartiallyCompleted:
		c.status = events.StatusCompletedPartially
	case *events.DeliveryFailed:
		c.status = events.StatusFailed
	case *events.DeliveryOutcomeCorrected:
		c.status = p.To
	case *events.DeliveryPutOnHold:
		c.status = events.StatusOnHold
		marked(markNone)
	case *events.DeliveryReleased:
		c.status = p.To
	case *events.DeliveryReturned:
		c.status = events.StatusReturned
	case *events.DeliveryCancelled:
		c.status = events.StatusCancelled
	case *events.DeliveryReattempted:
		c.next = p.Next
	case *events.DeliveryEtaRevised:
		c.eta = p.Eta
	case *events.DeliveryDeleted:
		c.deleted = true
	default:
		return c, unexpected(e)
	}
	return c, nil
}

// take folds a later change into what the run does to the row.
func (d *delivery) take(c delivery) {
	if c.tagged {
		d.tagged, d.group = true, c.group
	}
	if c.assigned {
		d.assigned, d.vehicle = true, c.vehicle
	}
	if c.status != "" {
		d.status = c.status
	}
	if c.details != nil {
		d.details, d.date = c.details, c.date
	}
	if c.mark != nil {
		d.mark = c.mark
	}
	if !c.eta.IsZero() {
		d.eta = c.eta
	}
	if c.next != uuid.Nil {
		d.next = c.next
	}
	d.deleted = d.deleted || c.deleted
}
