package readapi_test

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/access/route"
	"waybill/aggregates/commandapi"
)

// play sends requests by the names of their routes, each of which must go well.
type play struct {
	*grounds
	position string // in the log, of the last command
}

// as sends one as somebody. The ids stand in the path; an empty body is one that
// makes sense, as an attacker would send it.
func (p *play) as(t *testing.T, who person, name, body string, ids ...uuid.UUID) commandapi.Done {
	t.Helper()
	var sh shape
	for _, rt := range p.s.routes {
		if rt.Name == name {
			var err error
			sh, err = shapeOf(rt)
			must(t, err)
		}
	}
	if sh.Path == "" {
		t.Fatalf("there is no route %s", name)
	}
	names := called{}
	for i, param := range sh.PathParams() {
		for _, sl := range sh.slots {
			if sl.in == "path" && sl.name == param && i < len(ids) {
				names[sl] = []string{ids[i].String()}
			}
		}
	}
	path, sample := sh.request(p.own, names)
	headers := []string{"Content-Type", cmp.Or(sh.Media, "application/json")}
	a := who.do(t, sh.Method, path, cmp.Or(body, sample), headers...)
	if a.status == http.StatusPreconditionRequired {
		thing := p.owner.get(t, strings.Join(strings.Split(path, "/")[:4], "/"), "Waybill-Position", p.position)
		a = who.do(t, sh.Method, path, cmp.Or(body, sample), append(headers, "If-Match", thing.header.Get("ETag"))...)
	}
	if a.status >= http.StatusBadRequest {
		t.Errorf("%s: %s %s %s: %d %s", name, sh.Method, path, cmp.Or(body, sample), a.status, a.body)
		return commandapi.Done{}
	}
	p.position = cmp.Or(a.header.Get("Waybill-Position"), p.position)
	var d struct {
		ID   uuid.UUID      `json:"id"`
		Rest map[string]any `json:",unknown"`
	}
	if strings.HasPrefix(a.header.Get("Content-Type"), "application/json") {
		a.into(t, &d)
	}
	return commandapi.Done{ID: d.ID}
}

func (p *play) do(t *testing.T, name, body string, ids ...uuid.UUID) uuid.UUID {
	t.Helper()
	return p.as(t, p.owner, name, body, ids...).ID
}

// TestEveryRouteAnswersAsTheOpenAPIDocumentSays has every route answer well once, and
// once with a problem where it can. All are held against their schemas.
func TestEveryRouteAnswersAsTheOpenAPIDocumentSays(t *testing.T) {
	t.Parallel()
	s := newStackLimited(t, access.Limits{PerIP: 1 << 30, PerEmail: 1 << 30})
	p := &play{grounds: newGrounds(t, s, "plugh")}
	p.groupsLife(t)
	p.deliveriesLife(t)
	p.clientsLife(t)
	p.usersLife(t)
	p.own.add(aKey, uuid.New())
	p.own.add(aSession, uuid.New())
	for _, rt := range s.routes {
		if rt.Method == http.MethodGet {
			p.do(t, rt.Name, "")
		}
	}
	(person{s: s}).ok(t, "/openapi.json")
	p.peoplesOwn(t)
	for _, rt := range s.routes { // of nobody, or nothing
		sh, err := shapeOf(rt)
		must(t, err)
		path, _ := sh.request(p.own, nil)
		(person{s: s}).do(t, sh.Method, path, "{", "Content-Type", cmp.Or(sh.Media, "application/json"))
	}
	for _, name := range s.contract.unseen(true) {
		t.Errorf("no answer of %s that went well was held against the document", name)
	}
	for _, name := range s.contract.unseen(false) {
		if !p.never(name) {
			t.Errorf("no answer of %s that was a problem was held against the document", name)
		}
	}
}

// never are routes that have no problem to tell: public ones that take nothing.
func (p *play) never(name string) bool {
	for _, rt := range append(p.s.routes, route.Own()) {
		if rt.Method+" "+rt.Path == name {
			return rt.Public && rt.Method == http.MethodGet && len(rt.PathParams()) == 0
		}
	}
	return false
}

