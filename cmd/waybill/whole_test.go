package main

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"waybill/aggregates/access"
	"waybill/aggregates/command"
)

// actions are all that can happen, each as likely as it is listed.
func (w *world) actions() []func(*rapid.T) {
	return []func(*rapid.T){
		w.addUser, w.setPermissions, w.changeRole, w.blockUser, w.removeUser, w.unblockUser, w.unblockUser,
		w.grantGroup, w.grantGroup, w.grantGroup, w.revokeGroup, w.replaceGroups, w.replaceGroups, w.grantAll, w.revokeAll, w.revokeAll,
		w.requestGroup, w.requestGroup, w.approve, w.approve, w.deny, w.review,
		w.resendInvitation, w.revokeInvitation, w.acceptInvitation, w.acceptInvitation, w.acceptInvitation,
		w.createGroup, w.renameGroup, w.archiveGroup, w.restoreGroup, w.restoreGroup, w.mergeGroup, w.mergeGroup,
		w.groupField, w.timezone, w.template, w.mapCode, w.unmapCode,
		w.registerVehicle, w.addVehicle, w.addVehicle, w.dropVehicle, w.removeVehicle, w.reportPosition,
		w.addClient, w.addClient, w.updateClient, w.linkGroup, w.createAccount, w.createAccount, w.assignDispatcher, w.assignDispatcher, w.unassignDispatcher,
		w.withdrawApproval, w.grantApproval, w.removeClient, w.reinstateClient, w.reinstateClient,
		w.inviteClient, w.inviteClient, w.resendClientInvitation, w.revokeClientInvitation, w.acceptAsClient, w.acceptAsClient, w.declineAsClient,
		w.createDelivery, w.createDelivery, w.createDelivery, w.changeDelivery, w.tag, w.tag, w.tag, w.untag, w.assign, w.unassign, w.deleteDelivery,
		w.live, w.live, w.live, w.live, w.correct, w.eta, w.reattempt, w.reattempt, w.bulk, w.bulk, w.bulk,
		w.importFile, w.importFile, w.importFile, w.importAgain, w.importMoved, w.importMoved, w.importExport, w.exportFile, w.exportFile,
		w.makeKey, w.revokeKey, w.pass, w.pass,
	}
}

// Every check has two organisations of its own; the log and the tables are common
// to all, as they are in life.
func TestWhateverHappensEverybodySeesWhatTheRulesSay(t *testing.T) {
	s := newWhole(t)
	var cases atomic.Int64
	rapid.Check(t, func(rt *rapid.T) {
		w := &world{whole: s, ctx: t.Context(), ghost: ghost()}
		w.populate(rt, cases.Add(1))
		actions := w.actions()
		w.moved = true
		rt.Repeat(map[string]func(*rapid.T){
			"step": func(rt *rapid.T) { actions[below(rt, "action", len(actions))](rt) },
			"":     w.compare,
		})
		for i, a := range w.askers() {
			if i%2 == 0 { // about everybody was asked once after some command already
				w.turn++
				w.compareOverHTTP(rt, a)
			}
			w.compareExport(rt, a, "csv", "", func(*mdelivery) bool { return true })
		}
	})
}

// ghost is an organisation of which nothing exists.
func ghost() *tenant {
	o := &tenant{id: uuid.New()}
	o.users = []*muser{{id: uuid.New(), of: o, role: "cso", status: "active"}}
	o.groups = []*mgroup{{id: uuid.New(), of: o, status: "active"}}
	o.vehicles = []*mvehicle{{id: uuid.New(), of: o}}
	o.clients = []*mclient{{id: uuid.New(), of: o}}
	o.deliveries = []*mdelivery{{id: uuid.New(), of: o, status: "info_received"}}
	return o
}

// populate makes two organisations with somebody and something in them.
func (w *world) populate(rt *rapid.T, n int64) {
	for i := range 2 {
		email := fmt.Sprintf("owner%d@c%d.example.com", i, n)
		made, err := w.commands.CreateOrganisation(w.ctx, access.System(uuid.Nil), command.Envelope{}, command.CreateOrganisation{
			Name: fmt.Sprintf("Case %d %d", n, i), Kind: "operator", Timezone: "UTC", Owner: command.Owner{Name: "Olivia", Email: email}})
		must(rt, err)
		o := &tenant{id: made.Organisation, all: made.AllGroup, time: w.time, codes: map[string]*mgroup{}, imported: map[dkey]bool{}, zone: time.UTC}
		owner := &muser{id: made.Owner.ID, of: o, email: email, role: "owner", status: "active", all: true, invited: true, switches: map[string]bool{}}
		o.users = []*muser{owner}
		w.tenants = append(w.tenants, o)
		w.accept(rt, owner)
	}
	must(rt, w.settle(w.ctx))
	for _, o := range w.tenants {
		w.settleIn(rt, o)
	}
	must(rt, w.settle(w.ctx))
}

func (w *world) accept(rt *rapid.T, u *muser) {
	_, err := w.commands.AcceptInvitation(w.ctx, access.System(u.of.id), command.Envelope{}, command.AcceptInvitation{User: u.id})
	must(rt, err)
}

