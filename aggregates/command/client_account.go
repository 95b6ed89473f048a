package command

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/client"
	"waybill/aggregates/group"
	"waybill/aggregates/user"
	"waybill/events"
	"waybill/events/fault"
)

// ClientDetails are what is known of a client.
type ClientDetails struct{ BusinessName, Contact, Email, Phone string }

// UpdateClientDetails asks for a client's details to be replaced.
type UpdateClientDetails struct {
	Client  uuid.UUID
	Details ClientDetails
}

// UpdateClientDetails replaces what is known of a client. Errors: NotFound,
// Denied, Invalid, Conflict (client-removed, revision-mismatch).
func (s *Service) UpdateClientDetails(ctx context.Context, c access.Caller, env Envelope, in UpdateClientDetails) (aggregates.Result, error) {
	email, err := access.NormaliseEmail(in.Details.Email)
	if err != nil {
		// Whoever may not know about the client learns nothing by a wrong e-mail.
		if err := s.lookManage(ctx, c, in.Client); err != nil {
			return aggregates.Result{}, err
		}
		return aggregates.Result{}, err
	}
	after := client.Details{BusinessName: in.Details.BusinessName, Contact: in.Details.Contact, Phone: in.Details.Phone, Email: email}
	return s.onClient(ctx, c, s.command(c, env), in.Client, func(t client.State) ([]events.Payload, error) {
		known, err := s.known(ctx, c.Org, in.Client, t)
		if err != nil {
			return nil, err
		}
		return client.ChangeDetails{Client: in.Client, Before: known.details, After: after}.Decide(t)
	})
}

// lookManage refuses a client that the caller does not see or may not change.
func (s *Service) lookManage(ctx context.Context, c access.Caller, id uuid.UUID) error {
	t, err := aggregates.Load(ctx, s.x, clients, c.Org, id)
	if err != nil {
		return err
	}
	return mayManage(c, t)
}

// known returns the story that belongs to a state. The state may be behind what
// can be read; then it has to be read again, too.
func (s *Service) known(ctx context.Context, org, id uuid.UUID, state client.State) (story, error) {
	t, err := s.story(ctx, org, id)
	if err == nil && t.Details != state.Details {
		err = fault.New(fault.Conflict, "stream-busy", "Others keep changing this at the same time; try again.")
	}
	return t, err
}

// CreateClientAccount asks for a client to become an account, on its behalf.
type CreateClientAccount struct {
	Client    uuid.UUID
	Details   ClientDetails // what is empty is as it is known already
	GroupName string        // of the group that is made when there is none; empty: the business name
}

// ClientAccountMade is what came of it.
type ClientAccountMade struct {
	User  uuid.UUID // of the client's contact
	Group uuid.UUID // the client's
	aggregates.Result
}

// CreateClientAccount makes a client an account, without its approval, and its
// contact a user who sees its group. An invitation that is open ends. Errors:
// NotFound, Denied, Invalid, Conflict (client-has-account, client-removed,
// email-taken, group-name-taken, group-archived).
func (s *Service) CreateClientAccount(ctx context.Context, c access.Caller, env Envelope, in CreateClientAccount) (ClientAccountMade, error) {
	cmd := s.command(c, env)
	t, err := s.story(ctx, c.Org, in.Client)
	if err != nil {
		return ClientAccountMade{}, err
	}
	if err := mayManage(c, t.State); err != nil {
		return ClientAccountMade{}, err
	}
	create, err := s.account(ctx, c, cmd, t, in)
	if err != nil {
		res, err := unlessDone(ctx, s, clients, in.Client, cmd, err)
		return ClientAccountMade{User: t.User, Group: t.Group, Result: res}, err
	}
	out := ClientAccountMade{User: create.User}
	if out.Group, err = s.groupFor(ctx, c, cmd, in.Client, t, in.GroupName, create.Details.BusinessName); err == nil {
		out.Result, err = s.onClient(ctx, c, cmd, in.Client, create.Decide)
	}
	if err != nil && !fault.Is(err, fault.Unavailable) && create.User == contactID(cmd) {
		// Nobody will be born to hold it. Failing that, it is taken over from the
		// unborn when somebody wants it.
		_, _ = s.claims.Settle(ctx, cmd, emailKey(create.Details.Email), aggregates.Holder{Category: events.CategoryUser, ID: create.User})
	}
	return out, err
}

