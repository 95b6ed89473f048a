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

// Happened asks for something to be recorded that happened to a delivery.
type Happened struct {
	Delivery   uuid.UUID
	OccurredAt time.Time // zero: not said
}

// UnassignVehicle takes a delivery off its vehicle. Errors: NotFound, Denied,
// Conflict (delivery-status).
func (s *Service) UnassignVehicle(ctx context.Context, c access.Caller, env Envelope, id uuid.UUID) (aggregates.Result, error) {
	return s.onDelivery(ctx, c, s.command(c, env), id, access.AssignVehicles, delivery.Unassign{}.Decide)
}

// ReceiveGoods says that a delivery's goods are at the depot. Errors: NotFound,
// Denied, Conflict (delivery-status); so for all that follow.
func (s *Service) ReceiveGoods(ctx context.Context, c access.Caller, env Envelope, in Happened) (aggregates.Result, error) {
	return s.updateStatus(ctx, c, env, in.Delivery, delivery.ReceiveGoods{OccurredAt: in.OccurredAt}.Decide)
}

// StartHeading marks that the vehicle is on its way to a drop. Also Conflict
// (delivery-arrived).
func (s *Service) StartHeading(ctx context.Context, c access.Caller, env Envelope, in Happened) (aggregates.Result, error) {
	return s.updateStatus(ctx, c, env, in.Delivery, delivery.StartHeading{OccurredAt: in.OccurredAt}.Decide)
}

// Arrive marks that the vehicle is at a drop.
func (s *Service) Arrive(ctx context.Context, c access.Caller, env Envelope, in Happened) (aggregates.Result, error) {
	return s.updateStatus(ctx, c, env, in.Delivery, delivery.Arrive{OccurredAt: in.OccurredAt}.Decide)
}

// Hold stops a delivery until it is released.
func (s *Service) Hold(ctx context.Context, c access.Caller, env Envelope, id uuid.UUID) (aggregates.Result, error) {
	return s.updateStatus(ctx, c, env, id, delivery.Hold{}.Decide)
}

// Release brings a delivery that is on hold back to the status before.
func (s *Service) Release(ctx context.Context, c access.Caller, env Envelope, id uuid.UUID) (aggregates.Result, error) {
	return s.updateStatus(ctx, c, env, id, delivery.Release{}.Decide)
}

// ReturnDelivery says that the goods of a delivery went back.
func (s *Service) ReturnDelivery(ctx context.Context, c access.Caller, env Envelope, in Happened) (aggregates.Result, error) {
	return s.updateStatus(ctx, c, env, in.Delivery, delivery.Return{OccurredAt: in.OccurredAt}.Decide)
}

// Cancel ends a delivery that will not be made.
func (s *Service) Cancel(ctx context.Context, c access.Caller, env Envelope, id uuid.UUID) (aggregates.Result, error) {
	return s.updateStatus(ctx, c, env, id, delivery.Cancel{}.Decide)
}

// ReviseEta asks for a delivery to be expected at another time.
type ReviseEta struct {
	Delivery uuid.UUID
	Eta      time.Time
}

// ReviseEta says when a drop is now expected. Also Invalid.
func (s *Service) ReviseEta(ctx context.Context, c access.Caller, env Envelope, in ReviseEta) (aggregates.Result, error) {
	return s.updateStatus(ctx, c, env, in.Delivery, delivery.ReviseEta{Eta: in.Eta}.Decide)
}

func (s *Service) updateStatus(ctx context.Context, c access.Caller, env Envelope, id uuid.UUID,
	decide func(delivery.State) ([]events.Payload, error)) (aggregates.Result, error) {
	return s.onDelivery(ctx, c, s.command(c, env), id, access.UpdateStatus, decide)
}

// DeleteDelivery takes a delivery that never had an outcome out of sight and
// frees its D.O. number, except for imports, which know it for ever. Errors:
// NotFound, Denied, Conflict (delivery-concluded).
func (s *Service) DeleteDelivery(ctx context.Context, c access.Caller, env Envelope, id uuid.UUID) (aggregates.Result, error) {
	cmd := s.command(c, env)
	res, err := s.onDelivery(ctx, c, cmd, id, access.DeleteDeliveries, delivery.Delete{}.Decide)
	if err != nil {
		return res, err
	}
	// Also when the command was executed before and stopped here.
	d, err := aggregates.Load(ctx, s.x, deliveries, c.Org, id)
	if err == nil && d.Deleted {
		_, err = s.claims.Settle(ctx, cmd, deliveryKey(d.Key), deliveryHolder(id))
	}
	return res, err
}
