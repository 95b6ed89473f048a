package command

import (
	"context"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/group"
	"waybill/aggregates/user"
	"waybill/events"
	"waybill/events/fault"
)

// Owner is the first owner of an organisation.
type Owner struct{ Name, Email string }

// CreateOrganisation asks for an organisation with its ALL group and its first
// owner.
type CreateOrganisation struct {
	Name     string
	Kind     string // events.OrganisationOperator or events.OrganisationIndependentDispatcher
	Timezone string // IANA name
	Owner    Owner
}

// OrganisationCreated is what came of it.
type OrganisationCreated struct {
	Organisation uuid.UUID
	AllGroup     uuid.UUID
	Owner        UserAdded // with the position of the last event of all
}

// organisations is the namespace of organisations' ids.
var organisations = uuid.NewSHA1(uuid.NameSpaceOID, []byte("waybill organisation"))

// CreateOrganisation makes an organisation. Only waybill itself may; the
// caller's organisation is not looked at, for it comes into being here, with an
// id derived from the command's. Errors: Denied, Invalid, Unavailable.
func (s *Service) CreateOrganisation(ctx context.Context, c access.Caller, env Envelope, in CreateOrganisation) (OrganisationCreated, error) {
	if !c.System {
		return OrganisationCreated{}, fault.New(fault.Denied, "system-only", "Organisations are created by whoever runs waybill.")
	}
	if env.CommandID == uuid.Nil {
		env.CommandID = s.cfg.NewID()
	}
	c.Org = uuid.NewSHA1(organisations, env.CommandID[:])
	cmd := s.command(c, env)
	out := OrganisationCreated{Organisation: c.Org, AllGroup: group.AllID(c.Org)}
	owner := AddUser{Name: in.Owner.Name, Email: in.Owner.Email, Role: access.RoleOwner}
	add, err := s.newUser(cmd, owner)
	if err != nil {
		return out, err
	}
	if _, err := add.Decide(user.State{}); err != nil {
		return out, err
	}
	all, err := aggregates.Create(ctx, s.x, groups, out.AllGroup, cmd, group.CreateOrganisation{
		Organisation: events.Organisation{Name: in.Name, Kind: in.Kind, Timezone: in.Timezone},
		Owner:        add.User,
	}.Decide)
	if err != nil {
		return out, err
	}
	out.Owner, err = s.create(ctx, cmd, add)
	out.Owner.Result = out.Owner.Later(all)
	return out, err
}

// setGroupField turns the tagging of deliveries on or off for the organisation.
func (s *Service) setGroupField(ctx context.Context, c access.Caller, env Envelope, on bool) (aggregates.Result, error) {
	if err := needAll(c, access.ManageGroups); err != nil {
		return aggregates.Result{}, err
	}
	return aggregates.Execute(ctx, s.x, groups, group.AllID(c.Org), s.command(c, env), group.SetField{Enabled: on}.Decide)
}

// EnableGroupField lets deliveries be tagged with groups. Errors: Denied.
func (s *Service) EnableGroupField(ctx context.Context, c access.Caller, env Envelope) (aggregates.Result, error) {
	return s.setGroupField(ctx, c, env, true)
}

// DisableGroupField refuses tagging from now on; who sees what stays as it is.
// Errors: Denied.
func (s *Service) DisableGroupField(ctx context.Context, c access.Caller, env Envelope) (aggregates.Result, error) {
	return s.setGroupField(ctx, c, env, false)
}
