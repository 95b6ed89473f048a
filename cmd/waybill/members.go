package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/aggregates/access"
	"waybill/events/fault"
)

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
