package main

import (
	"context"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/events"
)

func (w *world) resendInvitation(rt *rapid.T) {
	a, u := w.onUser(rt, "POST", "/invitation/resend")
	a.refuse(!u.present(), conflict, "removed")
	a.refuse(!u.pending(), conflict, "accepted")
	a.then = func(reply) { u.withdrawn, u.invitationEnds = false, w.time.Now().Add(week) }
	w.give(rt, a)
}

// pending: invited, and not accepted yet.
func (u *muser) pending() bool {
	return u.invited && (u.status == "invited" || u.status == "blocked" && u.before == "invited")
}

func (w *world) revokeInvitation(rt *rapid.T) {
	a, u := w.onUser(rt, "DELETE", "/invitation")
	a.body = nil
	a.refuse(!u.present(), conflict, "removed")
	a.refuse(!u.pending(), conflict, "accepted")
	a.then = func(reply) { u.withdrawn = true }
	w.give(rt, a)
}

// as is the person behind an e-mail, who has proved it.
func (w *world) as(ctx context.Context, o *tenant, email string) (access.Caller, error) {
	identity, err := w.access.Ensure(ctx, email)
	return access.Caller{Org: o.id, Identity: identity, Actor: events.Actor{Type: events.ActorIdentity, ID: identity.String()}}, err
}

func (w *world) acceptInvitation(rt *rapid.T) {
	o := w.tenants[below(rt, "organisation", 4)/3]
	u := oneOf(rt, "user", likely(rt, usersOf, func(u *muser) bool { return u.status == "invited" })(o)...)
	a := &attempt{path: "accept the invitation of a user", by: asker{u, nil}}
	email := u.email
	if below(rt, "odd", 10) == 9 {
		email = w.email(rt, o)
	}
	a.refuse(email != u.email, notFound, "somebody else")
	a.refuse(u.status == "blocked" || u.status == "removed", conflict, u.status)
	a.refuse(!u.invited, conflict, "not invited")
	a.refuse(u.status == "invited" && (u.withdrawn || !w.time.Now().Before(u.invitationEnds)), conflict, "not open")
	a.call = func(ctx context.Context) error {
		who, err := w.as(ctx, o, email)
		if err == nil {
			_, err = w.commands.AcceptInvitation(ctx, who, command.Envelope{}, command.AcceptInvitation{User: u.id})
		}
		return err
	}
	a.then = func(reply) { u.status = "active" }
	w.give(rt, a)
}

func (w *world) inviteClient(rt *rapid.T) {
	a, k := w.onClient(rt, "POST", "/invitation")
	name := a.grouped(k, groupNamed(rt, a.body, 3), k.name)
	a.refuse(k.removed, conflict, "removed")
	a.refuse(k.mode != "", conflict, "has an account")
	a.refuse(k.isOpen(), conflict, "invited already")
	a.then = func(res reply) {
		k.invitation, k.open, k.invitedTo, k.ends = w.idOf(rt, res), true, k.email, w.time.Now().Add(week)
		if k.group == nil {
			k.link(w.linked(rt, k), name)
		}
	}
	w.give(rt, a)
}

// linked is the id of a client's group, which not every answer tells.
func (w *world) linked(rt *rapid.T, k *mclient) uuid.UUID {
	must(rt, w.settle(w.ctx))
	var id uuid.UUID
	must(rt, w.pools.Projector.QueryRow(w.ctx, `SELECT group_id FROM read.clients WHERE client_id = $1`, k.id).Scan(&id))
	return id
}

func (w *world) resendClientInvitation(rt *rapid.T) {
	a, k := w.onClient(rt, "POST", "/invitation/resend")
	a.refuse(k.removed, conflict, "removed")
	a.refuse(!k.isOpen(), conflict, "not open")
	a.then = func(reply) { k.ends = w.time.Now().Add(week) }
	w.give(rt, a)
}

func (w *world) revokeClientInvitation(rt *rapid.T) {
	a, k := w.onClient(rt, "DELETE", "/invitation")
	a.refuse(k.removed, conflict, "removed")
	a.then = func(reply) { k.open = false }
	w.give(rt, a)
}

// answer is what an invited client says.
func (w *world) answer(rt *rapid.T, yes bool) {
	o := w.tenants[below(rt, "organisation", 4)/3]
	if len(o.clients) == 0 {
		rt.Skip()
	}
	k := oneOf(rt, "client", likely(rt, clientsOf, (*mclient).isOpen)(o)...)
	a := &attempt{path: "answer the invitation of a client", by: asker{o.users[0], nil}}
	email := k.invitedTo
	if email == "" || below(rt, "odd", 10) == 9 {
		email = w.email(rt, o)
	}
	invitation := k.invitation
	if yes && k.accepted != uuid.Nil && k.accepted == invitation && k.contact.email == email && !k.removed {
		w.answers(rt, a, o, k, email, true) // it did so before
		return
	}
	a.refuse(!k.isOpen(), conflict, "not open")
	a.refuse(email != k.invitedTo, conflict, "another e-mail")
	a.records = yes && k.isOpen() && email != k.invitedTo
	if yes {
		a.contacts(k, email, nil)
	}
	a.then = func(reply) {
		k.open = false
		if yes {
			k.mode, k.email, k.accepted, k.approved = "invited", email, invitation, []time.Time{w.time.Now()}
			k.opened(w.contact(rt, k), email, &muser{status: "active"})
		}
	}
	w.answers(rt, a, o, k, email, yes)
}

// answers gives the answer, as the person behind an e-mail.
func (w *world) answers(rt *rapid.T, a *attempt, o *tenant, k *mclient, email string, yes bool) {
	a.call = func(ctx context.Context) error {
		who, err := w.as(ctx, o, email)
		if err != nil {
			return err
		}
		if yes {
			_, err = w.commands.AcceptClientInvitation(ctx, who, command.Envelope{}, command.AcceptClientInvitation{Client: k.id, Invitation: k.invitation, Email: email})
		} else {
			_, err = w.commands.DeclineClientInvitation(ctx, who, command.Envelope{}, command.DeclineClientInvitation{Client: k.id, Invitation: k.invitation, Email: email})
		}
		return err
	}
	w.give(rt, a)
}

// contact is the id of the contact of a client's account.
func (w *world) contact(rt *rapid.T, k *mclient) uuid.UUID {
	must(rt, w.settle(w.ctx))
	var id uuid.UUID
	must(rt, w.pools.Projector.QueryRow(w.ctx, `SELECT user_id FROM read.clients WHERE client_id = $1`, k.id).Scan(&id))
	return id
}

func (w *world) acceptAsClient(rt *rapid.T)  { w.answer(rt, true) }
func (w *world) declineAsClient(rt *rapid.T) { w.answer(rt, false) }

// pass lets time go by, past what ends by itself. What is over is over at once, also
// before anybody recorded it.
func (w *world) pass(rt *rapid.T) {
	w.time.advance(oneOf(rt, "time", time.Hour, 23*time.Hour, 4*24*time.Hour, week))
	for _, o := range w.tenants {
		for _, u := range o.users {
			u.token = "" // its time is over, too
		}
	}
	w.moved = true
	w.compare(rt)
	must(rt, w.settle(w.ctx))
	w.moved = true
}
