package readapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/commandapi"
	"waybill/readapi"
)

// Kinds of things that ids stand for.
const (
	aGroup    = "group"
	aDelivery = "delivery"
	aUser     = "user"
	aClient   = "client"
	aVehicle  = "vehicle"
	aRequest  = "access request"
	aSession  = "session"
	aKey      = "API key"
	aCode     = "customer code"
	aText     = "text to search for"

	anOrganisation = "organisation"
)

// holdings are things, by kind: ids, or what else names them.
type holdings map[string][]string

func (h holdings) add(kind string, ids ...uuid.UUID) {
	for _, id := range ids {
		h[kind] = append(h[kind], id.String())
	}
}

// Every text that is planted begins with one of these marks, which says who must
// not meet it.
const (
	markOrg    = "xyzzyorg"    // strangers
	markMine   = "xyzzymine"   // who sees neither of the two groups of everybody
	markHidden = "xyzzyhidden" // who does not see the hidden group
	markOld    = "xyzzyold"    // who does not see everything: archived and merged groups
	markLoose  = "xyzzyloose"  // who does not see everything: what is in no group
	markWard   = "xyzzyward"   // who does not look after the one client without a group
	markLater  = "xyzzylater"  // anybody but the owner: what is planted while they look on
)

// The hidden vehicle is where no other one is.
const hiddenLatitude = "48.1371137"

// grounds is an organisation in which things of every kind are planted.
type grounds struct {
	s     *stack
	mark  string // of what everybody sees
	name  string
	org   uuid.UUID
	owner person

	// Groups: client is that of everybody's client, all the reserved one.
	mine, mine2, client, hidden, old, all uuid.UUID

	own    holdings // what everybody in the organisation sees
	secret holdings // what is in the hidden group
	beyond holdings // what only ALL sees, or nobody
	ward   holdings // what one dispatcher sees
}

func newGrounds(t *testing.T, s *stack, mark string) *grounds {
	t.Helper()
	g := &grounds{s: s, mark: mark, own: holdings{}, secret: holdings{}, beyond: holdings{}, ward: holdings{}}
	g.name = markOrg + uuid.NewString()[:8]
	g.owner = s.organisation(t, g.name)
	g.org = g.owner.org(t)
	g.owner.done(t, http.MethodPut, "/v1/settings/group-field", `{"enabled": true}`)
	g.everybodys(t)
	return g
}

func uuids(t *testing.T, texts []string) []uuid.UUID {
	t.Helper()
	ids := make([]uuid.UUID, len(texts))
	for i, text := range texts {
		id, err := uuid.Parse(text)
		must(t, err)
		ids[i] = id
	}
	return ids
}

// everybodys makes what everybody there sees, touched by what they do not see.
func (g *grounds) everybodys(t *testing.T) {
	t.Helper()
	o, markMine := g.owner, g.mark
	g.mine, g.mine2 = o.group(t, markMine+" One"), o.group(t, markMine+" Two")
	made := exactly[commandapi.ClientMade](t, o.do(t, http.MethodPost, "/v1/clients", fmt.Sprintf(
		`{"business_name": "%[1]s Client", "contact": "%[1]s Contact", "email": "%[1]s-%[2]s@example.com", "group_name": "%[1]s Three"}`, markMine, uuid.NewString()[:8])))
	g.client = made.Group
	g.own.add(aGroup, g.mine, g.mine2, g.client)
	g.own.add(aClient, made.ID)
	van := o.done(t, http.MethodPost, "/v1/vehicles", fmt.Sprintf(`{"name": "%[1]s Van", "plate": "%[1]s 1"}`, markMine))
	o.done(t, http.MethodPut, fmt.Sprintf("/v1/groups/%s/vehicles/%s", g.mine, van.ID), "")
	g.own.add(aVehicle, van.ID)
	code := strings.ToUpper(markMine) + "1"
	o.done(t, http.MethodPut, "/v1/customer-codes/"+code, fmt.Sprintf(`{"group": %q}`, g.mine))
	g.own[aCode] = []string{code}
	colleague := g.add(t, markMine+" Colleague", access.RoleCSO, g.mine)
	g.own.add(aUser, colleague)
	asked := o.done(t, http.MethodPost, "/v1/users/"+colleague.String()+"/access-requests", fmt.Sprintf(`{"group": %q, "reason": "%s reason"}`, g.mine2, markMine))
	g.own.add(aRequest, asked.ID)
	g.own.add(aDelivery, g.deliver(t, markMine, "1", g.mine))
	g.own[aText] = []string{markMine}
}

