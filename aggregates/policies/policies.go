package policies

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/golang-lru/v2/simplelru"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/events"
	"waybill/events/consume"
)

// Name is the policies' name as a consumer.
const Name = "policies"

// Prefixes are the stream prefixes that the policies follow.
func Prefixes() []string {
	return []string{events.CategoryGroup + "-", events.CategoryUser + "-", events.CategoryDelivery + "-"}
}

// Commands are what policies issue; [command.Service] has them.
type Commands interface {
	LinkGroupOf(ctx context.Context, c access.Caller, env command.Envelope, group, client uuid.UUID) (aggregates.Result, error)
	IsOwner(ctx context.Context, c access.Caller, user uuid.UUID) (bool, error)
	RecordOwner(ctx context.Context, c access.Caller, env command.Envelope, user uuid.UUID) (aggregates.Result, error)
	EndGrant(ctx context.Context, c access.Caller, env command.Envelope, in command.EndGrant) (aggregates.Result, error)
	CreateReattempt(ctx context.Context, c access.Caller, env command.Envelope, in command.CreateReattempt) (aggregates.Result, error)
	IsMerged(ctx context.Context, c access.Caller, group uuid.UUID) (bool, error)
	MoveMerged(ctx context.Context, c access.Caller, env command.Envelope, in command.MoveMerged) (aggregates.Result, error)
	SettleName(ctx context.Context, c access.Caller, env command.Envelope, in command.SettleName) error
}

// Grant is an open grant of a group to a user.
type Grant struct{ User, Grant uuid.UUID }

// Grants knows who has access to a group.
type Grants interface {
	// Open returns the grants of a group that were given before a position of
	// the log and are not ended. It answers only once it knows everything up to
	// that position.
	Open(ctx context.Context, org, group uuid.UUID, before events.Position) ([]Grant, error)
}

// Config says what policies work with.
type Config struct {
	Commands Commands      // required
	Codec    *events.Codec // required
	Grants   Grants        // required

	// Patience is how old an event must be before a policy does what the
	// command behind it was about to do itself. Defaults to 2 s.
	Patience time.Duration

	// Now is the clock, to be compared with the store's. Defaults to time.Now.
	Now func() time.Time

	// Logger defaults to discarding.
	Logger *slog.Logger
}

// Policies react to events. Make them with [New] and give [Policies.Handle] to a
// consumer. They handle one run at a time.
type Policies struct {
	cfg    Config
	merged *simplelru.LRU[uuid.UUID, bool] // whether a group was merged, as of the last event handled
}

