package consume

import (
	"context"

	"github.com/ThreeDotsLabs/watermill/message"

	"waybill/events"
)

// deliver has a run folded and starts its commit. A run that is refused is
// halved until one event is left, so that the Router's middleware sees exactly
// the culprit.
func (s *session) deliver(run *Run) error {
	run.setAside(s.parked)
	run.Unit = s.cfg.Log.Begin()
	for tries := 1; ; tries++ {
		folded, err := s.offer(run)
		if err != nil {
			return err
		}
		if folded {
			return s.commit(run)
		}
		if len(run.Records) > 1 && !run.outage {
			s.metrics.splits.Inc()
			left, right := run.split()
			if err := s.deliver(left); err != nil {
				return err
			}
			return s.deliver(right)
		}
		if !s.cfg.backoff().Wait(s.ctx, tries) {
			return s.because(s.ctx.Err())
		}
	}
}

// offer sends a run through the Router once and reports whether it was folded.
func (s *session) offer(run *Run) (folded bool, err error) {
	ctx, cancel := context.WithCancel(withRun(s.ctx, run))
	defer cancel()
	msg := runMessage(ctx, run)
	select {
	case s.out <- msg:
	case <-s.ctx.Done():
		return false, s.because(nil)
	}
	// Also after the end of the session: the handler must be done with the unit
	// before anybody else gets one. It notices by its context.
	select {
	case <-msg.Acked():
		folded = true
	case <-msg.Nacked():
	}
	return folded, s.because(nil)
}

// runMessage makes the message that carries a run. That of a single event is an
// ordinary one, with the event's properties and data.
func runMessage(ctx context.Context, run *Run) *message.Message {
	if len(run.Records) == 1 {
		msg := eventMessage(run.Records[0])
		msg.SetContext(ctx)
		return msg
	}
	return message.NewMessageWithContext(ctx, run.After.String()+".."+run.Last.String(), nil)
}

// eventMessage makes the message of one event.
func eventMessage(rec events.Record) *message.Message {
	msg := message.NewMessage(rec.ID.String(), rec.Data)
	restoreMetadata(msg, rec)
	return msg
}