// does has an owner do what must go well.
func (w *world) does(rt *rapid.T, o *tenant, method, path string, body map[string]any) reply {
	res, err := w.send(w.ctx, w.token(rt, asker{o.users[0], nil}), method, path, body)
	must(rt, err)
	if k, ok := groundsOf(res.status); !ok || k != 0 {
		rt.Fatalf("%s %s: %d %s", method, path, res.status, res.body)
	}
	return res
}

// settleIn gives an organisation groups, people, vehicles, clients and deliveries.
func (w *world) settleIn(rt *rapid.T, o *tenant) {
	w.does(rt, o, "PUT", "/v1/settings/group-field", map[string]any{"enabled": true})
	o.field = true
	for i := range 3 {
		g := &mgroup{of: o, name: fmt.Sprint("Group ", i), status: "active"}
		g.id = w.idOf(rt, w.does(rt, o, "POST", "/v1/groups", map[string]any{"name": g.name}))
		o.groups = append(o.groups, g)
	}
	for i, g := range o.groups[:2] {
		code := fmt.Sprint("C", i)
		w.does(rt, o, "PUT", "/v1/customer-codes/"+code, map[string]any{"group": g.id})
		o.codes[normal(code)] = g
	}
	for i, role := range []string{"manager", "dispatcher", "customer", "owner", "manager"} {
		u := &muser{of: o, email: w.emailOf(i, o), role: role, status: "active", invited: true, switches: map[string]bool{}}
		if role == "customer" { // one that may work on its own deliveries
			u.switches["create_deliveries"], u.switches["update_status"] = true, true
		}
		body := map[string]any{"name": "Somebody", "email": u.email, "role": role, "permissions": u.switches}
		switch i {
		case 3:
			u.all = true
		case 4:
			u.all, body["access"] = true, "all"
		default:
			for _, g := range o.groups[:1+i%2] {
				u.grants = append(u.grants, &mgrant{group: g, basis: "direct"})
			}
			body["groups"] = ids(slices.Clone(o.groups[:1+i%2]))
		}
		u.id = w.idOf(rt, w.does(rt, o, "POST", "/v1/users", body))
		o.users = append(o.users, u)
		w.accept(rt, u)
	}
	for i := range 2 {
		v := &mvehicle{of: o, name: fmt.Sprint("Van SGX ", i), plate: fmt.Sprint("SGX ", i)}
		v.id = w.idOf(rt, w.does(rt, o, "POST", "/v1/vehicles", map[string]any{"name": v.name, "plate": v.plate}))
		o.vehicles = append(o.vehicles, v)
		k := &mclient{of: o, name: fmt.Sprint("Client ", i), email: w.emailOf(10+i, o)}
		k.id = w.idOf(rt, w.does(rt, o, "POST", "/v1/clients", map[string]any{"business_name": k.name, "email": k.email}))
		o.clients = append(o.clients, k)
		d := &mdelivery{of: o, kind: "delivery", number: fmt.Sprint("DO-", i), day: days()[0], status: "info_received", attempt: 1, quantity: 2, group: o.groups[i]}
		d.id = w.idOf(rt, w.does(rt, o, "POST", "/v1/deliveries", map[string]any{
			"do_number": d.number, "date": d.day, "group": d.group.id, "items": []map[string]any{{"quantity": "2"}}}))
		o.deliveries = append(o.deliveries, d)
	}
	w.does(rt, o, "POST", "/v1/deliveries/"+o.deliveries[1].id.String()+"/dispatch", nil)
	o.deliveries[1].move("dispatch")
	w.engage(rt, o)
	if o == w.tenants[0] {
		w.equip(rt, o)
	}
	w.time.advance(time.Second)
}

// engage makes one client an account with a dispatcher, and invites the other.
func (w *world) engage(rt *rapid.T, o *tenant) {
	one, other := o.clients[0], o.clients[1]
	var made struct {
		User  uuid.UUID      `json:"user"`
		Group uuid.UUID      `json:"group"`
		Rest  map[string]any `json:",unknown"`
	}
	path := "/v1/clients/" + one.id.String()
	must(rt, w.does(rt, o, "POST", path+"/account", nil).into(&made))
	one.link(made.Group, one.name)
	w.does(rt, o, "PUT", "/v1/customer-codes/C2", map[string]any{"group": one.group.id})
	o.codes[normal("C2")] = one.group
	one.mode = "on_behalf"
	one.opened(made.User, one.email, &muser{status: "active", invited: true})
	w.accept(rt, one.contact)
	w.does(rt, o, "PUT", path+"/dispatcher", map[string]any{"dispatcher": o.users[2].id})
	one.dispatcher = o.users[2]
	one.follow()
	other.invitation = w.idOf(rt, w.does(rt, o, "POST", "/v1/clients/"+other.id.String()+"/invitation", nil))
	other.open, other.invitedTo, other.ends = true, other.email, w.time.Now().Add(week)
	other.link(w.linked(rt, other), other.name)
}
