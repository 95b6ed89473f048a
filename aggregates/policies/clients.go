package policies

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/events"
	"waybill/events/consume"
)

// ClientsName is the name of [Clients] as a consumer.
const ClientsName = "clients"

// ClientsPrefixes are the stream prefixes that [Clients] follows.
func ClientsPrefixes() []string {
	return []string{events.CategoryClientAccount + "-", events.CategoryUser + "-"}
}

// ClientCommands are what follows from events of clients; [command.Service] has
// them.
type ClientCommands interface {
	FollowClient(ctx context.Context, c access.Caller, ev events.Event) (aggregates.Result, error)
	ShowToDispatcher(ctx context.Context, c access.Caller, ev events.Event, client uuid.UUID) (aggregates.Result, error)
	EndClientLogin(ctx context.Context, c access.Caller, env command.Envelope, client, user uuid.UUID) (aggregates.Result, error)
	ReleaseClient(ctx context.Context, c access.Caller, env command.Envelope, client, dispatcher uuid.UUID) (aggregates.Result, error)
}

// ClientSight knows the people around clients. It answers only once it knows
// everything up to a position of the log.
type ClientSight interface {
	// People returns the users who saw a client's group at the position, by a
	// grant.
	People(ctx context.Context, org, client uuid.UUID, before events.Position) ([]uuid.UUID, error)

	// LookedAfter returns the clients whose dispatcher a user is.
	LookedAfter(ctx context.Context, org, dispatcher uuid.UUID, before events.Position) ([]uuid.UUID, error)
}

// ClientSessions ends sessions and API keys; [access.Service] does.
type ClientSessions interface {
	EndSessionsOf(ctx context.Context, org, user uuid.UUID) error
	EndSessionsUntil(ctx context.Context, org, user uuid.UUID, at time.Time) error
}

// ClientsConfig says what [Clients] works with.
type ClientsConfig struct {
	Commands ClientCommands // required
	Codec    *events.Codec  // required
	Sight    ClientSight    // required
	Sessions ClientSessions // required

	// Logger defaults to discarding.
	Logger *slog.Logger
}

// Clients reacts to what happens to clients and their dispatchers: an account's
// contact becomes a user, dispatchers see the groups they look after as long as
// they may, also when they cease to see everything, logins end with the client, and
// clients of a dispatcher who is blocked or removed, or may be one no longer, are
// left to the owners.
type Clients struct{ cfg ClientsConfig }

