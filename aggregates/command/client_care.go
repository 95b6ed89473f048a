package command

import (
	"context"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/client"
	"waybill/aggregates/group"
	"waybill/events"
	"waybill/events/fault"
)

// WithdrawClientApproval ends that the organisation manages the client's
// deliveries. Only the client's own people may: who sees its group because of its
// account. Errors: NotFound, Denied, Conflict (client-has-no-account,
// client-removed).
func (s *Service) WithdrawClientApproval(ctx context.Context, c access.Caller, env Envelope, id uuid.UUID) (aggregates.Result, error) {
	return s.byClient(ctx, c, env, id, client.WithdrawApproval{}.Decide)
}

// approvalsPerDay is how often an approval is given within a day: each one changes
// what others see and is kept for ever. Withdrawing it is always possible.
const approvalsPerDay = client.ApprovalsKept

// GrantClientApproval lets the organisation manage the client's deliveries
// again. Only the client's own people may, and not without end. Errors: NotFound,
// Denied, Conflict (client-has-no-account, client-removed, approved-too-often).
func (s *Service) GrantClientApproval(ctx context.Context, c access.Caller, env Envelope, id uuid.UUID) (aggregates.Result, error) {
	return s.byClient(ctx, c, env, id, func(t client.State) ([]events.Payload, error) {
		evs, err := client.GrantApproval{}.Decide(t)
		if err != nil || len(evs) == 0 || len(t.Approved) < approvalsPerDay {
			return evs, err
		}
		oldest, err := s.clientEvent(ctx, c.Org, id, t.Approved[0])
		if err != nil {
			return nil, err
		}
		if again := oldest.Metadata.RecordedAt.AddDate(0, 0, 1); s.x.Now().Before(again) {
			return nil, fault.New(fault.Conflict, "approved-too-often",
				"The approval was given %d times within a day. Give it again after %s.", approvalsPerDay, again.Format(time.RFC3339))
		}
		return evs, nil
	})
}

// byClient executes a command that only a client's own people may give: customers
// who see its group, and not everything, because of its account. Whom the
// organisation merely lets see the group does not speak for the client.
func (s *Service) byClient(ctx context.Context, c access.Caller, env Envelope, id uuid.UUID,
	decide func(client.State) ([]events.Payload, error)) (aggregates.Result, error) {
	res, err := aggregates.Execute(ctx, s.x, clients, id, s.command(c, env), func(t client.State) ([]events.Payload, error) {
		switch {
		case !seesClient(c, t):
			return nil, client.None()
		case c.Role != access.RoleCustomer || c.SeesAll() || c.System:
			return nil, clientOnly()
		}
		own, err := s.isClients(ctx, c, id, t)
		switch {
		case err != nil:
			return nil, err
		case !own:
			return nil, clientOnly()
		}
		return decide(t)
	})
	if err != nil {
		return res, err
	}
	return s.followUp(ctx, id, res), nil
}

func clientOnly() error {
	return fault.New(fault.Denied, "client-only", "Only the client's own people may do this.")
}

// isClients reports whether the caller is the contact of a client's account, or
// sees its group by an open grant that comes of that account.
func (s *Service) isClients(ctx context.Context, c access.Caller, id uuid.UUID, t client.State) (bool, error) {
	if c.User == uuid.Nil {
		return false, nil
	}
	if c.User == t.User {
		return true, nil
	}
	u, err := aggregates.Load(ctx, s.x, users, c.Org, c.User)
	return u.Holds(t.Group, events.BasisClientAccount, id.String(), s.x.Now()), err
}

// AssignDispatcher asks for a user to look after a client.
type AssignDispatcher struct{ Client, Dispatcher uuid.UUID }

