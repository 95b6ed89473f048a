package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/aggregates/access"
	"waybill/events/fault"
)

// linkFlags say where links lead.
type linkFlags struct {
	URL string `name:"url" default:"http://127.0.0.1:8080" placeholder:"URL" help:"Where people reach the server (${default})."`
}

// signInLinkCmd makes a one-time link.
type signInLinkCmd struct {
	Email        string `arg:"" help:"E-mail of the user."`
	Organisation string `placeholder:"NAME" help:"Name or id of the organisation, when the person is in several."`
	linkFlags
	storageFlags
	logFlags
}

// Run implements the verb.
func (c *signInLinkCmd) Run(ctx context.Context, m *Main) error {
	return withSystem(ctx, systemConfig{storageFlags: c.storageFlags, Guest: true, Log: c.logger(m.Stderr)}, func(ctx context.Context, s *system) error {
		if err := s.caughtUp(ctx); err != nil {
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
			return fault.New(fault.NotFound, "user-not-found", "No invited or active user has the e-mail %s; add the user first", c.Email)
		case len(members) > 1:
			var names []string
			for _, one := range members {
				names = append(names, one.Organisation)
			}
			return &usageError{fmt.Errorf("%s is in several organisations (%s): name one with --organisation", c.Email, strings.Join(names, ", "))}
		}
		return s.printLink(ctx, m.Stdout, members[0], c.URL)
	})
}

func (s *system) printLink(ctx context.Context, w io.Writer, of member, base string) error {
	token, expires, err := s.link(ctx, of)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\nOpen it to set a password. It works once, until %s.\n", linkOf(base, token, of.Email), expires.Local().Format(time.RFC1123))
	return err
}

// member is a user who may be given a link.
type member struct {
	access.Membership
	Name, Email string
}

// members returns the invited and active users with an e-mail, in one
// organisation or (zero) in all.
func (s *system) members(ctx context.Context, email string, org uuid.UUID) ([]member, error) {
	email, err := access.NormaliseEmail(email)
	if err != nil {
		return nil, err
	}
	rows, err := s.pools.Identity.Query(ctx, `
		SELECT u.identity_id, u.org_id, o.name, u.user_id, u.role, u.status, u.name, i.email
		FROM identity.identities i
		JOIN read.users u USING (identity_id)
		JOIN read.organisations o USING (org_id)
		WHERE i.email = $1 AND u.status IN ('invited', 'active')
		  AND ($2::uuid = '00000000-0000-0000-0000-000000000000' OR u.org_id = $2::uuid)
		ORDER BY o.name, u.user_id`, email, org)
	if err != nil {
		return nil, access.Storage(fmt.Errorf("find user: %w", err))
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct {
		Identity, Org uuid.UUID
		Organisation  string
		User          uuid.UUID
		Role, Status  string
		Name          *string
		Email         string
	}])
	if err != nil {
		return nil, access.Storage(fmt.Errorf("find user: %w", err))
	}
	var out []member
	for _, f := range found {
		m := member{Email: f.Email, Membership: access.Membership{Identity: f.Identity, Org: f.Org, Organisation: f.Organisation, User: f.User, Role: f.Role, Status: f.Status}}
		if f.Name != nil {
			m.Name = *f.Name
		}
		out = append(out, m)
	}
	return out, nil
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

// linkOf writes the link. The token stands in the fragment, which browsers send to
// nobody.
func linkOf(base string, token access.Token, email string) string {
	v := url.Values{"token": {token.Reveal()}, "email": {email}}
	return strings.TrimRight(base, "/") + "/set-password#" + v.Encode()
}

// organisation is one organisation.
type organisation struct {
	ID, AllGroup uuid.UUID
	Name         string
}

// organisation returns the organisation of a name or id; the only one there is
// when want is empty.
func (s *system) organisation(ctx context.Context, want string) (organisation, error) {
	rows, err := s.pools.Identity.Query(ctx, `
		SELECT org_id, all_group_id, name
		FROM read.organisations
		WHERE $1 = '' OR name = $1 OR org_id::text = lower($1)
		ORDER BY name, org_id
		LIMIT 20`, want)
	if err != nil {
		return organisation{}, access.Storage(fmt.Errorf("find organisation: %w", err))
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[organisation])
	switch {
	case err != nil:
		return organisation{}, access.Storage(fmt.Errorf("find organisation: %w", err))
	case len(found) == 1:
		return found[0], nil
	case len(found) == 0 && want == "":
		return organisation{}, fault.New(fault.NotFound, "organisation-not-found", "There is no organisation yet; make one with: waybill organisation create")
	case len(found) == 0:
		return organisation{}, fault.New(fault.NotFound, "organisation-not-found", "There is no organisation %q", want)
	}
	var names []string
	for _, o := range found {
		names = append(names, fmt.Sprintf("%s (%s)", o.Name, o.ID))
	}
	return organisation{}, &usageError{fmt.Errorf("there are several organisations, name one with --organisation: %s", strings.Join(names, ", "))}
}
