package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/aggregates/access"
	"waybill/aggregates/mail"
)

// invitedClient is a client whose invitation is open.
type invitedClient struct {
	Org, Client, Invitation uuid.UUID
	Organisation            string
}

// invitedClients returns the clients of an e-mail with an open invitation, in one
// organisation or (zero) in all.
func (s *system) invitedClients(ctx context.Context, email string, org uuid.UUID) ([]invitedClient, error) {
	email, err := access.NormaliseEmail(email)
	if err != nil {
		return nil, err
	}
	rows, err := s.pools.Identity.Query(ctx, `
		SELECT c.org_id, c.client_id, c.invitation_id, o.name
		FROM read.clients c
		JOIN read.organisations o USING (org_id)
		WHERE c.email = $1 AND c.status = 'invited' AND c.invitation_expires_at > $3
		  AND ($2::uuid = '00000000-0000-0000-0000-000000000000' OR c.org_id = $2::uuid)
		ORDER BY o.name, c.client_id`, email, org, s.clock.Now())
	if err != nil {
		return nil, access.Storage(fmt.Errorf("find invited client: %w", err))
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[invitedClient])
	if err != nil {
		return nil, access.Storage(fmt.Errorf("find invited client: %w", err))
	}
	return found, nil
}

// printClientLink writes the link with which a client accepts its invitation. The
// earlier ones that were printed stop working; one that was mailed does not.
func (s *system) printClientLink(ctx context.Context, w io.Writer, of invitedClient, email, base string) error {
	email, err := access.NormaliseEmail(email)
	if err != nil {
		return err
	}
	identity, err := s.access.Ensure(ctx, email)
	if err != nil {
		return err
	}
	token, expires, err := s.access.IssueToken(ctx, access.Ticket{
		Purpose: access.PurposeClientInvitation, Identity: identity, Org: of.Org, Client: of.Client, Invitation: of.Invitation,
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\nOpen it to accept the invitation of %s and to choose a password. It works once, until %s at the latest.\n",
		mail.Link(base, access.PurposeClientInvitation, token, email), of.Organisation, expires.Local().Format(time.RFC1123))
	return err
}
