package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/mail"
	"waybill/events/fault"
)

// signInLinkCmd makes a one-time link.
type signInLinkCmd struct {
	Email        string `arg:"" help:"E-mail of the user, or of an invited client."`
	Organisation string `placeholder:"NAME" help:"Name or id of the organisation, when the person is in several."`
	linkFlags
	storageFlags
	logFlags
}

// Run implements the verb.
func (c *signInLinkCmd) Run(ctx context.Context, m *Main) error {
	guessed := false
	err := withSystem(ctx, systemConfig{storageFlags: c.storageFlags, Guest: true, Pace: m.pace, Log: c.logger(m.Stderr)}, func(ctx context.Context, s *system) error {
		if err := s.caughtUp(ctx); err != nil {
			return err
		}
		var base string
		var err error
		if base, guessed, err = c.base(ctx, s); err != nil {
			return err
		}
		org := uuid.Nil
		if c.Organisation != "" {
			o, err := s.organisation(ctx, c.Organisation)
			if err != nil {
				return err
			}
			org = o.ID
		}
		members, err := s.members(ctx, c.Email, org)
		switch {
		case err != nil:
			return err
		case len(members) == 0:
			clients, err := s.invitedClients(ctx, c.Email, org)
			if err != nil {
				return err
			}
			if len(clients) == 1 {
				return s.printClientLink(ctx, m.Stdout, clients[0], c.Email, base)
			}
			if len(clients) > 1 {
				return &usageError{fmt.Errorf("clients with the e-mail %s are invited several times: name one organisation with --organisation", c.Email)}
			}
			return fault.New(fault.NotFound, "user-not-found", "No invited or active user, and no invited client, has the e-mail %s; add or invite them first", c.Email)
		case len(members) > 1:
			var names []string
			for _, one := range members {
				names = append(names, one.Organisation)
			}
			return &usageError{fmt.Errorf("%s is in several organisations (%s): name one with --organisation", c.Email, strings.Join(names, ", "))}
		}
		return s.printLink(ctx, m.Stdout, members[0], base)
	})
	return noteGuess(m.Stderr, guessed, err)
}

func (s *system) printLink(ctx context.Context, w io.Writer, of member, base string) error {
	token, expires, err := s.link(ctx, of)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\nOpen it to set a password. It works once, until %s.\n", linkOf(base, token, of.Email), expires.Local().Format(time.RFC1123))
	return err
}

// link makes the token of a one-time link: the first password of an invited user,
// another one for an active user.
func (s *system) link(ctx context.Context, of member) (access.Token, time.Time, error) {
	purpose := access.PurposePasswordReset
	if of.Status == access.StatusInvited {
		purpose = access.PurposeInvitation
	}
	return s.access.IssueToken(ctx, access.Ticket{Purpose: purpose, Identity: of.Identity, Org: of.Org, User: of.User})
}

// linkOf writes the link.
func linkOf(base string, token access.Token, email string) string {
	return mail.Link(base, access.PurposeInvitation, token, email)
}
