package readapi

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/aggregates/access"
)

// AccessRequest asks for a user's sight of a group.
type AccessRequest struct {
	ID            uuid.UUID  `json:"id"`
	User          uuid.UUID  `json:"user"`
	Group         uuid.UUID  `json:"group"`
	Status        string     `json:"status" enum:"open,approved,denied,closed" doc:"Closed: the user was removed before anybody decided."`
	Reason        string     `json:"reason"`
	ExpiresAt     *time.Time `json:"expires_at,omitzero" doc:"When the access asked for ends by itself."`
	RequestedAt   time.Time  `json:"requested_at"`
	RequestedBy   string     `json:"requested_by" doc:"type:id; only the type for those whom the caller may not know."`
	DecidedAt     *time.Time `json:"decided_at,omitzero"`
	DecidedBy     string     `json:"decided_by,omitzero"`
	DecidedReason string     `json:"decided_reason,omitzero"`
}

// AccessRequests is a page of requests.
type AccessRequests struct {
	AccessRequests []AccessRequest `json:"access_requests"`
	Next           string          `json:"next,omitzero" doc:"Cursor of the next page."`
}

// requestStatuses are what a request can be asked for by.
func requestStatuses() []string { return []string{"open", "approved", "denied", "closed"} }

const requestStatus = `CASE WHEN q.status = 'open' AND u.status = 'removed' THEN 'closed' ELSE q.status END`

// accessRequests answers GET /v1/access-requests: those of groups that the caller
// sees, oneself's and, with manage_users, those of the users that one sees; in the
// order in which they were asked.
func (a *api) accessRequests(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	p := paramsOf(r, "limit", "cursor", "status", "user")
	limit, status, user := p.limit(), p.text("status"), uuid.Nil
	if status != "" && !slices.Contains(requestStatuses(), status) {
		p.refuse("status", "must be open, approved, denied or closed")
	}
	if text := p.text("user"); text != "" {
		var err error
		if user, err = uuid.Parse(text); err != nil || user == uuid.Nil {
			p.refuse("user", "must be the id of a user")
		}
	}
	if err := p.err(); err != nil {
		return err
	}
	l := requestList(c)
	if status != "" {
		l.args = append(l.args, status)
		l.query += fmt.Sprintf(` AND %s = $%d`, requestStatus, len(l.args))
	}
	if user != uuid.Nil {
		l.args = append(l.args, user)
		l.query += fmt.Sprintf(` AND q.user_id = $%d`, len(l.args))
	}
	answer := AccessRequests{AccessRequests: []AccessRequest{}}
	var err error
	answer.Next, err = a.page(r, c, l, limit, p.text("cursor"), func(rs pgx.Rows) (named, error) {
		q, place, err := scanRequest(rs, c)
		answer.AccessRequests = append(answer.AccessRequests, q)
		return named{&place, q.ID}, err
	})
	if err != nil {
		return err
	}
	link(w, r, answer.Next)
	return reply(w, answer)
}

// accessRequest answers GET /v1/access-requests/{id}.
func (a *api) accessRequest(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	return a.item(w, r, c, requestList(c), func(rs pgx.Rows) (any, *uint64, error) {
		q, _, err := scanRequest(rs, c)
		return q, nil, err
	})
}

// requestList runs by the place in the log, written so that it sorts as text.
func requestList(c access.Caller) namedList {
	l := namedList{name: `lpad(q.position::text, 20, '0')`, id: `q.request_id`, args: []any{c.Org}, query: `
		SELECT q.request_id, q.user_id, q.group_id, ` + requestStatus + `, q.reason, q.expires_at,
		       q.requested_at, q.requested_by, q.decided_at, coalesce(q.decided_by, ''), coalesce(q.decided_reason, ''),
		       lpad(q.position::text, 20, '0')
		FROM read.access_requests q
		JOIN read.users u ON u.user_id = q.user_id
		WHERE q.org_id = $1`}
	if c.SeesAll() {
		return l
	}
	l.args = append(l.args, groupsOf(c), c.User, c.May(access.ManageUsers))
	l.query += ` AND q.group_id = ANY($2) AND (q.user_id = $3 OR $4)`
	return l
}

func scanRequest(rs pgx.Rows, c access.Caller) (AccessRequest, string, error) {
	var q AccessRequest
	var place string
	err := rs.Scan(&q.ID, &q.User, &q.Group, &q.Status, &q.Reason, &q.ExpiresAt,
		&q.RequestedAt, &q.RequestedBy, &q.DecidedAt, &q.DecidedBy, &q.DecidedReason, &place)
	q.RequestedAt, q.ExpiresAt, q.DecidedAt = q.RequestedAt.UTC(), inUTC(q.ExpiresAt), inUTC(q.DecidedAt)
	if !c.SeesAll() {
		q.RequestedBy, q.DecidedBy = actorFor(c, q.RequestedBy), actorFor(c, q.DecidedBy)
	}
	return q, place, err
}

func inUTC(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}
