package command

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/delivery"
	"waybill/events"
	"waybill/events/fault"
)

// rekeyTries bounds how often a delivery's key may be changed by somebody else
// while it is being changed.
const rekeyTries = 5

// errOtherKey says that the key that was claimed is not the one that the
// delivery would get, because somebody else changed another part of it.
var errOtherKey = errors.New("the delivery has another key now")

// rekey changes something of a delivery that is part of its key and moves the
// claim of the key along: claims the new key, changes the delivery, releases the
// old key. Stopped half-way, it leaves a claim whose holder has another key,
// which blocks nobody. next says what becomes of a key.
func (s *Service) rekey(ctx context.Context, c access.Caller, cmd aggregates.Command, id uuid.UUID,
	decide func(delivery.State) ([]events.Payload, error), next func(delivery.Key) delivery.Key) (aggregates.Result, error) {
	dry := func(d delivery.State) ([]events.Payload, error) {
		if !d.Exists() || !c.Sees(d.Key.Group) {
			return nil, delivery.None()
		}
		if err := need(c, access.CreateDeliveries); err != nil {
			return nil, err
		}
		if err := s.manageable(ctx, c, d.Key.Group); err != nil {
			return nil, err
		}
		return decide(d)
	}
	for range rekeyTries {
		before, err := aggregates.Load(ctx, s.x, deliveries, c.Org, id)
		if err != nil {
			return aggregates.Result{}, err
		}
		if evs, err := dry(before); err != nil || len(evs) == 0 {
			return aggregates.Execute(ctx, s.x, deliveries, id, cmd, dry)
		}
		res, err := s.rekeyOnce(ctx, cmd, id, before.Key, dry, next)
		if !errors.Is(err, errOtherKey) {
			return res, err
		}
	}
	return aggregates.Result{}, fault.New(fault.Conflict, "stream-busy", "Others keep changing this at the same time; try again.")
}

func (s *Service) rekeyOnce(ctx context.Context, cmd aggregates.Command, id uuid.UUID, was delivery.Key,
	decide func(delivery.State) ([]events.Payload, error), next func(delivery.Key) delivery.Key) (aggregates.Result, error) {
	from, to := was, next(was)
	if to != was {
		if err := s.claims.Move(ctx, cmd, deliveryKey(to), deliveryHolder(id)); err != nil {
			return unlessDone(ctx, s, deliveries, id, cmd, err)
		}
	}
	res, err := aggregates.Execute(ctx, s.x, deliveries, id, cmd, func(d delivery.State) ([]events.Payload, error) {
		from = d.Key
		evs, err := decide(d)
		if err == nil && len(evs) > 0 && next(d.Key) != to {
			return nil, errOtherKey
		}
		return evs, err
	})
	if to == was {
		return res, err
	}
	kept, settleErr := s.settle(ctx, cmd, id, to, from)
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

// revert gives a delivery the key back that it had, because somebody else took
// the new one over while this process stood still between claim and change.
func (s *Service) revert(ctx context.Context, cmd aggregates.Command, id uuid.UUID, from delivery.Key) error {
	cmd = cmd.Then("move back")
	cmd.Actor = events.Actor{Type: events.ActorSystem}
	cmd.Reason = "the D.O. number was taken meanwhile"
	_, known, err := s.details(ctx, cmd.Org, id)
	if err == nil {
		_, err = aggregates.Execute(ctx, s.x, deliveries, id, cmd, func(d delivery.State) ([]events.Payload, error) {
			switch {
			case d.Key.DONumber != from.DONumber || d.Key.Date != from.Date:
				return delivery.Change{Delivery: id, Known: known, DONumber: &from.DONumber, Date: &from.Date}.Decide(d)
			case from.Group == uuid.Nil:
				return delivery.Untag{}.Decide(d)
			default:
				return delivery.Tag{Group: from.Group, Reason: cmd.Reason}.Decide(d)
			}
		})
	}
	s.cfg.Logger.Warn("delivery changed back, because its number was taken over meanwhile", "org", cmd.Org, "delivery", id, "command", cmd.CausationID)
	if err != nil {
		return fmt.Errorf("change delivery %s back: %w", id, err)
	}
	return aggregates.Taken(events.KeyDelivery)
}
