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

// AddClient asks for a client in the list.
type AddClient struct {
	BusinessName   string
	Contact, Email string
	Dispatcher     uuid.UUID // zero: the owners look after it
	GroupName      string    // when given, its group is made and linked as well
}

// ClientAdded is what came of it.
type ClientAdded struct {
	ID    uuid.UUID
	Group uuid.UUID // zero when none was asked for
	aggregates.Result
}

// AddClient adds a client, with its group when a name for it is given. Errors:
// Denied, Invalid, NotFound (the dispatcher), Conflict (group-name-taken).
func (s *Service) AddClient(ctx context.Context, c access.Caller, env Envelope, in AddClient) (ClientAdded, error) {
	if err := need(c, access.ManageClients); err != nil {
		return ClientAdded{}, err
	}
	cmd := s.command(c, env)
	email, err := access.NormaliseEmail(in.Email)
	if err != nil {
		return ClientAdded{}, err
	}
	out := ClientAdded{ID: cmd.Derive("client")}
	add := client.Add{Client: out.ID, BusinessName: in.BusinessName, Contact: in.Contact, Email: email, Dispatcher: in.Dispatcher}
	if _, err := add.Decide(client.State{}); err != nil {
		return out, err
	}
	if in.GroupName != "" {
		if err := group.CheckName("group_name", in.GroupName); err != nil {
			return out, err
		}
	}
	if in.Dispatcher != uuid.Nil {
		if err := s.dispatcher(ctx, c, cmd, in.Dispatcher); err != nil {
			if _, err := unlessDone(ctx, s, clients, out.ID, cmd, err); err != nil {
				return ClientAdded{}, err
			}
		}
	}
	// A command of its own, for it is the second one on the client's stream.
	next := cmd.Then("link group")
	if in.GroupName != "" { // a name that is taken refuses all of it, so it comes first
		if err := s.claims.Take(ctx, next, nameKey(in.GroupName), groupHolder(clientGroupID(cmd.Org, out.ID, 0))); err != nil {
			if _, err := unlessDone(ctx, s, clients, out.ID, cmd, err); err != nil {
				return ClientAdded{}, err
			}
		}
	}
	if out.Result, err = aggregates.Create(ctx, s.x, clients, out.ID, cmd, add.Decide); err != nil || in.GroupName == "" {
		return out, err
	}
	linked, err := s.link(ctx, next, out.ID, in.GroupName)
	out.Group, out.Result = linked.ID, linked.Later(out.Result)
	return out, err
}

// dispatcher refuses a user that cannot look after clients.
func (s *Service) dispatcher(ctx context.Context, c access.Caller, cmd aggregates.Command, id uuid.UUID) error {
	u, err := aggregates.Load(ctx, s.x, users, c.Org, id)
	switch {
	case err != nil:
		return err
	case !u.Exists() || !c.SeesUser(u.Subject(id, cmd.At)):
		return user.None()
	case !mayLookAfter(u):
		return fault.InvalidField("dispatcher", "must be a user who may look after clients and is not blocked")
	}
	return nil
}

// mayLookAfter reports whether a user can be a client's dispatcher.
func mayLookAfter(u user.State) bool {
	return (u.Status == user.Active || u.Status == user.Invited) && u.Role != access.RoleCustomer && u.Role != access.RoleAuditor
}

// LinkClientGroup asks for a group for a client that has none.
type LinkClientGroup struct {
	Client    uuid.UUID
	GroupName string
}

