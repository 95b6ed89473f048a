package policies

import (
	"context"

	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/events"
)

// reattempt creates the delivery that attempts another one again. The number is
// claimed for it already.
func (p *Policies) reattempt(ctx context.Context, caller access.Caller, ev events.Event, e *events.DeliveryReattempted) error {
	_, err := p.cfg.Commands.CreateReattempt(ctx, caller, because(ev, "create reattempt"),
		command.CreateReattempt{Delivery: ev.Stream.UUID(), Next: e.Next, Date: e.Date})
	return p.settled(ev.Record, err)
}
