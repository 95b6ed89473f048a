package command

import (
	"context"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/client"
	"waybill/aggregates/user"
	"waybill/events"
	"waybill/events/fault"
)

// What follows from an event of a client in other streams is decided from what
// the client is by then, so that whoever follows late or twice does no harm: a
// later event has consequences of its own.

// followUp has done what follows from a command's events, so that it is there with
// the answer. What fails or is cut short is done by the policies, with the same
// command ids.
func (s *Service) followUp(ctx context.Context, id uuid.UUID, res aggregates.Result) aggregates.Result {
	if res.Events == 0 {
		return res
	}
	records, err := s.cfg.Store.Read(ctx, res.Stream.String(), res.Revision+1-uint64(res.Events), res.Events)
	for _, r := range records {
		var ev events.Event
		var after aggregates.Result
		if ev, err = s.cfg.Codec.Decode(r); err != nil {
			break
		}
		if after, err = s.FollowClient(ctx, access.System(res.Stream.Org), ev); err != nil {
			break
		}
		if after.Stream == res.Stream {
			res.Revision = max(res.Revision, after.Revision)
		}
		if after.Position.After(res.Position) {
			res.Position = after.Position
		}
	}
	if err != nil {
		s.cfg.Logger.InfoContext(ctx, "what follows from a command is left to the policies", "client", id, "error", err)
	}
	return res
}

// FollowClient does what follows from an event of a client, but for the logins of
// its people besides the contact (see [Service.EndClientLogin]). It is for
// policies. Errors: NotFound, Conflict when it is not possible any more.
func (s *Service) FollowClient(ctx context.Context, c access.Caller, ev events.Event) (aggregates.Result, error) {
	if !c.System {
		return aggregates.Result{}, systemOnly()
	}
	f := follow{s: s, cause: ev, org: ev.Stream.Org, client: ev.Stream.UUID()}
	switch e := ev.Payload.(type) {
	case *events.ClientAccountCreated:
		return f.all(ctx, f.addContact, f.atOnce(e), f.notice(e))
	case *events.ClientApprovalGranted, *events.ClientGroupLinked:
		return f.all(ctx, f.dispatcher(uuid.Nil, ""))
	case *events.ClientApprovalWithdrawn:
		return f.all(ctx, f.dispatcher(uuid.Nil, "client_approval_withdrawn"))
	case *events.DispatcherAssigned:
		return f.all(ctx, f.dispatcher(e.From, "dispatcher_replaced"), f.dispatcher(e.To, ""), f.unfit(e.To))
	case *events.DispatcherUnassigned:
		return f.all(ctx, f.dispatcher(e.From, "dispatcher_unassigned"))
	case *events.ClientRemoved:
		return f.all(ctx, f.dispatcher(uuid.Nil, "client_removed"), f.endContact)
	case *events.ClientReinstated:
		return f.all(ctx, f.restoreContact, f.dispatcher(uuid.Nil, ""))
	}
	return aggregates.Result{}, nil
}

// follow is what follows from one event of a client.
type follow struct {
	s           *Service
	cause       events.Event
	org, client uuid.UUID
}

type step func(context.Context) (aggregates.Result, error)

// all takes the steps one after the other. One that is not possible does not keep
// the next ones from being taken.
func (f follow) all(ctx context.Context, steps ...step) (aggregates.Result, error) {
	var last aggregates.Result
	var failed error
	for _, do := range steps {
		res, err := do(ctx)
		if err != nil {
			if failed == nil || !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Conflict) {
				failed = err // one that a retry may cure comes first
			}
			continue
		}
		last = last.Later(res)
	}
	return last, failed
}

// command returns the command of a step: its id is derived from the event, which
// is its causation.
func (f follow) command(step string) aggregates.Command {
	return f.s.command(access.System(f.org), Envelope{
		CommandID:     uuid.NewSHA1(f.cause.Record.ID, []byte(step)),
		CorrelationID: f.cause.Metadata.CorrelationID,
		CausationID:   f.cause.Record.ID,
	})
}

// atOnce gives the dispatcher of an account that needed no approval its access;
// otherwise that follows from the approval.
func (f follow) atOnce(e *events.ClientAccountCreated) step {
	if e.Mode != events.ModeOnBehalf {
		return func(context.Context) (aggregates.Result, error) { return aggregates.Result{}, nil }
	}
	return f.dispatcher(uuid.Nil, "")
}

// notice records that the client is told of its account.
func (f follow) notice(e *events.ClientAccountCreated) step {
	return func(ctx context.Context) (aggregates.Result, error) {
		if e.Mode != events.ModeOnBehalf {
			return aggregates.Result{}, nil
		}
		return aggregates.Execute(ctx, f.s.x, clients, f.client, f.command("notice"), client.Notify{Kind: events.NoticeAccountCreated}.Decide)
	}
}

