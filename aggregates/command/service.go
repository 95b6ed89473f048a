package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/client"
	"waybill/aggregates/delivery"
	"waybill/aggregates/group"
	"waybill/aggregates/user"
	"waybill/events"
	"waybill/events/fault"
	"waybill/events/store"
)

// Identities keeps the person behind each e-mail, outside the event log.
type Identities interface {
	// Ensure returns the identity of an e-mail in its normal form, making it
	// when there is none. Its answer does not tell which.
	Ensure(ctx context.Context, email string) (uuid.UUID, error)

	// Again returns a caller as it stands now, for commands that take longer than
	// a caller should be believed for. Errors: Unauthenticated for who is nobody
	// any more.
	Again(ctx context.Context, c access.Caller) (access.Caller, error)
}

// Config says what a service works with.
type Config struct {
	Executor   *aggregates.Executor // required
	Store      *store.Store         // required; for bulk imports
	Codec      *events.Codec        // required; for bulk imports
	Identities Identities           // required

	// ClaimsSecret makes the names of claims' streams. At least 16 bytes, the
	// same in all processes, for ever. Required.
	ClaimsSecret []byte

	// ClaimsGrace is how long somebody may take between claiming a name and
	// creating what it is for. Defaults to 5 s.
	ClaimsGrace time.Duration

	// InvitationLifetime is how long a new user may take to accept. Defaults to
	// 7 days.
	InvitationLifetime time.Duration

	// ResetLifetime is how long the link of a password reset works. Defaults to
	// 1 hour.
	ResetLifetime time.Duration

	// Sight knows who sees what. Without it, groups cannot be merged and nothing
	// can be previewed.
	Sight Sight

	// SightLimit bounds the wait for Sight to know everything that was appended
	// before. Defaults to 10 s.
	SightLimit time.Duration

	// NewID makes the id of a command that comes without one. Defaults to
	// random UUIDs.
	NewID func() uuid.UUID

	// Logger gets what is not the caller's business. Defaults to discarding.
	Logger *slog.Logger
}

// Service executes commands. It is safe for concurrent use.
type Service struct {
	cfg    Config
	x      *aggregates.Executor
	claims *aggregates.Claims
}

