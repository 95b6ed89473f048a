package command

import (
	"context"
	"fmt"

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

// retag changes the group of a delivery and moves the claim of its key along:
// claims the new key, changes the delivery, releases the old key. Stopped
// half-way, it leaves a claim whose holder has another key, which blocks nobody.
func (s *Service) retag(ctx context.Context, c access.Caller, cmd aggregates.Command, id, to uuid.UUID,
	decide func(delivery.State) ([]events.Payload, error)) (aggregates.Result, error) {
	dry := func(d delivery.State) ([]events.Payload, error) {
		if !d.Exists() || !c.Sees(d.Key.Group) {
			return nil, delivery.None()
		}
		if err := need(c, access.CreateDeliveries); err != nil {
			return nil, err
		}
		return decide(d)
	}
	before, err := aggregates.Load(ctx, s.x, deliveries, c.Org, id)
	if err != nil {
		return aggregates.Result{}, err
	}
	if evs, err := dry(before); err != nil || len(evs) == 0 {
		return aggregates.Execute(ctx, s.x, deliveries, id, cmd, dry)
	}
	key := before.Key
	key.Group = to
	if err := s.claims.Move(ctx, cmd, deliveryKey(key), deliveryHolder(id)); err != nil {
		return unlessDone(ctx, s, deliveries, id, cmd, err)
	}
	from := before.Key
	res, err := aggregates.Execute(ctx, s.x, deliveries, id, cmd, func(d delivery.State) ([]events.Payload, error) {
		from = d.Key
		return dry(d)
	})
	kept, settleErr := s.settle(ctx, cmd, id, key, from)
	switch {
	case err != nil:
		return res, err
	case settleErr != nil:
		return res, settleErr
	case !kept:
		return aggregates.Result{}, s.revert(ctx, cmd, id, from)
	}
	return res, nil
}

// settle makes the claims of a delivery's keys agree with what it has become.
// It reports whether the key it moved to is really its own.
func (s *Service) settle(ctx context.Context, cmd aggregates.Command, id uuid.UUID, to, from delivery.Key) (bool, error) {
	kept, err := s.claims.Settle(ctx, cmd, deliveryKey(to), deliveryHolder(id))
	if err != nil || !kept || from == to {
		return kept, err
	}
	_, err = s.claims.Settle(ctx, cmd, deliveryKey(from), deliveryHolder(id))
	return true, err
}

// revert moves a delivery back, whose new key somebody else took over while
// this process stood still between claim and change.
func (s *Service) revert(ctx context.Context, cmd aggregates.Command, id uuid.UUID, from delivery.Key) error {
	cmd = cmd.Then("move back")
	cmd.Actor = events.Actor{Type: events.ActorSystem}
	cmd.Reason = "the D.O. number was taken in the other group meanwhile"
	_, err := aggregates.Execute(ctx, s.x, deliveries, id, cmd, func(d delivery.State) ([]events.Payload, error) {
		if from.Group == uuid.Nil {
			return delivery.Untag{}.Decide(d)
		}
		return delivery.Tag{Group: from.Group, Reason: cmd.Reason}.Decide(d)
	})
	s.cfg.Logger.Warn("delivery moved back, because its number was taken over meanwhile", "org", cmd.Org, "delivery", id, "command", cmd.CausationID)
	if err != nil {
		return fmt.Errorf("move delivery %s back: %w", id, err)
	}
	return aggregates.Taken(events.KeyDelivery)
}
