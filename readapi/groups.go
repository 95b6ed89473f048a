package readapi

import (
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/aggregates/access"
)

// Group is one group that the caller sees.
type Group struct {
	ID            uuid.UUID  `json:"id"`
	Kind          string     `json:"kind" enum:"client,standard"`
	Name          string     `json:"name"`
	Status        string     `json:"status" enum:"active,archived,merged"`
	Client        *uuid.UUID `json:"client,omitzero" doc:"Of kind client."`
	CustomerCodes []string   `json:"customer_codes"`
	CreatedAt     time.Time  `json:"created_at"`
	Revision      uint64     `json:"revision,string"`
}

// Groups is a page of groups.
type Groups struct {
	Groups []Group `json:"groups"`
	Next   string  `json:"next,omitzero" doc:"Cursor of the next page."`
}

// groups answers GET /v1/groups. The ALL group is no group to look into: it
// stands in /v1/organisation.
func (a *api) groups(w http.ResponseWriter, r *http.Request, c access.Caller) (err error) {
	answer := Groups{Groups: []Group{}}
	l := namedList{name: `g.name`, id: `g.group_id`, args: []any{c.Org}, query: `
		SELECT g.group_id, g.kind, g.name, g.status, g.client_id, g.created_at, g.revision,
		       ARRAY(SELECT code FROM read.customer_codes cc WHERE cc.group_id = g.group_id ORDER BY code)
		FROM read.groups g WHERE g.org_id = $1 AND g.kind <> 'all'`}
	if !c.SeesAll() {
		l.args = append(l.args, groupsOf(c))
		l.query += ` AND g.group_id = ANY($2)`
	}
	answer.Next, err = a.named(w, r, c, l, func(rs pgx.Rows) (named, error) {
		var g Group
		err := rs.Scan(&g.ID, &g.Kind, &g.Name, &g.Status, &g.Client, &g.CreatedAt, &g.Revision, &g.CustomerCodes)
		g.CreatedAt = g.CreatedAt.UTC()
		answer.Groups = append(answer.Groups, g)
		return named{&g.Name, g.ID}, err
	})
	if err != nil {
		return err
	}
	return reply(w, answer)
}

// Client is one client that the caller sees.
type Client struct {
	ID           uuid.UUID  `json:"id"`
	BusinessName string     `json:"business_name"`
	Contact      *string    `json:"contact" doc:"Null when it was erased, empty when not given."`
	Email        *string    `json:"email" doc:"Null when it was erased."`
	Status       string     `json:"status"`
	Dispatcher   *uuid.UUID `json:"dispatcher,omitzero" doc:"The user who looks after it; absent = the owners do, or the caller may not know."`
	Group        *uuid.UUID `json:"group,omitzero"`
	CreatedAt    time.Time  `json:"created_at"`
	Revision     uint64     `json:"revision,string"`
}

// Clients is a page of clients.
type Clients struct {
	Clients []Client `json:"clients"`
	Next    string   `json:"next,omitzero" doc:"Cursor of the next page."`
}

// clients answers GET /v1/clients.
func (a *api) clients(w http.ResponseWriter, r *http.Request, c access.Caller) (err error) {
	answer := Clients{Clients: []Client{}}
	l := namedList{name: `k.business_name`, id: `k.client_id`, args: []any{c.Org}, query: `
		SELECT k.client_id, k.business_name, k.contact, k.email, k.status, k.dispatcher_id, k.group_id, k.created_at, k.revision
		FROM read.clients k WHERE k.org_id = $1`}
	if !c.SeesAll() {
		l.args = append(l.args, groupsOf(c), c.User)
		l.query += ` AND (k.group_id = ANY($2) OR k.dispatcher_id = $3)`
	}
	answer.Next, err = a.named(w, r, c, l, func(rs pgx.Rows) (named, error) {
		var k Client
		err := rs.Scan(&k.ID, &k.BusinessName, &k.Contact, &k.Email, &k.Status, &k.Dispatcher, &k.Group, &k.CreatedAt, &k.Revision)
		k.CreatedAt = k.CreatedAt.UTC()
		k.Group = seen(c, k.Group)
		if !c.SeesAll() && k.Dispatcher != nil && *k.Dispatcher != c.User {
			k.Dispatcher = nil
		}
		answer.Clients = append(answer.Clients, k)
		return named{&k.BusinessName, k.ID}, err
	})
	if err != nil {
		return err
	}
	return reply(w, answer)
}