// addContact makes the contact of a new account a user.
func (f follow) addContact(ctx context.Context) (aggregates.Result, error) {
	t, err := f.s.story(ctx, f.org, f.client)
	if err != nil {
		return aggregates.Result{}, err
	}
	if t.Mode == "" || t.IsRemoved {
		return aggregates.Result{}, nil
	}
	cmd := f.command("contact")
	add := user.AddContact{
		User: t.User, Identity: t.Identity, Name: t.details.Contact, Email: t.details.Email, Client: f.client, Group: t.Group,
		Grant: cmd.Derive("grant"), Invitation: cmd.Derive("invitation"), InvitationExpires: f.s.invitationEnd(cmd),
		Accepted: t.Mode == events.ModeInvited, At: cmd.At,
	}
	if add.Name == "" {
		add.Name = t.details.BusinessName
	}
	if add.Accepted {
		add.Invitation, add.PasswordSet = t.Accepted, t.PasswordSet
	}
	u, err := aggregates.Load(ctx, f.s.x, users, f.org, t.User)
	if err != nil {
		return aggregates.Result{}, err
	}
	if u.Exists() {
		return aggregates.Execute(ctx, f.s.x, users, t.User, cmd, add.Decide)
	}
	holder := aggregates.Holder{Category: events.CategoryUser, ID: t.User}
	if err := f.s.claims.Take(ctx, cmd, emailKey(add.Email), holder); err != nil {
		return aggregates.Result{}, err
	}
	return aggregates.Create(ctx, f.s.x, users, t.User, cmd, add.Decide)
}

// dispatcher gives a user sight of the client's group when it looks after the
// client and may work for it, and takes it back when not. The zero user is
// whoever looks after the client.
func (f follow) dispatcher(id uuid.UUID, reason string) step {
	return func(ctx context.Context) (aggregates.Result, error) {
		t, err := aggregates.Load(ctx, f.s.x, clients, f.org, f.client)
		if err != nil {
			return aggregates.Result{}, err
		}
		if id == uuid.Nil {
			id = t.Dispatcher
		}
		if id == uuid.Nil {
			return aggregates.Result{}, nil
		}
		cmd := f.command("dispatcher " + id.String())
		switch {
		case t.EntitledTo() != id:
			return f.takeBack(ctx, cmd, id, reason)
		case t.Entitled > f.cause.Record.Revision+1:
			return aggregates.Result{}, nil // a later event gave it the right, and what it causes gives it the sight
		}
		return f.entitle(ctx, cmd, id, t)
	}
}

// unfit leaves the client to the owners again when whom it was given to was blocked
// or removed at the same moment, or can look after clients no longer.
func (f follow) unfit(id uuid.UUID) step {
	return func(ctx context.Context) (aggregates.Result, error) {
		u, err := aggregates.Load(ctx, f.s.x, users, f.org, id)
		if err != nil || mayLookAfter(u) {
			return aggregates.Result{}, err
		}
		cmd := f.command("unfit dispatcher")
		cmd.Reason = "dispatcher_" + u.Status
		return aggregates.Execute(ctx, f.s.x, clients, f.client, cmd, client.UnassignDispatcher{From: id}.Decide)
	}
}

// entitle gives a user sight of what is the client's, and takes it back should the
// right to it have ended meanwhile.
func (f follow) entitle(ctx context.Context, cmd aggregates.Command, id uuid.UUID, t client.State) (aggregates.Result, error) {
	var err error
	if cmd.Approval, err = f.s.approval(ctx, f.org, f.client, t); err != nil {
		return aggregates.Result{}, err
	}
	res, err := f.giveSight(ctx, cmd, id, t)
	if err != nil {
		return res, err
	}
	// Whatever ended it meanwhile may have found nothing to take back.
	now, err := aggregates.Load(ctx, f.s.x, clients, f.org, f.client)
	if err != nil || now.EntitledTo() == id {
		return res, err
	}
	return f.takeBack(ctx, cmd.Then("take back"), id, "dispatcher_unassigned")
}

// ShowToDispatcher gives the dispatcher of a client sight of its group when an
// event of the dispatcher itself has left it without, as the end of its access to
// all groups does. For anybody who does not look after the client it does nothing.
// It is for policies. Errors: NotFound, Conflict when it is not possible any more.
func (s *Service) ShowToDispatcher(ctx context.Context, c access.Caller, ev events.Event, clientID uuid.UUID) (aggregates.Result, error) {
	if !c.System {
		return aggregates.Result{}, systemOnly()
	}
	f, dispatcher := follow{s: s, cause: ev, org: ev.Stream.Org, client: clientID}, ev.Stream.UUID()
	t, err := aggregates.Load(ctx, s.x, clients, f.org, clientID)
	if err != nil || t.EntitledTo() != dispatcher {
		return aggregates.Result{}, err
	}
	return f.entitle(ctx, f.command("dispatcher of "+clientID.String()), dispatcher, t)
}

func (f follow) giveSight(ctx context.Context, cmd aggregates.Command, id uuid.UUID, t client.State) (aggregates.Result, error) {
	g, err := aggregates.Load(ctx, f.s.x, groups, f.org, t.Group)
	if err != nil {
		return aggregates.Result{}, err
	}
	if err := g.Usable(); err != nil {
		return aggregates.Result{}, err
	}
	grant := user.GrantGroup{Grant: cmd.Derive("grant"), Group: t.Group, Basis: events.BasisDispatcherAssignment, Origin: f.client.String(), At: cmd.At}
	return aggregates.Execute(ctx, f.s.x, users, id, cmd, func(u user.State) ([]events.Payload, error) {
		switch {
		case !u.Exists():
			return nil, user.None()
		case u.All, u.Status != user.Active && u.Status != user.Invited:
			return nil, nil // needs none, or can have none
		}
		return grant.Decide(u)
	})
}

func (f follow) takeBack(ctx context.Context, cmd aggregates.Command, id uuid.UUID, reason string) (aggregates.Result, error) {
	cmd.Reason, cmd.Approval = reason, events.Approval{}
	end := user.EndSource{Basis: events.BasisDispatcherAssignment, Origin: f.client.String(), At: cmd.At}
	return aggregates.Execute(ctx, f.s.x, users, id, cmd, end.Decide)
}
