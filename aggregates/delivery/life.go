package delivery

import (
	"time"

	"waybill/events"
	"waybill/events/fault"
)

// ReceiveGoods says that the goods are at the depot.
type ReceiveGoods struct{ OccurredAt time.Time }

// Decide gives DeliveryGoodsReceived.
func (c ReceiveGoods) Decide(s State) ([]events.Payload, error) {
	if err := s.move(events.StatusInTransit, "received at the depot"); err != nil {
		return nil, err
	}
	return []events.Payload{&events.DeliveryGoodsReceived{OccurredAt: moment(c.OccurredAt)}}, nil
}

// Dispatch gives the delivery out to be delivered.
type Dispatch struct{ OccurredAt time.Time }

// Decide gives DeliveryDispatched.
func (c Dispatch) Decide(s State) ([]events.Payload, error) {
	if err := s.move(events.StatusDispatched, "dispatched"); err != nil {
		return nil, err
	}
	return []events.Payload{&events.DeliveryDispatched{OccurredAt: moment(c.OccurredAt)}}, nil
}

// StartHeading marks that the vehicle is on its way to this drop.
type StartHeading struct{ OccurredAt time.Time }

// Decide gives DeliveryHeadingStarted; nothing when it is marked so already.
func (c StartHeading) Decide(s State) ([]events.Payload, error) {
	switch {
	case !s.Exists():
		return nil, None()
	case s.Status != events.StatusDispatched:
		return nil, errStatus(s.Status, "headed for")
	case s.Mark == MarkHeading:
		return nil, nil
	case s.Mark == MarkArrived:
		return nil, fault.New(fault.Conflict, "delivery-arrived", "The vehicle has arrived there already.")
	}
	return []events.Payload{&events.DeliveryHeadingStarted{OccurredAt: moment(c.OccurredAt)}}, nil
}

// Arrive marks that the vehicle is there.
type Arrive struct{ OccurredAt time.Time }

// Decide gives DeliveryArrived; nothing when it is marked so already.
func (c Arrive) Decide(s State) ([]events.Payload, error) {
	switch {
	case !s.Exists():
		return nil, None()
	case s.Status != events.StatusDispatched:
		return nil, errStatus(s.Status, "arrived at")
	case s.Mark == MarkArrived:
		return nil, nil
	}
	return []events.Payload{&events.DeliveryArrived{OccurredAt: moment(c.OccurredAt)}}, nil
}

// Hold stops the delivery until it is released.
type Hold struct{}

// Decide gives DeliveryPutOnHold.
func (Hold) Decide(s State) ([]events.Payload, error) {
	if err := s.move(events.StatusOnHold, "put on hold"); err != nil {
		return nil, err
	}
	return []events.Payload{&events.DeliveryPutOnHold{}}, nil
}

// Release brings the delivery back to the status before it was put on hold.
type Release struct{}

// Decide gives DeliveryReleased.
func (Release) Decide(s State) ([]events.Payload, error) {
	switch {
	case !s.Exists():
		return nil, None()
	case s.Status != events.StatusOnHold:
		return nil, errStatus(s.Status, "released")
	}
	return []events.Payload{&events.DeliveryReleased{To: s.Held}}, nil
}

// Return says that the goods went back.
type Return struct{ OccurredAt time.Time }

// Decide gives DeliveryReturned.
func (c Return) Decide(s State) ([]events.Payload, error) {
	if err := s.move(events.StatusReturned, "returned"); err != nil {
		return nil, err
	}
	return []events.Payload{&events.DeliveryReturned{OccurredAt: moment(c.OccurredAt)}}, nil
}

// Cancel ends a delivery that will not be made.
type Cancel struct{}

// Decide gives DeliveryCancelled.
func (Cancel) Decide(s State) ([]events.Payload, error) {
	if err := s.move(events.StatusCancelled, "cancelled"); err != nil {
		return nil, err
	}
	return []events.Payload{&events.DeliveryCancelled{}}, nil
}

// ReviseEta says when the drop is now expected.
type ReviseEta struct{ Eta time.Time }

// Decide gives DeliveryEtaRevised; nothing when it is expected then already.
func (c ReviseEta) Decide(s State) ([]events.Payload, error) {
	if err := s.open("expected at another time"); err != nil {
		return nil, err
	}
	if c.Eta.IsZero() {
		return nil, fault.InvalidField("eta", "is required")
	}
	eta := moment(c.Eta)
	if eta.Equal(s.Eta) {
		return nil, nil
	}
	return []events.Payload{&events.DeliveryEtaRevised{Eta: eta}}, nil
}
