package commandapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/aggregates/user"
	"waybill/events"
	"waybill/events/fault"
)

// refusals records attempts to accept an invitation that were turned away, beside
// the answer: neither what is answered nor when tells that the token is good. How
// many are recorded at a time is bounded, and so is each one's time; what is beyond
// is dropped, for it is said already that somebody tries.
type refusals struct {
	api   *api
	slots chan struct{}
}

const (
	refusalsAtOnce = 8
	refusalTime    = 5 * time.Second
)

func newRefusals(a *api) *refusals {
	return &refusals{a, make(chan struct{}, refusalsAtOnce)}
}

// take records what SetPassword refused, if it was another e-mail than the invited
// one. It does not wait.
func (f *refusals) take(r *http.Request, email string, err error) {
	var wrong *access.WrongEmail
	if !errors.As(err, &wrong) || wrong.Ticket.Purpose != access.PurposeInvitation {
		return
	}
	select {
	case f.slots <- struct{}{}:
	default:
		return
	}
	ctx, source := context.WithoutCancel(r.Context()), access.SourceOf(r)
	go func() {
		defer func() { <-f.slots }()
		ctx, cancel := context.WithTimeout(ctx, refusalTime)
		defer cancel()
		if err := f.record(ctx, wrong.Ticket, email, source); err != nil {
			f.api.cfg.Logger.WarnContext(ctx, "a refused acceptance was not recorded", "user", wrong.Ticket.User, "error", err)
		}
	}()
}

func (f *refusals) record(ctx context.Context, t access.Ticket, email string, source events.Source) error {
	_, called, err := f.api.cfg.Access.Unproven(ctx, email)
	if err != nil {
		return err
	}
	who := access.System(t.Org) // who tried has proved nothing
	who.Actor, who.Source = called, source
	_, err = f.api.cfg.Commands.RefuseInvitation(ctx, who, command.Envelope{CommandID: f.api.cfg.NewID()},
		command.RefuseInvitation{User: t.User, Invitation: t.Invitation, Cause: user.CauseEmailMismatch})
	if fault.Is(err, fault.Conflict) || fault.Is(err, fault.NotFound) { // withdrawn a moment ago
		return nil
	}
	return err
}
