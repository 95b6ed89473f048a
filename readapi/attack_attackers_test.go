package readapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"waybill/aggregates/access"
)

// attacker is somebody who tries everything on what is not theirs.
type attacker struct {
	name string
	person
	nobody   bool     // it is told to sign in, whatever it asks for
	may      bool     // it has every permission: only sight is in its way
	all      bool     // it sees everything, elsewhere
	weak     bool     // it sees everything, and may nothing
	thorough bool     // it tries every way; the others take turns
	own      holdings // what it sees; foreign for who sees nothing
	foreign  []holdings
	marks    []string // of what it must never meet
}

// things returns some foreign things of a kind: of each sort the first and, for who
// is thorough, the last.
func (a *attacker) things(kind string) []string {
	var out []string
	for _, h := range a.foreign {
		all := slices.DeleteFunc(slices.Clone(h[kind]), func(id string) bool { return id == a.user.String() })
		if len(all) > 0 {
			out = append(out, all[0])
		}
		if len(all) > 1 && a.thorough {
			out = append(out, all[len(all)-1])
		}
	}
	return out
}

// everyPermission is a member of a body that switches every permission on.
func everyPermission() string {
	return `, "permissions": {"` + strings.Join(access.Everything.Names(), `": true, "`) + `": true}`
}

// attackers prepares all of them. other is another organisation.
func (g *grounds) attackers(t *testing.T, other *grounds) []*attacker {
	t.Helper()
	scope := groupsMember(uuids(t, g.own[aGroup]))
	beyond := []holdings{g.secret, g.beyond, g.ward}
	all := append([]holdings{g.own}, beyond...)
	marks := []string{markHidden, markOld, markLoose, markWard, markLater}
	add := func(name, role, rest string) person {
		return g.owner.add(t, markMine+"-"+name, role, rest)
	}
	insider := func(name string, may bool, p person) *attacker {
		return &attacker{name: name, person: p, may: may, own: g.own, foreign: beyond, marks: marks}
	}
	manager := func(name string) person { return add(name, access.RoleManager, scope+everyPermission()) }

	revoked, expired, archived := manager("revoked"), manager("expired"), manager("archived")
	const lasts = claimed - 10*time.Second // a grant, until the clock is set ahead by so much
	ends := g.s.clock.now().Add(lasts)
	g.give(t, expired, g.hidden.String(), `{"expires_at": "`+ends.UTC().Format(time.RFC3339Nano)+`"}`)
	g.give(t, revoked, g.hidden.String(), "")
	g.give(t, archived, g.old.String(), "")
	g.owner.done(t, http.MethodDelete, "/v1/users/"+revoked.user.String()+"/groups/"+g.hidden.String(), "")
	g.retire(t, g.old, markOld, "1") // of which archived is a member

	warden := add("warden", access.RoleDispatcher, scope+everyPermission())
	g.ward.add(aClient, g.owner.done(t, http.MethodPost, "/v1/clients", fmt.Sprintf(
		`{"business_name": "%[1]s Ltd", "email": "%[1]s@example.com", "dispatcher": %[2]q}`, markWard, warden.user)).ID)
	key, _ := g.owner.key(t, narrowed(g.own, ""))
	small, _ := g.owner.key(t, narrowed(g.own, `, "permissions": []`))
	full := g.owner.add(t, markLoose+"-weak", access.RoleManager, `, "access": "all"`)
	weak, _ := full.key(t, `, "permissions": []`)

	list := []*attacker{
		insider("a member of other groups", true, manager("member")),
		insider("a customer", false, add("customer", access.RoleCustomer, scope)),
		insider("an auditor", false, add("auditor", access.RoleAuditor, scope)),
		insider("one whose access was just revoked", true, revoked),
		insider("one whose grant has expired", true, expired),
		insider("a member of an archived group", true, archived),
		insider("an owner's API key of fewer groups", true, key),
		insider("an API key of fewer groups and no permission", false, small),
		{name: "a dispatcher", person: warden, may: true, own: g.own, foreign: []holdings{g.secret, g.beyond},
			marks: []string{markHidden, markOld, markLoose, markLater}},
		{name: "a member of every group", may: true, own: g.own, foreign: []holdings{g.beyond, g.ward},
			person: add("everywhere", access.RoleManager, groupsMember(append(uuids(t, g.own[aGroup]), uuids(t, g.secret[aGroup])...))+everyPermission()),
			marks:  []string{markOld, markLoose, markWard, markLater}},
		{name: "one without any group", person: g.owner.add(t, markOrg+"-none", access.RoleManager, `, "access": "none"`+everyPermission()),
			may: true, own: g.own, foreign: all, marks: append([]string{markMine}, marks...)},
		{name: "the owner of another organisation", person: other.owner, may: true, all: true, own: other.own, foreign: all,
			marks: append([]string{g.name}, marks...)},
	}
	for _, n := range g.nobodies(t) {
		n.nobody, n.own, n.foreign, n.marks = true, g.own, all, append([]string{markOrg, markMine}, marks...)
		list = append(list, n)
	}
	list = append(list, &attacker{name: "an API key of no permission", person: weak, weak: true, own: g.own})
	for _, a := range list {
		a.thorough = unhurried && (a.all || a.name == "a member of other groups")
	}
	g.s.clock.advance(lasts)
	wantStatus(t, "a grant that has ended", expired.get(t, "/v1/groups/"+g.hidden.String()), http.StatusNotFound)
	return list
}