// New returns a service.
func New(cfg Config) (*Service, error) {
	if cfg.Executor == nil || cfg.Store == nil || cfg.Codec == nil || cfg.Identities == nil {
		return nil, errors.New("command: Config.Executor, Store, Codec and Identities are required")
	}
	if cfg.InvitationLifetime <= 0 {
		cfg.InvitationLifetime = 7 * 24 * time.Hour
	}
	if cfg.ResetLifetime <= 0 {
		cfg.ResetLifetime = time.Hour
	}
	if cfg.SightLimit <= 0 {
		cfg.SightLimit = 10 * time.Second
	}
	if cfg.NewID == nil {
		cfg.NewID = uuid.New
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Service{cfg: cfg, x: cfg.Executor}
	var err error
	s.claims, err = aggregates.NewClaims(aggregates.ClaimsConfig{
		Executor: cfg.Executor, Secret: cfg.ClaimsSecret, Grace: cfg.ClaimsGrace, Judges: s.judges(),
	})
	if err != nil {
		return nil, fmt.Errorf("command: %w", err)
	}
	return s, nil
}

// Envelope is what a caller says about a command besides what it asks for. The
// zero value is a command that is not repeated, now, without a reason.
type Envelope struct {
	CommandID     uuid.UUID // a repetition carries the same one; zero: a new one
	CorrelationID uuid.UUID // zero: the command id
	CausationID   uuid.UUID // the event that it reacts to; zero: the command id
	OnBehalfOf    string
	Reason        string
	Approval      events.Approval
	At            time.Time // recorded_at; zero: now

	// ExpectedRevision is that of the aggregate's stream as the caller saw it;
	// the command is refused when it has moved on. Nil: whatever it is.
	ExpectedRevision *uint64
}

// Created is the result of a command that makes something.
type Created struct {
	ID uuid.UUID // of what was made
	aggregates.Result
}

// command puts caller and envelope together.
func (s *Service) command(c access.Caller, env Envelope) aggregates.Command {
	if env.CommandID == uuid.Nil {
		env.CommandID = s.cfg.NewID()
	}
	if env.At.IsZero() {
		env.At = s.x.Now()
	}
	return aggregates.Command{
		ID: env.CommandID, Org: c.Org, Actor: c.Actor, OnBehalfOf: env.OnBehalfOf,
		CorrelationID: env.CorrelationID, CausationID: env.CausationID,
		Reason: env.Reason, Approval: env.Approval, Source: c.Source, At: env.At,
		Expected: env.ExpectedRevision,
	}
}

// The four aggregates, as the shared piece loads them.
var (
	groups     = aggregates.Kind[group.State]{Category: events.CategoryGroup, Evolve: group.Evolve, Touches: group.Touches}
	users      = aggregates.Kind[user.State]{Category: events.CategoryUser, Evolve: user.Evolve, Touches: user.Touches}
	clients    = aggregates.Kind[client.State]{Category: events.CategoryClientAccount, Evolve: client.Evolve, Touches: client.Touches}
	deliveries = aggregates.Kind[delivery.State]{Category: events.CategoryDelivery, Evolve: delivery.Evolve, Touches: delivery.Touches}
)

// need refuses a caller without a permission.
func need(c access.Caller, p access.Permission) error {
	if !c.May(p) {
		return fault.New(fault.Denied, "permission-missing", "This needs the permission %q.", p)
	}
	return nil
}

// needAll refuses a caller with the permission that does not see the whole
// organisation, for what belongs to no single group.
func needAll(c access.Caller, p access.Permission) error {
	if err := need(c, p); err != nil {
		return err
	}
	if !c.SeesAll() {
		return fault.New(fault.Denied, "access-to-all-missing", "This needs access to all groups.")
	}
	return nil
}

// organisation returns the state of the caller's ALL group.
func (s *Service) organisation(ctx context.Context, c access.Caller) (group.State, error) {
	all, err := aggregates.Load(ctx, s.x, groups, c.Org, group.AllID(c.Org))
	if err == nil && !all.Exists() {
		err = fault.New(fault.NotFound, "organisation-not-found", "There is no such organisation.")
	}
	return all, err
}

// usableGroup returns a group that the caller sees and that takes tags, grants
// and codes. One whose client has withdrawn its approval, or was removed, does not.
func (s *Service) usableGroup(ctx context.Context, c access.Caller, id uuid.UUID) (group.State, error) {
	if !c.Sees(id) || id == uuid.Nil {
		return group.State{}, noGroup()
	}
	g, err := aggregates.Load(ctx, s.x, groups, c.Org, id)
	if err != nil {
		return g, err
	}
	if err := g.Usable(); err != nil {
		return g, err
	}
	return g, s.manageableOf(ctx, c, g)
}

// mayLast refuses to give sight of a group for longer than the caller has it; field
// is what said for how long.
func mayLast(c access.Caller, id uuid.UUID, end time.Time, field string) error {
	own, ok := c.MayGiveUntil(id, end)
	if ok {
		return nil
	}
	return fault.InvalidField(field, "must not give a group for longer than you see it yourself, which is until %s", own.UTC().Format(time.RFC3339))
}

// mayLastForEver refuses to have others see a group for ever that the caller sees
// for a time.
func mayLastForEver(c access.Caller, id uuid.UUID) error {
	own, ok := c.MayGiveUntil(id, time.Time{})
	if ok {
		return nil
	}
	return outlasting(own)
}

func outlasting(own time.Time) error {
	return fault.New(fault.Denied, "sight-outlasts-own", "Others would see the group for longer than you do yourself, which is until %s.", own.UTC().Format(time.RFC3339))
}

func noGroup() error { return fault.New(fault.NotFound, "group-not-found", "There is no such group.") }

// unlessDone answers a creation that a check refuses: with the refusal, unless
// the same command was executed before, which then stands.
func unlessDone[S any](ctx context.Context, s *Service, kind aggregates.Kind[S], id uuid.UUID, cmd aggregates.Command, refused error) (aggregates.Result, error) {
	res, ok, err := aggregates.Done(ctx, s.x, kind, id, cmd)
	switch {
	case err != nil:
		return aggregates.Result{}, err
	case !ok:
		return aggregates.Result{}, refused
	}
	return res, nil
}