// add adds a user who never signs in.
func (g *grounds) add(t *testing.T, name, role string, groups ...uuid.UUID) uuid.UUID {
	t.Helper()
	email := strings.ReplaceAll(strings.ToLower(name), " ", "-") + "-" + uuid.NewString()[:8] + "@example.com"
	return g.owner.done(t, http.MethodPost, "/v1/users", fmt.Sprintf(`{"name": %q, "email": %q, "role": %q, "reason": %q%s}`,
		name, email, role, strings.Fields(name)[0]+" reason", groupsMember(groups))).ID
}

func groupsMember(groups []uuid.UUID) string {
	if groups == nil {
		return `, "access": "all"`
	}
	var quoted []string
	for _, id := range groups {
		quoted = append(quoted, `"`+id.String()+`"`)
	}
	if quoted == nil {
		return `, "access": "none"`
	}
	return `, "groups": [` + strings.Join(quoted, ",") + `]`
}

// deliver makes a delivery full of a mark; a zero group leaves it untagged.
func (g *grounds) deliver(t *testing.T, mark, number string, in uuid.UUID) uuid.UUID {
	t.Helper()
	member := ""
	if in != uuid.Nil {
		member = fmt.Sprintf(`, "group": %q`, in)
	}
	return g.owner.done(t, http.MethodPost, "/v1/deliveries", fmt.Sprintf(
		`{"do_number": "%[1]s-%[2]s", "date": "2026-03-02", "address": "%[1]s Street", "recipient": "%[1]s Recipient", "phone": "+44 %[1]s",
		"email": "%[1]s-to@example.com", "reason": "%[1]s reason", "items": [{"sku": "%[1]s-SKU", "description": "%[1]s goods", "quantity": 3, "unit": "box"}]%[3]s}`,
		mark, number, member)).ID
}

// plant makes a group with one of everything, all marked, and touches with it what
// everybody sees.
func (g *grounds) plant(t *testing.T, to holdings, mark, number string) uuid.UUID {
	t.Helper()
	o, label := g.owner, mark+" "+number
	made := exactly[commandapi.ClientMade](t, o.do(t, http.MethodPost, "/v1/clients", fmt.Sprintf(
		`{"business_name": "%[1]s Ltd", "contact": "%[1]s Contact", "email": "%[2]s-%[3]s@example.com", "group_name": "%[1]s Group", "reason": "%[1]s reason"}`,
		label, mark, uuid.NewString()[:8])))
	hidden := made.Group
	to.add(aGroup, hidden)
	to.add(aClient, made.ID)
	account := exactly[commandapi.ClientAccountMade](t, o.do(t, http.MethodPost, "/v1/clients/"+made.ID.String()+"/account", `{"phone": "+44 `+mark+`"}`))
	invited := exactly[commandapi.ClientMade](t, o.do(t, http.MethodPost, "/v1/clients", fmt.Sprintf(
		`{"business_name": "%[1]s Invited", "email": "%[2]s-%[3]s@example.com", "group_name": "%[1]s Invited"}`, label, mark, uuid.NewString()[:8])))
	o.done(t, http.MethodPost, "/v1/clients/"+invited.ID.String()+"/invitation", "")
	to.add(aClient, invited.ID)
	to.add(aGroup, invited.Group)
	member := g.add(t, label+" Member", access.RoleManager, hidden)
	to.add(aUser, member, account.User)

	code := strings.ToUpper(mark) + number
	o.done(t, http.MethodPut, "/v1/customer-codes/"+code, fmt.Sprintf(`{"group": %q}`, hidden))
	to[aCode] = append(to[aCode], code)
	o.done(t, http.MethodPut, "/v1/groups/"+hidden.String()+"/import-template", fmt.Sprintf(`{"columns": {"group": "%s Header"}}`, label))
	van := o.done(t, http.MethodPost, "/v1/vehicles", fmt.Sprintf(`{"name": "%[1]s Van", "plate": "%[1]s"}`, label)).ID
	o.done(t, http.MethodPut, fmt.Sprintf("/v1/groups/%s/vehicles/%s", hidden, van), "")
	o.do(t, http.MethodPost, "/v1/vehicles/"+van.String()+"/positions", fmt.Sprintf(`{"positions": [{"at": "2026-03-02T12:00:00Z", "latitude": %s, "longitude": 11.5}]}`, hiddenLatitude))
	to.add(aVehicle, van)

	drop := g.deliver(t, mark, number, hidden)
	o.done(t, http.MethodPost, "/v1/deliveries/"+drop.String()+"/assign", fmt.Sprintf(`{"vehicle": %q, "reason": "%s reason"}`, van, mark))
	o.done(t, http.MethodPost, "/v1/deliveries/"+drop.String()+"/dispatch", `{"reason": "`+mark+` reason"}`)
	to.add(aDelivery, drop)

	// Somebody hidden asks for what everybody sees, and at first the other way round:
	// it is a change of the one who is to get it.
	wishes := map[string]uuid.UUID{member.String(): g.mine}
	if mark == markHidden {
		wishes[g.own[aUser][0]] = hidden
	}
	for user, wish := range wishes {
		to.add(aRequest, o.done(t, http.MethodPost, "/v1/users/"+user+"/access-requests", fmt.Sprintf(`{"group": %q, "reason": "%s reason"}`, wish, mark)).ID)
	}
	to[aText] = append(to[aText], mark, mark+"-"+number, label+" Street")
	return hidden
}