// New returns the policies.
func New(cfg Config) (*Policies, error) {
	if cfg.Commands == nil || cfg.Codec == nil || cfg.Grants == nil {
		return nil, errors.New("policies: Config.Commands, Codec and Grants are required")
	}
	if cfg.Patience <= 0 {
		cfg.Patience = 2 * time.Second
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	merged, err := simplelru.NewLRU[uuid.UUID, bool](mergedKept, nil)
	if err != nil {
		return nil, fmt.Errorf("policies: %w", err)
	}
	return &Policies{cfg, merged}, nil
}

// Handle reacts to the events of a run. It is a [consume.Config.Handler] and
// folds nothing into the run's unit.
func (p *Policies) Handle(ctx context.Context, run *consume.Run) error {
	for _, r := range run.Records {
		if err := p.react(ctx, r); err != nil {
			return fmt.Errorf("react to %s at %s@%d: %w", r.Type, r.Stream, r.Revision, err)
		}
	}
	return nil
}

func (p *Policies) react(ctx context.Context, r events.Record) error {
	switch r.Type {
	case "GroupCreated", "UserInvitationAccepted", "UserUnblocked", "UserRoleChanged", "GroupArchived", "GroupMerged", "GroupRenamed", "DeliveryReattempted":
	case "DeliveryCreated", "DeliveryTagged", "DeliveryChanged":
		late, err := p.late(ctx, r)
		if err != nil || !late {
			return err
		}
	default:
		return nil // most events; not even decoded
	}
	ev, err := p.cfg.Codec.Decode(r)
	if err != nil {
		return consume.Permanent(err)
	}
	caller, id := access.System(ev.Metadata.Org), ev.Stream.UUID()
	switch e := ev.Payload.(type) {
	case *events.GroupCreated:
		if e.Kind != events.GroupKindClient {
			return nil
		}
		if err := p.wait(ctx, r); err != nil {
			return err
		}
		_, err = p.cfg.Commands.LinkGroupOf(ctx, caller, because(ev, "link group"), id, e.Client)
		return p.settled(r, err)
	case *events.UserRoleChanged:
		if e.To != access.RoleOwner {
			return nil
		}
		return p.recordOwner(ctx, caller, ev)
	case *events.UserInvitationAccepted, *events.UserUnblocked:
		return p.recordOwner(ctx, caller, ev)
	case *events.GroupArchived:
		return p.endGrants(ctx, caller, ev, id, "the group was archived")
	case *events.DeliveryReattempted:
		return p.reattempt(ctx, caller, ev, e)
	case *events.DeliveryCreated:
		return p.follow(ctx, caller, ev, e.Group)
	case *events.DeliveryTagged:
		return p.follow(ctx, caller, ev, e.Group)
	case *events.DeliveryChanged:
		for _, g := range ev.Metadata.Groups { // the one that it is in
			if err := p.follow(ctx, caller, ev, g); err != nil {
				return err
			}
		}
	case *events.GroupMerged:
		p.merged.Add(id, true)
		return p.endGrants(ctx, caller, ev, id, "the group was merged into another one")
	case *events.GroupRenamed:
		return p.settleName(ctx, caller, ev, command.SettleName{Group: id, From: e.From, To: e.To})
	}
	return nil
}

// settleName finishes what a renaming left undone about the claims of names.
func (p *Policies) settleName(ctx context.Context, caller access.Caller, ev events.Event, in command.SettleName) error {
	if err := p.wait(ctx, ev.Record); err != nil {
		return err
	}
	return p.settled(ev.Record, p.cfg.Commands.SettleName(ctx, caller, because(ev, "settle name"), in))
}

// recordOwner has a user counted among the owners, if it is one. Nobody else is
// waited for: most who accept an invitation are none.
func (p *Policies) recordOwner(ctx context.Context, caller access.Caller, ev events.Event) error {
	owner, err := p.cfg.Commands.IsOwner(ctx, caller, ev.Stream.UUID())
	if err != nil || !owner {
		return p.settled(ev.Record, err)
	}
	if err := p.wait(ctx, ev.Record); err != nil {
		return err
	}
	_, err = p.cfg.Commands.RecordOwner(ctx, caller, because(ev, "record owner"), ev.Stream.UUID())
	return p.settled(ev.Record, err)
}

// endGrants ends the access to a group that was archived, so that restoring it
// revives nothing, or merged.
func (p *Policies) endGrants(ctx context.Context, caller access.Caller, ev events.Event, group uuid.UUID, why string) error {
	grants, err := p.cfg.Grants.Open(ctx, caller.Org, group, ev.Record.Position)
	if err != nil {
		return fmt.Errorf("grants of group %s: %w", group, err)
	}
	for _, g := range grants {
		env := because(ev, "end grant "+g.Grant.String())
		env.Reason = why
		_, err := p.cfg.Commands.EndGrant(ctx, caller, env, command.EndGrant{User: g.User, Grant: g.Grant})
		if err := p.settled(ev.Record, err); err != nil {
			return err
		}
	}
	return nil
}

// because returns the envelope of a reaction.
func because(ev events.Event, reaction string) command.Envelope {
	return command.Envelope{
		CommandID:     uuid.NewSHA1(ev.Record.ID, []byte(reaction)),
		CorrelationID: ev.Metadata.CorrelationID,
		CausationID:   ev.Record.ID,
	}
}

func (p *Policies) settled(r events.Record, err error) error { return settled(p.cfg.Logger, r, err) }

// wait gives the command that an event came from the time to finish by itself.
func (p *Policies) wait(ctx context.Context, r events.Record) error {
	return pause(ctx, p.cfg.Patience-p.cfg.Now().Sub(r.Created), p.cfg.Patience)
}