// give gives sight of a group.
func (g *grounds) give(t *testing.T, p person, group, body string) {
	t.Helper()
	g.owner.done(t, http.MethodPut, "/v1/users/"+p.user.String()+"/groups/"+group, body)
}

func narrowed(h holdings, rest string) string {
	return `, "groups": ["` + strings.Join(h[aGroup], `", "`) + `"]` + rest
}

// nobodies are those who are nobody any more, or never were.
func (g *grounds) nobodies(t *testing.T) []*attacker {
	t.Helper()
	o := g.owner
	add := func(name string) person { return o.add(t, markMine+"-"+name, access.RoleManager, `, "access": "all"`) }
	exec := func(sql string, args ...any) {
		t.Helper()
		tag, err := g.s.pools.Identity.Exec(t.Context(), sql, args...)
		must(t, err)
		if tag.RowsAffected() != 1 {
			t.Fatalf("%d rows of %s, want 1", tag.RowsAffected(), sql)
		}
	}
	blocked, removed, ended, late, portal := add("blocked"), add("removed"), add("ended"), add("late"), add("portal")
	machine := add("machine")
	barred, _ := blocked.key(t, "")
	retired, retiredID := machine.key(t, "")
	stale, staleID := machine.key(t, "")
	o.done(t, http.MethodPost, "/v1/users/"+blocked.user.String()+"/block", "")
	o.done(t, http.MethodDelete, "/v1/users/"+removed.user.String(), "")
	wantStatus(t, "sign out", ended.do(t, http.MethodDelete, "/v1/sessions/current", ""), http.StatusNoContent)
	wantStatus(t, "revoke a key", machine.do(t, http.MethodDelete, "/v1/api-keys/"+retiredID.String(), ""), http.StatusNoContent)
	exec(`UPDATE identity.sessions SET expires_at = now() - interval '1 second' WHERE user_id = $1`, late.user)
	exec(`UPDATE identity.sessions SET portal = $2 WHERE user_id = $1`, portal.user, access.PortalClient)
	exec(`UPDATE identity.api_keys SET expires_at = now() - interval '1 second' WHERE key_id = $1`, staleID)
	return []*attacker{
		{name: "a stranger", person: person{s: g.s}},
		{name: "a made-up token", person: person{s: g.s, token: strings.Repeat("A", 43)}},
		{name: "a blocked user", person: blocked}, {name: "a blocked user's API key", person: barred},
		{name: "a removed user", person: removed}, {name: "an ended session", person: ended},
		{name: "an expired session", person: late}, {name: "a session of the other portal", person: portal},
		{name: "a revoked API key", person: retired}, {name: "an expired API key", person: stale},
	}
}
