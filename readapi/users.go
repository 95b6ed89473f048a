package readapi

import (
	"fmt"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/aggregates/access"
	"waybill/events"
)

// User is one user that the caller sees.
type User struct {
	ID          uuid.UUID          `json:"id"`
	Name        *string            `json:"name" doc:"Null when it was erased."`
	Email       *string            `json:"email" doc:"Null when it was erased."`
	Role        string             `json:"role"`
	Status      string             `json:"status" enum:"invited,active,blocked,removed"`
	Permissions events.Permissions `json:"permissions" doc:"The switches that were set; the rest is at the role's default."`
	Access      string             `json:"access" enum:"all,groups"`
	Groups      []uuid.UUID        `json:"groups" doc:"As far as the caller sees them, at most 100; all of them are at /v1/users/{id}/grants."`
	CreatedAt   time.Time          `json:"created_at"`
	Revision    uint64             `json:"revision,string"`
}

// Users is a page of users.
type Users struct {
	Users []User `json:"users"`
	Next  string `json:"next,omitzero" doc:"Cursor of the next page."`
}

const usersQuery = `
	SELECT u.user_id, u.name, u.email, u.role, u.status, u.permissions::text, u.created_at, u.revision,
	       coalesce(o.has_all, false), o.groups[1:$5]
	FROM read.users u
	CROSS JOIN LATERAL (
		SELECT bool_or(g.group_id IS NULL) AS has_all, array_agg(DISTINCT g.group_id) FILTER (WHERE g.group_id = ANY ($3) OR $4 AND g.group_id IS NOT NULL) AS groups
		FROM read.grants g
		WHERE g.user_id = u.user_id AND g.ended_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > $2)
	) o
	WHERE u.org_id = $1`

// users answers GET /v1/users: oneself; everybody, with ALL; and with
// manage_users those whose groups overlap one's own, showing only the overlap.
func (a *api) users(w http.ResponseWriter, r *http.Request, c access.Caller) (err error) {
	answer := Users{Users: []User{}}
	answer.Next, err = a.named(w, r, c, a.userList(c), func(rs pgx.Rows) (named, error) {
		u, err := scanUser(rs, c)
		answer.Users = append(answer.Users, u)
		return named{u.Name, u.ID}, err
	})
	if err != nil {
		return err
	}
	return reply(w, answer)
}

// user answers GET /v1/users/{id}.
func (a *api) user(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	return a.item(w, r, c, a.userList(c), func(rs pgx.Rows) (any, *uint64, error) {
		u, err := scanUser(rs, c)
		return u, &u.Revision, err
	})
}

func (a *api) userList(c access.Caller) namedList {
	l := namedList{name: `u.name`, id: `u.user_id`, args: []any{c.Org, a.cfg.Now(), groupsOf(c), c.SeesAll(), maxNested}, query: usersQuery}
	switch {
	case c.SeesAll():
	case !c.May(access.ManageUsers):
		l.args = append(l.args, c.User)
		l.query += ` AND u.user_id = $6`
	default:
		l.args = append(l.args, c.User)
		l.query += ` AND (u.user_id = $6 OR o.groups IS NOT NULL)`
	}
	return l
}

func scanUser(rs pgx.Rows, c access.Caller) (User, error) {
	u := User{Access: events.AccessGroups, Permissions: events.Permissions{}, Groups: []uuid.UUID{}}
	var switches []byte
	var all bool
	var groups []uuid.UUID
	if err := rs.Scan(&u.ID, &u.Name, &u.Email, &u.Role, &u.Status, &switches, &u.CreatedAt, &u.Revision, &all, &groups); err != nil {
		return u, err
	}
	if err := json.Unmarshal(switches, &u.Permissions); err != nil {
		return u, fmt.Errorf("permissions of user %s: %w", u.ID, err)
	}
	u.CreatedAt = u.CreatedAt.UTC()
	if all {
		u.Access = events.AccessAll
	}
	for _, g := range groups {
		if c.Sees(g) {
			u.Groups = append(u.Groups, g)
		}
	}
	return u, nil
}