// NewClients returns the policy.
func NewClients(cfg ClientsConfig) (*Clients, error) {
	if cfg.Commands == nil || cfg.Codec == nil || cfg.Sight == nil || cfg.Sessions == nil {
		return nil, errors.New("policies: ClientsConfig.Commands, Codec, Sight and Sessions are required")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Clients{cfg}, nil
}

// Handle reacts to the events of a run. It is a [consume.Config.Handler] and
// folds nothing into the run's unit.
func (p *Clients) Handle(ctx context.Context, run *consume.Run) error {
	for _, r := range run.Records {
		if err := p.react(ctx, r); err != nil {
			return fmt.Errorf("react to %s at %s@%d: %w", r.Type, r.Stream, r.Revision, err)
		}
	}
	return nil
}

func (p *Clients) react(ctx context.Context, r events.Record) error {
	switch r.Type {
	case "ClientAccountCreated", "ClientApprovalGranted", "ClientApprovalWithdrawn", "ClientGroupLinked",
		"DispatcherAssigned", "DispatcherUnassigned", "ClientRemoved", "ClientReinstated", "UserBlocked", "UserRemoved",
		"UserRoleChanged", "AllGroupsAccessRevoked":
	default:
		return nil // most events; not even decoded
	}
	ev, err := p.cfg.Codec.Decode(r)
	if err != nil {
		return consume.Permanent(err)
	}
	switch e := ev.Payload.(type) {
	case *events.UserBlocked:
		return p.left(ctx, ev, "dispatcher_blocked")
	case *events.UserRemoved:
		return p.left(ctx, ev, "dispatcher_removed")
	case *events.UserRoleChanged:
		if e.To != access.RoleCustomer && e.To != access.RoleAuditor {
			return nil
		}
		return p.released(ctx, ev, "dispatcher_role_changed")
	case *events.AllGroupsAccessRevoked:
		if e.Cause == events.CauseUserRemoved || e.Cause == events.CauseAccessReview {
			return nil // what a review takes away it takes away altogether
		}
		return p.narrowed(ctx, ev)
	case *events.ClientRemoved:
		if err := p.follow(ctx, ev); err != nil || e.Fate != events.FateEnded {
			return err
		}
		return p.endLogins(ctx, ev)
	}
	return p.follow(ctx, ev)
}

func (p *Clients) follow(ctx context.Context, ev events.Event) error {
	_, err := p.cfg.Commands.FollowClient(ctx, access.System(ev.Metadata.Org), ev)
	return settled(p.cfg.Logger, ev.Record, err)
}

// left ends the sessions and API keys of a blocked or removed user, whoever blocked
// it and wherever that stopped half-way, so that none comes back with the user; and
// its clients are left to the owners.
func (p *Clients) left(ctx context.Context, ev events.Event, reason string) error {
	if err := p.cfg.Sessions.EndSessionsUntil(ctx, ev.Metadata.Org, ev.Stream.UUID(), ev.Metadata.RecordedAt); err != nil {
		return err
	}
	return p.released(ctx, ev, reason)
}

// narrowed lets a user who does not see everything any more see the groups of the
// clients that it looks after.
func (p *Clients) narrowed(ctx context.Context, ev events.Event) error {
	caller, user := access.System(ev.Metadata.Org), ev.Stream.UUID()
	looked, err := p.cfg.Sight.LookedAfter(ctx, caller.Org, user, ev.Record.Position)
	if err != nil {
		return fmt.Errorf("clients of dispatcher %s: %w", user, err)
	}
	for _, id := range looked {
		_, err := p.cfg.Commands.ShowToDispatcher(ctx, caller, ev, id)
		if err := settled(p.cfg.Logger, ev.Record, err); err != nil {
			return err
		}
	}
	return nil
}

// released leaves the clients of somebody who is no dispatcher any more to the
// owners.
func (p *Clients) released(ctx context.Context, ev events.Event, reason string) error {
	caller, user := access.System(ev.Metadata.Org), ev.Stream.UUID()
	looked, err := p.cfg.Sight.LookedAfter(ctx, caller.Org, user, ev.Record.Position)
	if err != nil {
		return fmt.Errorf("clients of dispatcher %s: %w", user, err)
	}
	for _, id := range looked {
		env := because(ev, "release client "+id.String())
		env.Reason = reason
		_, err := p.cfg.Commands.ReleaseClient(ctx, caller, env, id, user)
		if err := settled(p.cfg.Logger, ev.Record, err); err != nil {
			return err
		}
	}
	return nil
}

// endLogins ends the logins of a removed client's people. Whoever keeps none of
// them keeps no session either.
func (p *Clients) endLogins(ctx context.Context, ev events.Event) error {
	caller, id := access.System(ev.Metadata.Org), ev.Stream.UUID()
	people, err := p.cfg.Sight.People(ctx, caller.Org, id, ev.Record.Position)
	if err != nil {
		return fmt.Errorf("people of client %s: %w", id, err)
	}
	for _, user := range people {
		res, err := p.cfg.Commands.EndClientLogin(ctx, caller, because(ev, "end login "+user.String()), id, user)
		if err := settled(p.cfg.Logger, ev.Record, err); err != nil {
			return err
		}
		if err != nil || res.Events == 0 {
			continue
		}
		if err := p.cfg.Sessions.EndSessionsOf(ctx, caller.Org, user); err != nil {
			return err
		}
	}
	return nil
}