func (p *play) groupsLife(t *testing.T) {
	t.Helper()
	p.do(t, "setTimezone", `{"timezone": "Europe/Berlin"}`)
	p.do(t, "setImportTemplate", `{"columns": {"group": "Kunde"}}`)
	group, into := p.do(t, "createGroup", `{"name": "plugh Four"}`), p.do(t, "createGroup", `{"name": "plugh Five"}`)
	p.do(t, "renameGroup", `{"name": "plugh Vier"}`, group)
	p.do(t, "setGroupImportTemplate", `{"columns": {"group": "Kunde"}}`, group)
	van := p.do(t, "registerVehicle", `{"name": "plugh Bus", "plate": "plugh 2"}`)
	p.do(t, "addVehicleToGroup", "", group, van)
	p.do(t, "recordPositions", `{"positions": [{"at": "2026-03-02T12:00:00Z", "latitude": 1, "longitude": 1}]}`, van)
	p.do(t, "removeVehicleFromGroup", "", group, van)
	p.do(t, "removeVehicle", "", van)
	p.do(t, "archiveGroup", "", group)
	p.do(t, "restoreGroup", "", group)
	p.do(t, "mergeGroup", fmt.Sprintf(`{"into": %q, "acknowledge_widening": true}`, into), group)
	p.do(t, "unmapCustomerCode", "")
	p.do(t, "mapCustomerCode", "")
}

func (p *play) deliveriesLife(t *testing.T) {
	t.Helper()
	next := 0
	fresh := func(names ...string) (id uuid.UUID) {
		next++
		id = p.do(t, "createDelivery", fmt.Sprintf(`{"do_number": "plugh-N%d", "date": "2026-03-02", "group": %q, "items": [{"description": "Plums", "quantity": 3}]}`, next, p.mine))
		for _, name := range names {
			p.do(t, name, "", id)
		}
		return id
	}
	fresh("receiveGoods", "hold", "release", "changeDelivery", "assignVehicle", "dispatch", "startHeading", "arrive", "complete", "correctOutcome")
	fresh("dispatch", "returnDelivery")
	fresh("cancel")
	fresh("deleteDelivery")
	p.do(t, "reattempt", `{"date": "2026-03-09"}`, fresh("dispatch", "fail"))
	p.do(t, "completePartially", `{"items": [{"id": "1", "rejected": 1}]}`, fresh("dispatch"))
	p.do(t, "reviseEta", `{"eta": "2026-03-02T12:00:00Z"}`, fresh("assignVehicle", "unassignVehicle", "untagDelivery", "tagDelivery"))
	p.do(t, "bulkDeliveries", fmt.Sprintf(`{"do": "hold", "deliveries": [%q, %q]}`, fresh(), uuid.New()))
	p.do(t, "importDeliveries", "Kunde,D.O. Number,Date\n,PROBE-1,2026-03-02\n,,\n,PROBE-2,never\n")
}

func (p *play) clientsLife(t *testing.T) {
	t.Helper()
	dana := p.do(t, "addUser", `{"name": "Dana", "email": "dana-plugh@example.com", "role": "dispatcher", "groups": []}`)
	client := func(name string) (id uuid.UUID, email string) {
		email = name + "-plugh@example.com"
		return p.do(t, "addClient", fmt.Sprintf(`{"business_name": "plugh %s", "contact": "plugh", "email": %q}`, name, email)), email
	}
	open := func(id, invitation uuid.UUID, email string) string {
		g := &grove{email: email, client: id}
		g.s, g.org = p.s, p.org
		return g.link(t, invitation)
	}
	made, email := client("made")
	p.do(t, "updateClientDetails", fmt.Sprintf(`{"business_name": "plugh New", "email": %q}`, email), made)
	p.do(t, "linkClientGroup", `{"group_name": "plugh New"}`, made)
	p.do(t, "assignDispatcher", fmt.Sprintf(`{"dispatcher": %q}`, dana), made)
	p.do(t, "unassignDispatcher", "", made)
	p.do(t, "createClientAccount", "{}", made)
	p.do(t, "removeClient", "{}", made)
	p.do(t, "reinstateClient", "", made)

	invited, email := client("invited")
	p.do(t, "inviteClient", `{"group_name": "plugh Invited"}`, invited)
	p.do(t, "resendClientInvitation", "", invited)
	p.do(t, "revokeClientInvitation", "", invited)
	token := open(invited, p.do(t, "inviteClient", "{}", invited), email)
	p.as(t, person{s: p.s}, "declineClientInvitation", fmt.Sprintf(`{"token": %q, "email": %q}`, token, email))
	token = open(invited, p.do(t, "inviteClient", "{}", invited), email)
	p.as(t, person{s: p.s}, "acceptClientInvitation", fmt.Sprintf(`{"token": %q, "email": %q, "password": %q}`, token, email, password))
	p.owner.caughtUp(t, p.position)
	carl := p.s.signIn(t, email)
	p.as(t, carl, "withdrawClientApproval", "", invited)
	p.as(t, carl, "grantClientApproval", "", invited)
}