// touch makes what everybody sees have a past, or another side, in the hidden
// group.
func (g *grounds) touch(t *testing.T) {
	t.Helper()
	o := g.owner
	moved := g.deliver(t, markMine, "moved", g.hidden)
	o.done(t, http.MethodPost, "/v1/deliveries/"+moved.String()+"/tag", fmt.Sprintf(`{"group": %q, "reason": "%s reason"}`, g.mine, markHidden))
	o.done(t, http.MethodPost, "/v1/deliveries/"+moved.String()+"/assign", fmt.Sprintf(`{"vehicle": %q}`, g.secret[aVehicle][0]))
	g.own.add(aDelivery, moved)
	both := g.add(t, markMine+" Both", access.RoleCSO, g.mine, g.hidden)
	g.own.add(aUser, both)
	o.done(t, http.MethodPut, fmt.Sprintf("/v1/groups/%s/vehicles/%s", g.hidden, g.own[aVehicle][0]), "")
	gone := g.deliver(t, markHidden, "gone", g.hidden)
	o.done(t, http.MethodDelete, "/v1/deliveries/"+gone.String(), `{"reason": "`+markHidden+` reason"}`)
	g.beyond.add(aDelivery, gone)
}

// retire archives a group in which there is something, and merges another into it.
func (g *grounds) retire(t *testing.T, old uuid.UUID, mark, number string) {
	t.Helper()
	o := g.owner
	code := strings.ToUpper(mark) + "OLD" + number
	o.done(t, http.MethodPut, "/v1/customer-codes/"+code, fmt.Sprintf(`{"group": %q}`, old))
	merged := o.group(t, mark+" Merged "+number)
	g.beyond[aCode] = append(g.beyond[aCode], code)
	g.beyond.add(aGroup, old, merged)
	moves := g.deliver(t, mark, "merged-"+number, merged)
	g.beyond.add(aDelivery, g.deliver(t, mark, "old-"+number, old), moves)
	g.beyond.add(aUser, g.add(t, mark+" Member "+number, access.RoleCSO, old))
	o.done(t, http.MethodPost, "/v1/groups/"+merged.String()+"/merge", fmt.Sprintf(`{"into": %q, "acknowledge_widening": true}`, old))
	eventually(t, "the deliveries of a merged group move", func() bool {
		return strings.Contains(o.get(t, "/v1/deliveries/"+moves.String()).body, `"group":"`+old.String())
	})
	o.done(t, http.MethodPost, "/v1/groups/"+old.String()+"/archive", `{"reason": "`+mark+` reason"}`)
	g.beyond[aText] = append(g.beyond[aText], mark)
}

// loose makes what is in no group.
func (g *grounds) loose(t *testing.T, mark, number string) {
	t.Helper()
	o, label := g.owner, mark+" Loose "+number
	g.beyond.add(aDelivery, g.deliver(t, mark, "loose-"+number, uuid.Nil))
	g.beyond.add(aUser, g.add(t, label+" Everywhere", access.RoleManager), o.user)
	g.beyond.add(aVehicle, o.done(t, http.MethodPost, "/v1/vehicles", fmt.Sprintf(`{"name": "%[1]s Van", "plate": "%[1]s"}`, label)).ID)
	g.beyond.add(aClient, o.done(t, http.MethodPost, "/v1/clients", fmt.Sprintf(`{"business_name": "%s Ltd", "email": "%s-%s@example.com"}`, label, mark, uuid.NewString()[:8])).ID)
	g.all = exactly[readapi.Organisation](t, o.ok(t, "/v1/organisation")).AllGroup
	g.beyond.add(aGroup, g.all)
	_, key := o.key(t, "")
	g.beyond.add(aKey, key)
	for _, session := range exactly[commandapi.Sessions](t, o.ok(t, "/v1/sessions")).Sessions {
		g.beyond.add(aSession, session.ID)
	}
	g.beyond[aText] = append(g.beyond[aText], mark)
}
