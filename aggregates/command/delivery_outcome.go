package command

import (
	"context"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/delivery"
	"waybill/events"
	"waybill/events/fault"
)

// CompletePartially says that some of the goods were rejected.
type CompletePartially struct {
	Delivery   uuid.UUID
	OccurredAt time.Time             // zero: not said
	Rejected   []events.RejectedItem // at least one
	Proof      []events.Proof
}

// CompletePartially completes a delivery of which some was rejected. Errors:
// NotFound, Denied, Invalid, Conflict (delivery-status).
func (s *Service) CompletePartially(ctx context.Context, c access.Caller, env Envelope, in CompletePartially) (aggregates.Result, error) {
	return s.updateStatus(ctx, c, env, in.Delivery,
		delivery.CompletePartially{OccurredAt: in.OccurredAt, Rejected: in.Rejected, Proof: in.Proof}.Decide)
}

// CorrectOutcome asks for another outcome of a delivery.
type CorrectOutcome struct {
	Delivery uuid.UUID
	To       string                // events.StatusCompleted, StatusCompletedPartially or StatusFailed
	Rejected []events.RejectedItem // of a partial completion
}

// CorrectOutcome replaces an outcome that was recorded wrongly; the envelope's
// reason is required. Errors: NotFound, Denied, Invalid, Conflict
// (delivery-status).
func (s *Service) CorrectOutcome(ctx context.Context, c access.Caller, env Envelope, in CorrectOutcome) (aggregates.Result, error) {
	return s.updateStatus(ctx, c, env, in.Delivery, delivery.Correct{To: in.To, Rejected: in.Rejected, Reason: env.Reason}.Decide)
}

// Reattempt asks for another attempt at a delivery.
type Reattempt struct {
	Delivery uuid.UUID
	Date     string // YYYY-MM-DD
}

// Reattempt plans another attempt at a delivery that failed or was completed
// partially: as a delivery of its own in the same group, whose id it returns and
// whose D.O. number it claims. A policy creates it. Errors: NotFound, Denied,
// Invalid, Conflict (delivery-status, delivery-reattempted, do-number-taken,
// group-archived).
func (s *Service) Reattempt(ctx context.Context, c access.Caller, env Envelope, in Reattempt) (Created, error) {
	cmd := s.command(c, env)
	out := Created{ID: cmd.Derive("reattempt")}
	decide := func(d delivery.State) ([]events.Payload, error) {
		if !d.Exists() || !c.Sees(d.Key.Group) {
			return nil, delivery.None()
		}
		if err := need(c, access.CreateDeliveries); err != nil {
			return nil, err
		}
		evs, err := delivery.Reattempt{Date: in.Date, Next: out.ID}.Decide(d)
		if err != nil || d.Key.Group == uuid.Nil {
			return evs, err
		}
		_, err = s.usableGroup(ctx, c, d.Key.Group)
		return evs, err
	}
	before, err := aggregates.Load(ctx, s.x, deliveries, c.Org, in.Delivery)
	if err != nil {
		return out, err
	}
	if _, err := decide(before); err != nil {
		out.Result, err = aggregates.Execute(ctx, s.x, deliveries, in.Delivery, cmd, decide)
		return out, err
	}
	key := before.Key
	key.Date = in.Date
	if err := s.claims.Take(ctx, cmd, deliveryKey(key), deliveryHolder(out.ID)); err != nil {
		out.Result, err = unlessDone(ctx, s, deliveries, in.Delivery, cmd, err)
		return out, err
	}
	out.Result, err = aggregates.Execute(ctx, s.x, deliveries, in.Delivery, cmd, decide)
	if err != nil && !fault.Is(err, fault.Unavailable) {
		// Nobody will be born to hold it. Failing that, it is taken over from
		// the unborn when somebody wants it.
		_, _ = s.claims.Settle(ctx, cmd, deliveryKey(key), deliveryHolder(out.ID))
	}
	return out, err
}

// CreateReattempt asks for the delivery that attempts another one again.
type CreateReattempt struct {
	Delivery uuid.UUID // the one before
	Next     uuid.UUID // the new one
	Date     string
}

// CreateReattempt makes the delivery that was planned by [Service.Reattempt], in
// the group where the one before is now; the policy issues it. Nothing happens
// when it is there. Errors: NotFound, Conflict (do-number-taken,
// creation-abandoned).
func (s *Service) CreateReattempt(ctx context.Context, c access.Caller, env Envelope, in CreateReattempt) (aggregates.Result, error) {
	if !c.System {
		return aggregates.Result{}, fault.New(fault.Denied, "system-only", "Only waybill itself does this.")
	}
	next, err := aggregates.Peek(ctx, s.x, deliveries, c.Org, in.Next)
	if err != nil || next.Born() {
		return aggregates.Result{}, err
	}
	before, known, err := s.details(ctx, c.Org, in.Delivery)
	if err != nil {
		return aggregates.Result{}, err
	}
	before.Next = in.Next
	create := before.Again(in.Delivery, in.Date, known)
	if _, err := create.Decide(next); err != nil {
		return aggregates.Result{}, err
	}
	cmd := s.command(c, env)
	if err := s.claims.Take(ctx, cmd, deliveryKey(create.Key()), deliveryHolder(in.Next)); err != nil {
		return aggregates.Result{}, err
	}
	return aggregates.Create(ctx, s.x, deliveries, in.Next, cmd, create.Decide)
}
