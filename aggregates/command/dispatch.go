package command

import (
	"context"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/delivery"
	"waybill/events"
)

// AssignVehicle asks for a delivery to be put on a vehicle.
type AssignVehicle struct{ Delivery, Vehicle uuid.UUID }

// AssignVehicle puts a delivery on a vehicle. Errors: NotFound (delivery,
// vehicle), Denied, Conflict (delivery-status).
func (s *Service) AssignVehicle(ctx context.Context, c access.Caller, env Envelope, in AssignVehicle) (aggregates.Result, error) {
	return s.onDelivery(ctx, c, s.command(c, env), in.Delivery, access.AssignVehicles, func(d delivery.State) ([]events.Payload, error) {
		if err := s.seesVehicle(ctx, c, in.Vehicle); err != nil {
			return nil, err
		}
		return delivery.Assign{Vehicle: in.Vehicle}.Decide(d)
	})
}

// Dispatch says that a delivery was given out.
type Dispatch struct {
	Delivery   uuid.UUID
	OccurredAt time.Time // zero: not said
}

// Dispatch gives a delivery out to be delivered. Errors: NotFound, Denied,
// Conflict (delivery-status).
func (s *Service) Dispatch(ctx context.Context, c access.Caller, env Envelope, in Dispatch) (aggregates.Result, error) {
	return s.onDelivery(ctx, c, s.command(c, env), in.Delivery, access.UpdateStatus, delivery.Dispatch{OccurredAt: in.OccurredAt}.Decide)
}

// Complete says that everything was handed over.
type Complete struct {
	Delivery   uuid.UUID
	OccurredAt time.Time // zero: not said
	Proof      []events.Proof
}

// Complete completes a delivery. Errors: NotFound, Denied, Invalid, Conflict
// (delivery-status).
func (s *Service) Complete(ctx context.Context, c access.Caller, env Envelope, in Complete) (aggregates.Result, error) {
	return s.onDelivery(ctx, c, s.command(c, env), in.Delivery, access.UpdateStatus,
		delivery.Complete{OccurredAt: in.OccurredAt, Proof: in.Proof}.Decide)
}

// Fail says that nothing was handed over.
type Fail struct {
	Delivery   uuid.UUID
	OccurredAt time.Time // zero: not said
}

// Fail fails a delivery; the envelope's reason is required. Errors: NotFound,
// Denied, Invalid, Conflict (delivery-status).
func (s *Service) Fail(ctx context.Context, c access.Caller, env Envelope, in Fail) (aggregates.Result, error) {
	return s.onDelivery(ctx, c, s.command(c, env), in.Delivery, access.UpdateStatus,
		delivery.Fail{OccurredAt: in.OccurredAt, Reason: env.Reason}.Decide)
}