// AssignDispatcher names who looks after a client, instead of whoever did.
// Errors: NotFound (client, user), Denied, Invalid, Conflict (client-removed).
func (s *Service) AssignDispatcher(ctx context.Context, c access.Caller, env Envelope, in AssignDispatcher) (aggregates.Result, error) {
	cmd := s.command(c, env)
	return s.onClient(ctx, c, cmd, in.Client, func(t client.State) ([]events.Payload, error) {
		if t.Group != uuid.Nil && !c.Sees(t.Group) {
			return nil, notConferrable()
		}
		if t.Group != uuid.Nil {
			if err := mayLastForEver(c, t.Group); err != nil {
				return nil, err
			}
		}
		if err := s.dispatcher(ctx, c, cmd, in.Dispatcher); err != nil {
			return nil, err
		}
		return client.AssignDispatcher{To: in.Dispatcher}.Decide(t)
	})
}

// UnassignDispatcher leaves a client to the owners. Errors: NotFound, Denied.
func (s *Service) UnassignDispatcher(ctx context.Context, c access.Caller, env Envelope, id uuid.UUID) (aggregates.Result, error) {
	return s.onClient(ctx, c, s.command(c, env), id, client.UnassignDispatcher{}.Decide)
}

// ReleaseClient leaves a client to the owners because its dispatcher was blocked
// or removed; it does nothing when somebody else looks after it by now. It is for
// policies. Errors: NotFound.
func (s *Service) ReleaseClient(ctx context.Context, c access.Caller, env Envelope, id, dispatcher uuid.UUID) (aggregates.Result, error) {
	if !c.System {
		return aggregates.Result{}, systemOnly()
	}
	return s.onClient(ctx, c, s.command(c, env), id, client.UnassignDispatcher{From: dispatcher}.Decide)
}

// RemoveClient asks for a client to be taken out of the list.
type RemoveClient struct {
	Client uuid.UUID
	Fate   string // of its people: events.FateKeptByClient, events.FateEnded; empty: as the account came to be
}

// RemoveClient removes a client. Errors: NotFound, Denied, Invalid, Conflict
// (client-removed).
func (s *Service) RemoveClient(ctx context.Context, c access.Caller, env Envelope, in RemoveClient) (aggregates.Result, error) {
	return s.onClient(ctx, c, s.command(c, env), in.Client, client.Remove{Fate: in.Fate}.Decide)
}

// ReinstateClient brings a removed client back to the state before. Of the logins
// that ended, its contact's works again. A group that was archived meanwhile is
// restored first, or else nobody could be given it back. Errors: NotFound, Denied,
// Conflict (group-archived).
func (s *Service) ReinstateClient(ctx context.Context, c access.Caller, env Envelope, id uuid.UUID) (aggregates.Result, error) {
	return s.onClient(ctx, c, s.command(c, env), id, func(t client.State) ([]events.Payload, error) {
		evs, err := client.Reinstate{}.Decide(t)
		if err != nil || len(evs) == 0 || t.Group == uuid.Nil {
			return evs, err
		}
		g, err := aggregates.Load(ctx, s.x, groups, c.Org, t.Group)
		if err == nil {
			err = g.Usable()
		}
		return evs, err
	})
}

// manageable refuses work on the deliveries of a group whose client has withdrawn
// its approval or was removed, as of now. Whatever waybill finishes by itself goes
// on.
func (s *Service) manageable(ctx context.Context, c access.Caller, id uuid.UUID) error {
	if id == uuid.Nil || c.System {
		return nil
	}
	g, err := aggregates.Load(ctx, s.x, groups, c.Org, id)
	if err != nil || g.Client == uuid.Nil {
		return err
	}
	return s.manageableOf(ctx, c, g)
}

func (s *Service) manageableOf(ctx context.Context, c access.Caller, g group.State) error {
	if g.Client == uuid.Nil || c.System {
		return nil
	}
	t, err := aggregates.Load(ctx, s.x, clients, c.Org, g.Client)
	if err == nil && !t.Manageable() {
		err = fault.New(fault.Conflict, "client-not-managed",
			"The deliveries of the group %q are not managed here: its client has withdrawn its approval, or was removed.", g.Name)
	}
	return err
}
