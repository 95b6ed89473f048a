package command

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/client"
	"waybill/events"
	"waybill/events/fault"
)

// story is a client with what its state leaves out: the personal data, and who
// did what. A client's stream is short.
type story struct {
	client.State
	details    client.Details // erased ones are empty
	invited    string         // e-mail of the last invitation
	assignedBy events.Actor   // who named the dispatcher
	approvedBy events.Actor   // who approved last
	states     []client.State // after each of its events
}

// at returns the client as it was after an event of its stream.
func (t story) at(revision uint64) client.State {
	if revision >= uint64(len(t.states)) {
		return t.State
	}
	return t.states[revision]
}

// story reads a client's stream; the zero story for one that does not exist.
func (s *Service) story(ctx context.Context, org, id uuid.UUID) (story, error) {
	const page = 500
	stream := events.Stream(events.CategoryClientAccount, org, id).String()
	var evs []events.Event
	for {
		records, err := s.cfg.Store.Read(ctx, stream, uint64(len(evs)), page)
		if fault.Is(err, fault.NotFound) {
			return story{}, nil
		}
		if err != nil {
			return story{}, fmt.Errorf("read client: %w", err)
		}
		for _, r := range records {
			ev, err := s.cfg.Codec.Decode(r)
			if err != nil {
				return story{}, fmt.Errorf("read client: %w", err)
			}
			evs = append(evs, ev)
		}
		if len(records) < page {
			break
		}
	}
	if err := s.cfg.Codec.Open(ctx, evs); err != nil {
		return story{}, fmt.Errorf("read client: %w", err)
	}
	var t story
	for _, ev := range evs {
		t = t.after(ev)
		t.states = append(t.states, t.State)
	}
	return t, nil
}

func (t story) after(ev events.Event) story {
	t.State = client.Evolve(t.State, ev.Payload)
	switch e := ev.Payload.(type) {
	case *events.ClientAdded:
		t.details = client.Details{BusinessName: e.BusinessName, Contact: e.Contact.Text(), Email: e.Email.Text()}
	case *events.ClientDetailsChanged:
		t.details = detailsOf(e.After)
	case *events.ClientAccountCreated:
		t.details = detailsOf(e.Details)
	case *events.DispatcherAssigned:
		t.assignedBy = ev.Metadata.Actor
	case *events.ClientApprovalGranted:
		t.approvedBy = ev.Metadata.Actor
	case *events.ClientInvited:
		t.invited = e.Email.Text()
	}
	return t
}

func detailsOf(d events.ClientDetails) client.Details {
	return client.Details{BusinessName: d.BusinessName, Contact: d.Contact.Text(), Email: d.Email.Text(), Phone: d.Phone.Text()}
}

// approval is on whose approval a dispatcher sees the client's group: asked for
// by who named the dispatcher, given by the client where that was needed.
func (t story) approval() events.Approval {
	a := events.Approval{RequestedBy: t.assignedBy.ID, Reference: t.Approval}
	if t.Approval != events.ApprovalGranted {
		return a
	}
	a.Reference, a.By = "", t.approvedBy.ID
	if t.approvedBy.Type == events.ActorIdentity && t.approvedBy.ID == t.Identity.String() {
		a.By = t.User.String() // who has become a user by approving
	}
	return a
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