func (p *play) usersLife(t *testing.T) {
	t.Helper()
	user := func(name string) uuid.UUID {
		return p.do(t, "addUser", fmt.Sprintf(`{"name": "plugh %s", "email": "%s-plugh@example.com", "role": "cso", "groups": [%q]}`, name, name, p.mine))
	}
	colleague := uuids(t, p.own[aUser])[0]
	ida := user("ida")
	p.do(t, "resendInvitation", "", ida)
	p.do(t, "revokeInvitation", "", ida)
	ivy := user("ivy")
	_ = p.s.join(t, p.org, ivy, "ivy-plugh@example.com")
	p.do(t, "setPermissions", `{"permissions": {"export_deliveries": true}}`, ivy)
	p.do(t, "grantGroupAccess", `{"expires_at": "2100-01-01T00:00:00Z"}`, ivy, p.mine2)
	p.do(t, "revokeGroupAccess", "", ivy, p.mine2)
	p.do(t, "replaceGroups", fmt.Sprintf(`{"groups": [%q]}`, p.mine2), ivy)
	p.do(t, "changeRole", `{"role": "manager"}`, ivy)
	p.do(t, "grantAllGroupsAccess", "", ivy)
	p.do(t, "denyGroupAccess", "", colleague, uuids(t, p.own[aRequest])[0])
	p.owner.caughtUp(t, p.position)
	asked := p.as(t, p.s.signIn(t, "ivy-plugh@example.com"), "requestGroupAccess", fmt.Sprintf(`{"group": %q, "reason": "because"}`, p.mine2), colleague)
	p.do(t, "approveGroupAccess", "", colleague, asked.ID)
	p.do(t, "revokeAllGroupsAccess", fmt.Sprintf(`{"groups": [%q], "reason": "because"}`, p.mine), ivy)
	p.do(t, "recordAccessReview", `{"decision": "keep"}`, ivy)
	p.do(t, "blockUser", "", ivy)
	p.do(t, "unblockUser", "", ivy)
	p.do(t, "removeUser", "", ivy)
}

// peoplesOwn are the sessions and keys of a person; the owner's are gone after it.
func (p *play) peoplesOwn(t *testing.T) {
	t.Helper()
	email := strings.ToLower(p.name) + "-owner@example.com"
	p.as(t, person{s: p.s}, "requestPasswordReset", fmt.Sprintf(`{"email": %q}`, email))
	p.do(t, "revokeAPIKey", "", p.do(t, "makeAPIKey", `{"name": "machine"}`))
	other := p.s.open(t, p.org, p.owner.user, access.RoleOwner)
	sessions := exactly[commandapi.Sessions](t, other.ok(t, "/v1/sessions")).Sessions
	for _, one := range sessions {
		if !one.Current {
			p.as(t, other, "endSession", "", one.ID)
			break
		}
	}
	p.as(t, other, "signOut", "")
	last := p.s.open(t, p.org, p.owner.user, access.RoleOwner)
	p.as(t, last, "signOutEverywhere", "")
}
