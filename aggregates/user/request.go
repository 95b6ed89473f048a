package user

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"waybill/events"
	"waybill/events/fault"
)

// RequestGroup asks for sight of a group.
type RequestGroup struct {
	Request   uuid.UUID
	Group     uuid.UUID
	By        uuid.UUID // the user who asks
	Reason    string
	ExpiresAt time.Time // zero = never
	At        time.Time
}

// Decide gives GroupAccessRequested.
func (c RequestGroup) Decide(s State) ([]events.Payload, error) {
	switch err := s.takesGroups(); {
	case err != nil:
		return nil, err
	case strings.TrimSpace(c.Reason) == "":
		return nil, fault.InvalidField("reason", "is required to ask for access")
	case !c.ExpiresAt.IsZero() && !c.ExpiresAt.After(c.At):
		return nil, fault.InvalidField("expires_at", "must be in the future")
	case slices.ContainsFunc(s.Requests, func(r Request) bool { return r.Group == c.Group }):
		return nil, fault.New(fault.Conflict, "access-already-requested", "Access to this group was asked for already, and is not decided on yet.")
	case slices.ContainsFunc(s.Grants, func(g Grant) bool { return g.Group == c.Group && g.ExpiresAt.IsZero() }):
		return nil, fault.New(fault.Conflict, "access-already-held", "The user has access to this group already.")
	}
	asked := &events.GroupAccessRequested{Request: c.Request, Group: c.Group, By: c.By, Why: c.Reason}
	if !c.ExpiresAt.IsZero() {
		asked.ExpiresAt = c.ExpiresAt.UTC().Truncate(time.Microsecond)
	}
	return []events.Payload{asked}, nil
}

// ApproveRequest grants what was asked for.
type ApproveRequest struct {
	Request uuid.UUID
	Grant   uuid.UUID
	At      time.Time
}

// Decide gives GroupAccessRequestApproved and GroupAccessGranted.
func (c ApproveRequest) Decide(s State) ([]events.Payload, error) {
	if err := s.takesGroups(); err != nil {
		return nil, err
	}
	r, ok := s.Request(c.Request)
	if !ok {
		return nil, errNoRequest()
	}
	if !r.ExpiresAt.IsZero() && !r.ExpiresAt.After(c.At) {
		return nil, fault.New(fault.Conflict, "request-outdated", "The time for which access was asked is over; ask again.")
	}
	return []events.Payload{
		&events.GroupAccessRequestApproved{Request: r.ID},
		&events.GroupAccessGranted{Grant: c.Grant, Group: r.Group, Basis: events.BasisRequest, Origin: r.ID.String(), ExpiresAt: r.ExpiresAt},
	}, nil
}

// DenyRequest ends a request without a grant.
type DenyRequest struct{ Request uuid.UUID }

// Decide gives GroupAccessRequestDenied.
func (c DenyRequest) Decide(s State) ([]events.Payload, error) {
	if err := s.present(); err != nil {
		return nil, err
	}
	if _, ok := s.Request(c.Request); !ok {
		return nil, errNoRequest()
	}
	return []events.Payload{&events.GroupAccessRequestDenied{Request: c.Request}}, nil
}

func errNoRequest() error {
	return fault.New(fault.Conflict, "request-not-open", "There is no such request, or it was decided on already.")
}

// ExpireGrant records that a grant's time is over.
type ExpireGrant struct {
	Grant uuid.UUID
	At    time.Time
}

// Decide gives GroupAccessExpired; nothing when the grant is over already, or
// does not end yet.
func (c ExpireGrant) Decide(s State) ([]events.Payload, error) {
	if !s.Exists() {
		return nil, None()
	}
	i := slices.IndexFunc(s.Grants, func(g Grant) bool { return g.ID == c.Grant })
	if i < 0 || s.Grants[i].open(c.At) {
		return nil, nil
	}
	e := &events.GroupAccessExpired{Grant: c.Grant, Group: s.Grants[i].Group}
	e.RemainingGroups = len(Evolve(s, e).Groups(c.At))
	return []events.Payload{e}, nil
}
