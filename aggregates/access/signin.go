package access

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"waybill/events/fault"
)

// Statuses of a user's account.
const (
	StatusInvited = "invited"
	StatusActive  = "active"
)

// Membership is one organisation that an identity may sign in to.
type Membership struct {
	Identity     uuid.UUID
	Org          uuid.UUID
	Organisation string // the organisation's name
	User         uuid.UUID
	Role         string
	Status       string // StatusActive, or StatusInvited: signing in accepts it
}

// ErrSignIn is the one answer to every failed sign-in.
func ErrSignIn() error {
	return fault.New(fault.Unauthenticated, "sign-in-failed", "The e-mail and the password do not belong together.")
}

// RefusedError is a sign-in that was refused although there is somebody with that
// e-mail. It looks like any other refusal; whom it names is for the audit alone.
type RefusedError struct {
	Meant []Membership // what the identity could have signed in to; never empty
	err   error
}

// Error implements error.
func (e *RefusedError) Error() string { return e.err.Error() }

// Unwrap returns the refusal.
func (e *RefusedError) Unwrap() error { return e.err }

// SignIn finds out who signs in and returns the memberships that this is
// good for: active ones, and invited ones. An unknown e-mail, one without a
// password, a wrong password and one without any such membership give the same
// Unauthenticated error after the same work; only a [RefusedError] tells them
// apart, for the audit.
func (s *Service) SignIn(ctx context.Context, email, password string) ([]Membership, error) {
	email, err := NormaliseEmail(email)
	if err != nil || len(password) > MaxPasswordBytes {
		email, password = "", "" // nobody; the work is done all the same
	}
	identity, encoded, members, err := s.findMemberships(ctx, email)
	if err != nil {
		return nil, err
	}
	ok, err := s.hasher.matches(ctx, password, encoded)
	if err != nil {
		return nil, fmt.Errorf("check password of identity %s: %w", identity, err)
	}
	switch {
	case len(members) == 0:
		return nil, ErrSignIn()
	case !ok:
		return nil, &RefusedError{members, ErrSignIn()}
	}
	return members, nil
}

// findMemberships reads the hash and the memberships in one round trip.
func (s *Service) findMemberships(ctx context.Context, email string) (identity uuid.UUID, encoded string, members []Membership, err error) {
	const q = `
		SELECT i.identity_id, coalesce(i.password_hash, ''), u.user_id, u.org_id, coalesce(o.name, ''), coalesce(u.role, ''), coalesce(u.status, '')
		FROM identity.identities i
		LEFT JOIN (read.users u JOIN read.organisations o ON o.org_id = u.org_id)
		       ON u.identity_id = i.identity_id AND u.status IN ('active', 'invited')
		WHERE i.email = $1
		ORDER BY o.name, u.user_id`
	rows, err := s.cfg.Pool.Query(ctx, q, email)
	if err != nil {
		return identity, "", nil, Storage(fmt.Errorf("find identity: %w", err))
	}
	defer rows.Close()
	for rows.Next() {
		var m Membership
		var user, org *uuid.UUID
		if err := rows.Scan(&identity, &encoded, &user, &org, &m.Organisation, &m.Role, &m.Status); err != nil {
			return identity, "", nil, fmt.Errorf("find identity: %w", err)
		}
		if user != nil && org != nil {
			m.Identity, m.User, m.Org = identity, *user, *org
			members = append(members, m)
		}
	}
	return identity, encoded, members, Storage(rows.Err())
}
