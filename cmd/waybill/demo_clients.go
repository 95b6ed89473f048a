package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/events"
	"waybill/events/fault"
	"waybill/readapi"
)

// shownClient is a client of the demo with its account, as its dispatcher sees it.
type shownClient struct {
	Name     string `json:"name"`
	Email    string `json:"email"`
	Mode     string `json:"mode"` // how its account came to be
	Status   string `json:"status"`
	Approval string `json:"approval"`
	Link     string `json:"link,omitzero"`
}

// clients shows both ways to a client's account: made on its behalf, and by its
// own acceptance of an invitation. A dispatcher looks after both.
func (d *demo) clients(ctx context.Context, out *shown) error {
	system := access.System(d.org.ID)
	dana, err := d.s.commands.AddUser(ctx, system, d.envelope("dispatcher"), command.AddUser{
		Name: "Dana", Email: d.email("dana"), Role: access.RoleDispatcher, Access: "none"})
	if err != nil {
		return fmt.Errorf("add dispatcher: %w", err)
	}
	last := dana.Position
	for name, account := range map[string]func(context.Context, access.Caller, uuid.UUID) (events.Position, error){"Damson": d.onBehalf, "Cherry": d.byInvitation} {
		email := d.email("client-of-" + slugOf(name))
		added, err := d.s.commands.AddClient(ctx, system, d.envelope("client "+name), command.AddClient{
			BusinessName: name + " Ltd", Contact: name + " Contact", Email: email, Dispatcher: dana.ID, GroupName: name + " (client)"})
		if err != nil {
			return fmt.Errorf("add client %s: %w", name, err)
		}
		at, err := account(ctx, system, added.ID)
		if err != nil && !fault.Is(err, fault.Conflict) { // changed by hand since an earlier run
			return fmt.Errorf("account of client %s: %w", name, err)
		}
		if at.After(last) {
			last = at
		}
	}
	if err := d.s.progress.Wait(ctx, last); err != nil {
		return err
	}
	return d.showClients(ctx, dana.ID, out)
}

func (d *demo) onBehalf(ctx context.Context, system access.Caller, id uuid.UUID) (events.Position, error) {
	made, err := d.s.commands.CreateClientAccount(ctx, system, d.envelope("account "+id.String()), command.CreateClientAccount{Client: id})
	return made.Position, err
}

func (d *demo) byInvitation(ctx context.Context, system access.Caller, id uuid.UUID) (events.Position, error) {
	invited, err := d.s.commands.InviteClient(ctx, system, d.envelope("invite "+id.String()), command.InviteClient{Client: id})
	if err != nil {
		return invited.Position, err
	}
	email := d.email("client-of-cherry")
	identity, err := d.s.access.Ensure(ctx, email)
	if err != nil {
		return invited.Position, err
	}
	who := access.Caller{Org: d.org.ID, Identity: identity, Actor: events.Actor{Type: events.ActorIdentity, ID: identity.String()}}
	accepted, err := d.s.commands.AcceptClientInvitation(ctx, who, d.envelope("accept "+id.String()),
		command.AcceptClientInvitation{Client: id, Invitation: invited.Invitation, Email: email})
	return accepted.Position, err
}

// showClients asks as the dispatcher.
func (d *demo) showClients(ctx context.Context, dispatcher uuid.UUID, out *shown) error {
	v, err := d.viewer()
	if err != nil {
		return err
	}
	callers, _, err := d.callers(ctx)
	if err != nil {
		return err
	}
	var list readapi.Clients
	if err := v.ask(ctx, callers[dispatcher], "listClients", nil, &list); err != nil {
		return err
	}
	for _, c := range list.Clients {
		one := shownClient{Name: c.BusinessName, Mode: c.Mode, Status: c.Status, Approval: c.Approval}
		if c.Email != nil {
			one.Email = *c.Email
		}
		members, err := d.s.members(ctx, one.Email, d.org.ID)
		if err != nil {
			return err
		}
		if d.base != "" && len(members) == 1 {
			token, _, err := d.s.link(ctx, members[0])
			if err != nil {
				return err
			}
			one.Link = linkOf(d.base, token, members[0].Email)
		}
		out.Clients = append(out.Clients, one)
	}
	return nil
}

func (d *shown) printClients(w io.Writer) {
	if len(d.Clients) == 0 {
		return
	}
	fmt.Fprintln(w, "\nClients with accounts, as their dispatcher sees them:")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, c := range d.Clients {
		how := "made on its behalf"
		if c.Mode == events.ModeInvited {
			how = "invited, chose its own credentials"
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s, approval %s\n", c.Name, c.Email, how, c.Status, c.Approval)
		if c.Link != "" {
			fmt.Fprintf(t, "  \t%s\n", c.Link)
		}
	}
	t.Flush()
}
