package readapi

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/aggregates/access"
	"waybill/events/fault"
)

// Client is one client that the caller sees.
type Client struct {
	ID           uuid.UUID         `json:"id"`
	BusinessName string            `json:"business_name"`
	Contact      *string           `json:"contact" doc:"Null when it was erased, empty when not given."`
	Email        *string           `json:"email" doc:"Null when it was erased."`
	Phone        *string           `json:"phone" doc:"Null when it was erased, empty when not given."`
	Status       string            `json:"status" enum:"added,invited,active,approval_withdrawn,removed"`
	Mode         string            `json:"mode,omitzero" enum:"on_behalf,invited" doc:"How its account came to be; absent = it has none."`
	Approval     string            `json:"approval,omitzero" enum:"not_required,granted,withdrawn" doc:"Of an account."`
	Fate         string            `json:"fate,omitzero" enum:"kept_by_client,ended" doc:"Of a removed one: whether its people keep reading."`
	Invitation   *ClientInvitation `json:"invitation,omitzero" doc:"The last one."`
	User         *uuid.UUID        `json:"user,omitzero" doc:"The account's contact, where the caller sees it."`
	Dispatcher   *uuid.UUID        `json:"dispatcher,omitzero" doc:"The user who looks after it; absent = the owners do, or the caller may not know."`
	Group        *uuid.UUID        `json:"group,omitzero"`
	CreatedAt    time.Time         `json:"created_at"`
	Revision     uint64            `json:"revision,string"`
}

// ClientInvitation is the last invitation of a client.
type ClientInvitation struct {
	ID        uuid.UUID `json:"id"`
	State     string    `json:"state" enum:"open,accepted,declined,revoked,expired"`
	ExpiresAt time.Time `json:"expires_at"`
}

// AccountDraft is what a client's account would be made of, to be edited.
type AccountDraft struct {
	BusinessName string     `json:"business_name"`
	Contact      *string    `json:"contact" doc:"Null when it was erased, empty when not given."`
	Email        *string    `json:"email" doc:"Null when it was erased."`
	Phone        *string    `json:"phone" doc:"Null when it was erased, empty when not given."`
	GroupName    string     `json:"group_name,omitzero" doc:"Of the group that would be made; absent when there is one."`
	Group        *uuid.UUID `json:"group,omitzero"`
}

// Clients is a page of clients.
type Clients struct {
	Clients []Client `json:"clients"`
	Next    string   `json:"next,omitzero" doc:"Cursor of the next page."`
}

// clients answers GET /v1/clients: without removed ones, unless these are asked
// for.
func (a *api) clients(w http.ResponseWriter, r *http.Request, c access.Caller) (err error) {
	answer := Clients{Clients: []Client{}}
	p := paramsOf(r, "limit", "cursor", "status", "dispatcher")
	limit, l := p.limit(), clientList(c)
	p.clients(c, &l)
	if err := p.err(); err != nil {
		return err
	}
	answer.Next, err = a.page(r, c, l, limit, p.text("cursor"), func(rs pgx.Rows) (named, error) {
		k, err := scanClient(rs, c)
		answer.Clients = append(answer.Clients, k)
		return named{&k.BusinessName, k.ID}, err
	})
	if err != nil {
		return err
	}
	link(w, r, answer.Next)
	return reply(w, answer)
}

// clientStatuses are what a list of clients can be narrowed to.
func clientStatuses() []string {
	return []string{"added", "invited", "active", "approval_withdrawn", "removed"}
}

// clients narrows a list of clients.
func (p *params) clients(c access.Caller, l *namedList) {
	switch status := p.text("status"); {
	case status == "":
		l.query += ` AND NOT k.removed`
	case !slices.Contains(clientStatuses(), status):
		p.refuse("status", "must be one of %s", strings.Join(clientStatuses(), ", "))
	default:
		l.args = append(l.args, status)
		l.query += ` AND k.status = $` + strconv.Itoa(len(l.args))
	}
	switch text := p.text("dispatcher"); text {
	case "":
	case noDispatcher:
		l.query += ` AND k.dispatcher_id IS NULL`
		if !c.SeesAll() { // who may not know whether there is one
			l.query += ` AND false`
		}
	default:
		id, err := uuid.Parse(text)
		if err != nil || id == uuid.Nil {
			p.refuse("dispatcher", "must be a user's id, or %q", noDispatcher)
			return
		}
		l.args = append(l.args, id)
		l.query += ` AND k.dispatcher_id = $` + strconv.Itoa(len(l.args))
		if !c.SeesAll() && id != c.User {
			l.query += ` AND false`
		}
	}
}

// noDispatcher as the value of the parameter dispatcher asks for clients that the
// owners look after.
const noDispatcher = "none"

// accountDraft answers GET /v1/clients/{id}/account-draft, for who may manage
// clients.
func (a *api) accountDraft(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	may := c.May(access.ManageClients)
	return a.item(w, r, c, clientList(c), func(rs pgx.Rows) (any, *uint64, error) {
		k, err := scanClient(rs, c)
		if err == nil && !may {
			err = fault.New(fault.Denied, "permission-missing", "This needs the permission %q.", access.ManageClients)
		}
		d := AccountDraft{BusinessName: k.BusinessName, Contact: k.Contact, Email: k.Email, Phone: k.Phone, Group: k.Group}
		if k.Group == nil {
			d.GroupName = k.BusinessName
		}
		return d, &k.Revision, err
	})
}

// client answers GET /v1/clients/{id}.
func (a *api) client(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	return a.item(w, r, c, clientList(c), func(rs pgx.Rows) (any, *uint64, error) {
		k, err := scanClient(rs, c)
		return k, &k.Revision, err
	})
}

// clientList are the clients that the caller sees: all, with ALL; those whose
// group it sees; those it looks after, unless it is a key for some groups.
func clientList(c access.Caller) namedList {
	l := namedList{name: `k.business_name`, id: `k.client_id`, args: []any{c.Org}, query: `
		SELECT k.client_id, k.business_name, k.contact, k.email, k.phone, k.status, k.mode, k.approval, k.fate,
		       k.invitation_id, k.invitation_state, k.invitation_expires_at, k.user_id, k.dispatcher_id, k.group_id, k.created_at, k.revision
		FROM read.clients k WHERE k.org_id = $1`}
	if !c.SeesAll() {
		l.args = append(l.args, groupsOf(c), c.User, c.Narrowed)
		l.query += ` AND (k.group_id = ANY($2) OR k.dispatcher_id = $3 AND NOT $4)`
	}
	return l
}

func scanClient(rs pgx.Rows, c access.Caller) (Client, error) {
	var k Client
	var invitation *uuid.UUID
	var state string
	var ends *time.Time
	err := rs.Scan(&k.ID, &k.BusinessName, &k.Contact, &k.Email, &k.Phone, &k.Status, &k.Mode, &k.Approval, &k.Fate,
		&invitation, &state, &ends, &k.User, &k.Dispatcher, &k.Group, &k.CreatedAt, &k.Revision)
	k.CreatedAt = k.CreatedAt.UTC()
	if invitation != nil && ends != nil {
		k.Invitation = &ClientInvitation{*invitation, state, ends.UTC()}
	}
	if k.User != nil && *k.User != c.User && !c.SeesAll() && (!c.May(access.ManageUsers) || k.Group == nil || !c.Sees(*k.Group)) {
		k.User = nil
	}
	k.Group = seen(c, k.Group)
	if !c.SeesAll() && k.Dispatcher != nil && *k.Dispatcher != c.User {
		k.Dispatcher = nil
	}
	return k, err
}
