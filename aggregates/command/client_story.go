package command

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/client"
	"waybill/events"
	"waybill/events/fault"
)

// story is a client with the personal data that its state leaves out.
type story struct {
	client.State
	details client.Details // erased ones are empty
}

// story returns a client; the zero story for one that does not exist. It costs
// the same however long the client's stream has become, for who may write to it
// may do so without end.
func (s *Service) story(ctx context.Context, org, id uuid.UUID) (story, error) {
	t, err := aggregates.Load(ctx, s.x, clients, org, id)
	if err != nil || t.Details == 0 {
		return story{State: t}, err
	}
	ev, err := s.clientEvent(ctx, org, id, t.Details)
	if err != nil {
		return story{}, err
	}
	switch e := ev.Payload.(type) {
	case *events.ClientAdded:
		return story{t, client.Details{BusinessName: e.BusinessName, Contact: e.Contact.Text(), Email: e.Email.Text()}}, nil
	case *events.ClientDetailsChanged:
		return story{t, detailsOf(e.After)}, nil
	case *events.ClientAccountCreated:
		return story{t, detailsOf(e.Details)}, nil
	}
	return story{}, fmt.Errorf("client %s: a %s says who it is", id, ev.Record.Type)
}

// clientEvent reads one event of a client, by its number from 1, personal data
// opened.
func (s *Service) clientEvent(ctx context.Context, org, id uuid.UUID, number uint64) (events.Event, error) {
	records, err := s.cfg.Store.Read(ctx, events.Stream(events.CategoryClientAccount, org, id).String(), number-1, 1)
	if err == nil && len(records) == 0 {
		err = fault.New(fault.NotFound, "", "no such event")
	}
	if err != nil {
		return events.Event{}, fmt.Errorf("read event %d of client %s: %w", number, id, err)
	}
	ev, err := s.cfg.Codec.Decode(records[0])
	if err != nil {
		return events.Event{}, fmt.Errorf("read client: %w", err)
	}
	evs := []events.Event{ev}
	if err := s.cfg.Codec.Open(ctx, evs); err != nil {
		return events.Event{}, fmt.Errorf("read client: %w", err)
	}
	return evs[0], nil
}

func detailsOf(d events.ClientDetails) client.Details {
	return client.Details{BusinessName: d.BusinessName, Contact: d.Contact.Text(), Email: d.Email.Text(), Phone: d.Phone.Text()}
}

// invited returns the e-mail of a client's last invitation; empty when there is
// none, or it was erased.
func (s *Service) invited(ctx context.Context, org, id uuid.UUID, t client.State) (string, error) {
	if t.Invited == 0 {
		return "", nil
	}
	ev, err := s.clientEvent(ctx, org, id, t.Invited)
	if err != nil {
		return "", err
	}
	e, ok := ev.Payload.(*events.ClientInvited)
	if !ok {
		return "", fmt.Errorf("client %s: a %s is taken for its invitation", id, ev.Record.Type)
	}
	return e.Email.Text(), nil
}

// approval is on whose approval a dispatcher sees the client's group: asked for
// by who named the dispatcher, given by the client where that was needed.
func (s *Service) approval(ctx context.Context, org, id uuid.UUID, t client.State) (events.Approval, error) {
	a := events.Approval{Reference: t.Approval}
	if t.Assigned != 0 {
		ev, err := s.clientEvent(ctx, org, id, t.Assigned)
		if err != nil {
			return a, err
		}
		a.RequestedBy = person(ev.Metadata)
	}
	if t.Approval != events.ApprovalGranted || len(t.Approved) == 0 {
		return a, nil
	}
	ev, err := s.clientEvent(ctx, org, id, t.Approved[len(t.Approved)-1])
	if err != nil {
		return a, err
	}
	a.Reference, a.By = "", person(ev.Metadata)
	if by := ev.Metadata.Actor; by.Type == events.ActorIdentity && by.ID == t.Identity.String() {
		a.By = t.User.String() // who has become a user by approving
	}
	return a, nil
}

// person returns who did something, also when it was by a machine on somebody's
// behalf.
func person(m events.Metadata) string {
	if user, ok := strings.CutPrefix(m.OnBehalfOf, events.ActorUser+":"); ok && m.Actor.Type == events.ActorAPIKey {
		return user
	}
	return m.Actor.ID
}

// seesClient reports whether the caller sees a client (rule R7).
func seesClient(c access.Caller, s client.State) bool {
	return s.Exists() && (c.Sees(s.Group) || c.LooksAfter(s.Dispatcher))
}

// mayManage refuses a client that the caller does not see or may not change.
func mayManage(c access.Caller, s client.State) error {
	if !seesClient(c, s) {
		return client.None()
	}
	return need(c, access.ManageClients)
}

// onClient executes a command on a client that the caller sees and may change,
// and has what follows from it done.
func (s *Service) onClient(ctx context.Context, c access.Caller, cmd aggregates.Command, id uuid.UUID,
	decide func(client.State) ([]events.Payload, error)) (aggregates.Result, error) {
	res, err := aggregates.Execute(ctx, s.x, clients, id, cmd, func(t client.State) ([]events.Payload, error) {
		if err := mayManage(c, t); err != nil {
			return nil, err
		}
		return decide(t)
	})
	if err != nil {
		return res, err
	}
	return s.followUp(ctx, id, res), nil
}
