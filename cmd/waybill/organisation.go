package main

import (
	"context"
	"fmt"

	"github.com/alecthomas/kong"
	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/command"
)

// organisationCmd groups what is done to organisations.
type organisationCmd struct {
	Create     organisationCreateCmd `cmd:"" group:"verbs" help:"Make an organisation with its first owner, and a link with which the owner signs in."`
	GroupField groupFieldCmd         `cmd:"" group:"verbs" name:"group-field" help:"Turn the Group field on or off: whether deliveries can be tagged with groups."`

	kong.Plugins // what only a server does
}

// organisationCreateCmd makes an organisation.
type organisationCreateCmd struct {
	Name       string `arg:"" help:"Name of the organisation."`
	OwnerName  string `required:"" help:"Name of the first owner."`
	OwnerEmail string `required:"" help:"E-mail with which the first owner signs in."`
	Kind       string `default:"operator" enum:"operator,independent_dispatcher" help:"operator or independent_dispatcher (${default})."`
	Timezone   string `default:"UTC" help:"IANA timezone, which says when a day begins (${default})."`
	GroupField bool   `default:"true" negatable:"" help:"Let deliveries be tagged with groups (on)."`
	SetupToken string `group:"server" placeholder:"SECRET" help:"With --server: its set-up token. Better given as WAYBILL_SETUP_TOKEN."`
	elsewhereFlags
	linkFlags
	storageFlags
	logFlags
}

// Run implements the verb.
func (c *organisationCreateCmd) Run(ctx context.Context, m *Main, all verbs) error {
	if c.Server != "" {
		return c.ask(ctx, m, all)
	}
	guessed := false
	err := withSystem(ctx, systemConfig{storageFlags: c.storageFlags, Guest: true, Pace: m.pace, Log: c.logger(m.Stderr)}, func(ctx context.Context, s *system) error {
		var base string
		var err error
		if base, guessed, err = c.base(ctx, s); err != nil { // one that is wrong, before anything is made
			return err
		}
		made, err := s.commands.CreateOrganisation(ctx, access.System(uuid.Nil), command.Envelope{}, command.CreateOrganisation{
			Name: c.Name, Kind: c.Kind, Timezone: c.Timezone,
			Owner: command.Owner{Name: c.OwnerName, Email: c.OwnerEmail},
		})
		if err != nil {
			return err
		}
		at := made.Owner.Position
		if c.GroupField {
			on, err := s.commands.EnableGroupField(ctx, access.System(made.Organisation), command.Envelope{})
			if err != nil {
				return err
			}
			at = on.Position
		}
		if err := s.progress.Wait(ctx, at); err != nil {
			return err
		}
		members, err := s.members(ctx, c.OwnerEmail, made.Organisation)
		if err != nil {
			return err
		}
		if len(members) != 1 {
			return fmt.Errorf("organisation %s was made, and its owner cannot be found: look at the read models with --log-level info", made.Organisation)
		}
		fmt.Fprintf(m.Stdout, "organisation %s %q\nowner %s\n", made.Organisation, c.Name, c.OwnerEmail)
		return s.printLink(ctx, m.Stdout, members[0], base)
	})
	return noteGuess(m.Stderr, guessed, err)
}

// groupFieldCmd turns the Group field on or off.
type groupFieldCmd struct {
	Setting      string `arg:"" enum:"on,off" help:"on or off."`
	Organisation string `placeholder:"NAME" help:"Name or id of the organisation. Default: the only one."`
	elsewhereFlags
	storageFlags
	logFlags
}

// Run implements the verb.
func (c *groupFieldCmd) Run(ctx context.Context, m *Main, all verbs) error {
	if c.Server != "" {
		return c.ask(ctx, m, all)
	}
	return withSystem(ctx, systemConfig{storageFlags: c.storageFlags, Guest: true, Pace: m.pace, Log: c.logger(m.Stderr)}, func(ctx context.Context, s *system) error {
		if err := s.caughtUp(ctx); err != nil {
			return err
		}
		org, err := s.organisation(ctx, c.Organisation)
		if err != nil {
			return err
		}
		change := s.commands.DisableGroupField
		if c.Setting == "on" {
			change = s.commands.EnableGroupField
		}
		done, err := change(ctx, access.System(org.ID), command.Envelope{})
		if err != nil {
			return err
		}
		fmt.Fprintf(m.Stdout, "the Group field of %q is %s\n", org.Name, c.Setting)
		return s.progress.Wait(ctx, done.Position)
	})
}
