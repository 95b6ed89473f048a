package command

import (
	"context"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/delivery"
	"waybill/events"
	"waybill/events/fault"
)

// TagDelivery asks for a delivery to be moved to a group.
type TagDelivery struct{ Delivery, Group uuid.UUID }

// TagDelivery moves a delivery to a group, from none or from another one; the
// latter needs a reason in the envelope. The caller must see both. Errors:
// NotFound (delivery, group), Denied, Invalid, Conflict (do-number-taken in the
// new group, group-archived, group-field-off).
func (s *Service) TagDelivery(ctx context.Context, c access.Caller, env Envelope, in TagDelivery) (aggregates.Result, error) {
	cmd := s.command(c, env)
	return s.retag(ctx, c, cmd, in.Delivery, in.Group, func(d delivery.State) ([]events.Payload, error) {
		if d.Exists() && d.Key.Group == in.Group {
			return nil, nil // it is there, whatever became of the group since
		}
		if _, err := s.usableGroup(ctx, c, in.Group); err != nil {
			return nil, err
		}
		if err := s.fieldOn(ctx, c); err != nil {
			return nil, err
		}
		return delivery.Tag{Group: in.Group, Reason: cmd.Reason}.Decide(d)
	})
}

// UntagDelivery takes a delivery out of its group, so that only ALL users see
// it. Errors: NotFound, Denied, Conflict (do-number-taken).
func (s *Service) UntagDelivery(ctx context.Context, c access.Caller, env Envelope, id uuid.UUID) (aggregates.Result, error) {
	return s.retag(ctx, c, s.command(c, env), id, uuid.Nil, func(d delivery.State) ([]events.Payload, error) {
		if !c.SeesAll() {
			return nil, fault.New(fault.Denied, "access-to-all-missing", "Taking a delivery out of its group needs access to all groups.")
		}
		if err := s.fieldOn(ctx, c); err != nil {
			return nil, err
		}
		return delivery.Untag{}.Decide(d)
	})
}

// retag changes the group of a delivery.
func (s *Service) retag(ctx context.Context, c access.Caller, cmd aggregates.Command, id, to uuid.UUID,
	decide func(delivery.State) ([]events.Payload, error)) (aggregates.Result, error) {
	return s.rekey(ctx, c, cmd, id, decide, func(k delivery.Key) delivery.Key {
		k.Group = to
		return k
	})
}