// LinkClientGroup makes the client's group and links it, one to one. The result
// names the group. Errors: NotFound, Denied, Invalid, Conflict
// (group-name-taken, client-has-group, client-removed).
func (s *Service) LinkClientGroup(ctx context.Context, c access.Caller, env Envelope, in LinkClientGroup) (Created, error) {
	if err := s.lookManage(ctx, c, in.Client); err != nil {
		return Created{}, err
	}
	if err := group.CheckName("group_name", in.GroupName); err != nil {
		return Created{}, err
	}
	cmd := s.command(c, env)
	t, err := aggregates.Load(ctx, s.x, clients, c.Org, in.Client)
	if err == nil {
		err = t.Present() // before a group is made for nothing
	}
	if err != nil {
		out := Created{ID: t.Group}
		out.Result, err = unlessDone(ctx, s, clients, in.Client, cmd, err)
		return out, err
	}
	if cmd.Expected != nil { // of the client; before a group is made for nothing
		look := func(client.State) ([]events.Payload, error) { return nil, nil }
		if _, err := aggregates.Execute(ctx, s.x, clients, in.Client, cmd, look); err != nil {
			return Created{}, err
		}
	}
	out, err := s.link(ctx, cmd, in.Client, in.GroupName)
	if err == nil {
		out.Result = s.followUp(ctx, in.Client, out.Result)
	}
	return out, err
}

// link makes the client's group and links it. The group's id is derived from
// the client's, so that there is one group however many commands make it; when
// a creation was abandoned, the next id is tried.
func (s *Service) link(ctx context.Context, cmd aggregates.Command, id uuid.UUID, name string) (Created, error) {
	for life := 0; ; life++ {
		groupID := clientGroupID(cmd.Org, id, life)
		g, err := aggregates.Load(ctx, s.x, groups, cmd.Org, groupID)
		if err != nil {
			return Created{}, err
		}
		if g.Abandoned {
			continue
		}
		if !g.Exists() {
			made := cmd
			made.Expected = nil // of the client's stream
			if g, err = s.clientGroup(ctx, made, groupID, group.Create{Name: name, Client: id}); err != nil {
				return Created{}, err
			}
		}
		if group.NormalName(g.Name) != group.NormalName(name) {
			// Whoever looks after the client need not see its group, nor what it is called.
			return Created{}, fault.New(fault.Conflict, "client-has-group", "The client has a group already, which has another name.")
		}
		return s.linkTo(ctx, cmd, id, groupID)
	}
}

// clientGroupID is the id of a client's group, after so many creations of it that
// were abandoned.
func clientGroupID(org, client uuid.UUID, life int) uuid.UUID {
	return uuid.NewSHA1(org, fmt.Appendf(nil, "client group %s %d", client, life))
}

// clientGroup makes a client's group. When somebody else made it meanwhile,
// under whatever name, that one counts.
func (s *Service) clientGroup(ctx context.Context, cmd aggregates.Command, id uuid.UUID, in group.Create) (group.State, error) {
	_, err := s.createGroup(ctx, cmd, id, in)
	if isCode(err, "group-exists") {
		_, err = s.claims.Settle(ctx, cmd, nameKey(in.Name), groupHolder(id))
	}
	if err != nil {
		return group.State{}, err
	}
	return aggregates.Load(ctx, s.x, groups, cmd.Org, id)
}

// linkTo links the client to its group as it was made, whoever made it.
func (s *Service) linkTo(ctx context.Context, cmd aggregates.Command, id, groupID uuid.UUID) (Created, error) {
	g, err := aggregates.Load(ctx, s.x, groups, cmd.Org, groupID)
	if err != nil {
		return Created{}, err
	}
	if !g.Exists() || g.Kind != events.GroupKindClient {
		return Created{}, noGroup()
	}
	res, err := aggregates.Execute(ctx, s.x, clients, id, cmd, client.LinkGroup{Group: groupID, Name: g.Name}.Decide)
	return Created{groupID, res}, err
}

// LinkGroupOf links the client that a group was made for, when that was left
// undone. It is for policies. Errors: NotFound, Conflict.
func (s *Service) LinkGroupOf(ctx context.Context, c access.Caller, env Envelope, groupID, clientID uuid.UUID) (aggregates.Result, error) {
	if !c.System {
		return aggregates.Result{}, fault.New(fault.Denied, "system-only", "This is done by waybill itself.")
	}
	out, err := s.linkTo(ctx, s.command(c, env), clientID, groupID)
	return out.Result, err
}
