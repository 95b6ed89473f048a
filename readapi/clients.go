package readapi

import (
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/aggregates/access"
)

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
	answer.Next, err = a.named(w, r, c, clientList(c), func(rs pgx.Rows) (named, error) {
		k, err := scanClient(rs, c)
		answer.Clients = append(answer.Clients, k)
		return named{&k.BusinessName, k.ID}, err
	})
	if err != nil {
		return err
	}
	return reply(w, answer)
}

// client answers GET /v1/clients/{id}.
func (a *api) client(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	return a.item(w, r, c, clientList(c), func(rs pgx.Rows) (any, *uint64, error) {
		k, err := scanClient(rs, c)
		return k, &k.Revision, err
	})
}

// clientList are the clients that the caller sees: all, with ALL; those it looks
// after; those whose group it sees.
func clientList(c access.Caller) namedList {
	l := namedList{name: `k.business_name`, id: `k.client_id`, args: []any{c.Org}, query: `
		SELECT k.client_id, k.business_name, k.contact, k.email, k.status, k.dispatcher_id, k.group_id, k.created_at, k.revision
		FROM read.clients k WHERE k.org_id = $1`}
	if !c.SeesAll() {
		l.args = append(l.args, groupsOf(c), c.User)
		l.query += ` AND (k.group_id = ANY($2) OR k.dispatcher_id = $3)`
	}
	return l
}

func scanClient(rs pgx.Rows, c access.Caller) (Client, error) {
	var k Client
	err := rs.Scan(&k.ID, &k.BusinessName, &k.Contact, &k.Email, &k.Status, &k.Dispatcher, &k.Group, &k.CreatedAt, &k.Revision)
	k.CreatedAt = k.CreatedAt.UTC()
	k.Group = seen(c, k.Group)
	if !c.SeesAll() && k.Dispatcher != nil && *k.Dispatcher != c.User {
		k.Dispatcher = nil
	}
	return k, err
}