// contactID is the id of the user that a command makes the contact of a client.
func contactID(cmd aggregates.Command) uuid.UUID { return cmd.Derive("contact") }

// account prepares the creation of a client's account, and refuses what can be
// refused before anything is made.
func (s *Service) account(ctx context.Context, c access.Caller, cmd aggregates.Command, t story, in CreateClientAccount) (client.CreateAccount, error) {
	create := client.CreateAccount{Client: in.Client, Details: t.details, At: cmd.At}
	for _, f := range []struct {
		given string
		field *string
	}{
		{in.Details.BusinessName, &create.Details.BusinessName}, {in.Details.Contact, &create.Details.Contact},
		{in.Details.Email, &create.Details.Email}, {in.Details.Phone, &create.Details.Phone},
	} {
		if f.given != "" {
			*f.field = f.given
		}
	}
	var err error
	if create.Details.Email, err = access.NormaliseEmail(create.Details.Email); err != nil {
		return create, err
	}
	dry := t.State
	dry.Group = uuid.Max // it is made on demand
	if _, err := create.Decide(dry); err != nil {
		return create, err
	}
	create.User, create.Identity, err = s.contact(ctx, c, cmd, create.Details.Email)
	return create, err
}

// contact returns who the contact of a client's account is to be: a customer of
// that e-mail who is here already, or somebody new, for whom the e-mail is claimed.
// A customer of whom the caller does not know, or who sees more than the caller,
// gets nothing from him: the e-mail is taken, as that of staff is.
func (s *Service) contact(ctx context.Context, c access.Caller, cmd aggregates.Command, email string) (id, identity uuid.UUID, err error) {
	if identity, err = s.cfg.Identities.Ensure(ctx, email); err != nil {
		return id, identity, fmt.Errorf("identity of a client's contact: %w", err)
	}
	claim, err := s.claims.Look(ctx, cmd.Org, emailKey(email))
	if err != nil {
		return id, identity, err
	}
	if claim.Held {
		u, err := aggregates.Load(ctx, s.x, users, cmd.Org, claim.Holder)
		switch {
		case err != nil:
			return id, identity, err
		case u.Present() && u.Role == access.RoleCustomer && !u.All &&
			(oneself(c, u) || c.Encloses(u.Subject(claim.Holder, cmd.At))):
			return claim.Holder, identity, nil
		}
	}
	id = contactID(cmd)
	holder := aggregates.Holder{Category: events.CategoryUser, ID: id}
	return id, identity, s.claims.Take(ctx, cmd, emailKey(email), holder)
}

// oneself reports whether the caller is the person behind a user, who need not be
// a user here to be that.
func oneself(c access.Caller, u user.State) bool {
	return c.User == uuid.Nil && c.Identity != uuid.Nil && c.Identity == u.Identity
}

// mayShow refuses a caller who cannot let others see a client's group: whoever does
// not see it himself, unless it is the client's own and he looks after the client,
// so that the account which he makes shows it to him as well. A group that is yet
// to be made shows nothing to anybody.
func mayShow(c access.Caller, id uuid.UUID, t client.State, g group.State) error {
	switch {
	case g.Kind == events.GroupKindClient && g.Client == id && c.LooksAfter(t.Dispatcher):
		return nil
	case c.Sees(t.Group):
		return mayLastForEver(c, t.Group)
	}
	return notConferrable()
}

func notConferrable() error {
	return fault.New(fault.Denied, "group-not-conferrable", "Others would come to see the client's group, which you do not see yourself.")
}

// groupFor returns the client's group, making it when there is none.
func (s *Service) groupFor(ctx context.Context, c access.Caller, cmd aggregates.Command, id uuid.UUID, t story, names ...string) (uuid.UUID, error) {
	if t.Group != uuid.Nil {
		g, err := aggregates.Load(ctx, s.x, groups, cmd.Org, t.Group)
		if err != nil {
			return t.Group, err
		}
		if err := mayShow(c, id, t.State, g); err != nil {
			return t.Group, err
		}
		return t.Group, g.Usable()
	}
	for _, name := range names {
		if name == "" {
			continue
		}
		if err := group.CheckName("group_name", name); err != nil {
			return uuid.Nil, err
		}
		linked, err := s.link(ctx, cmd.Then("link group"), id, name)
		return linked.ID, err
	}
	return uuid.Nil, fault.InvalidField("group_name", "is required")
}
