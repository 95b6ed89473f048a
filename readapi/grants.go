package readapi

import (
	"fmt"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"github.com/gorilla/mux"
	"github.com/jackc/pgx/v5"

	"waybill/aggregates/access"
	"waybill/events"
)

// Grant is one grant of a user, whether it holds or has ended.
type Grant struct {
	ID          uuid.UUID       `json:"id"`
	Group       *uuid.UUID      `json:"group" doc:"Null = all groups."`
	Basis       string          `json:"basis" enum:"direct,no_groups_at_creation,role,client_account,dispatcher_assignment,request"`
	Source      string          `json:"source,omitzero" doc:"What the basis points to: a client, a request."`
	GrantedAt   time.Time       `json:"granted_at"`
	GrantedBy   string          `json:"granted_by" doc:"type:id; only the type for those whom the caller may not know."`
	Reason      string          `json:"reason,omitzero"`
	Approval    events.Approval `json:"approval,omitzero"`
	ExpiresAt   *time.Time      `json:"expires_at,omitzero"`
	EndedAt     *time.Time      `json:"ended_at,omitzero" doc:"When it ended, by whatever; absent = it has not."`
	EndedBy     string          `json:"ended_by,omitzero"`
	EndedReason string          `json:"ended_reason,omitzero" doc:"What was said."`
	EndedCause  string          `json:"ended_cause,omitzero" doc:"What else it was part of, such as user_removed, role_changed or expired."`
}

// Grants is a page of grants.
type Grants struct {
	Grants []Grant `json:"grants"`
	Next   string  `json:"next,omitzero" doc:"Cursor of the next page."`
}

// grants answers GET /v1/users/{id}/grants: with ALL, every grant that ever was; of
// oneself, those on groups that one sees; with manage_users, the open ones on
// groups of one's own. They come in the order in which they were given.
func (a *api) grants(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	user, err := uuid.Parse(mux.Vars(r)["id"])
	if err != nil {
		return errNotFound()
	}
	p := paramsOf(r, "limit", "cursor")
	limit := p.limit()
	if err := p.err(); err != nil {
		return err
	}
	if err := a.seesUser(r, c, user); err != nil {
		return err
	}
	answer := Grants{Grants: []Grant{}}
	answer.Next, err = a.page(r, c, a.grantList(c, user), limit, p.text("cursor"), func(rs pgx.Rows) (named, error) {
		g, place, err := a.scanGrant(rs, c)
		answer.Grants = append(answer.Grants, g)
		return named{&place, g.ID}, err
	})
	if err != nil {
		return err
	}
	link(w, r, answer.Next)
	return reply(w, answer)
}

// seesUser answers with 404 for a user that the caller does not see.
func (a *api) seesUser(r *http.Request, c access.Caller, user uuid.UUID) error {
	l := a.userList(c)
	s := &statement{args: l.args}
	s.text.WriteString(l.query + ` AND ` + l.id + ` = ` + s.arg(user))
	batch := scoped(c)
	batch.Queue(s.text.String(), s.args...)
	found := false
	err := a.run(r.Context(), batch, func(results pgx.BatchResults) error {
		return rows(results, func(pgx.Rows) error { found = true; return nil })
	})
	if err == nil && !found {
		return errNotFound()
	}
	return err
}

// grantList runs by the place in the log, written so that it sorts as text.
func (a *api) grantList(c access.Caller, user uuid.UUID) namedList {
	l := namedList{name: `lpad(g.position::text, 20, '0')`, id: `g.grant_id`, args: []any{c.Org, user}, query: `
		SELECT g.grant_id, g.group_id, g.basis, g.source, g.granted_at, g.granted_by, g.reason, coalesce(g.approval::text, ''), g.expires_at,
		       g.ended_at, coalesce(g.ended_by, ''), coalesce(g.ended_reason, ''), coalesce(g.ended_cause, ''),
		       lpad(g.position::text, 20, '0')
		FROM read.grants g
		WHERE g.org_id = $1 AND g.user_id = $2`}
	switch {
	case c.SeesAll():
	case c.User == user:
		l.args = append(l.args, groupsOf(c), c.Narrowed)
		l.query += ` AND (g.group_id IS NULL AND NOT $4 OR g.group_id = ANY($3))`
	default:
		l.args = append(l.args, groupsOf(c), a.cfg.Now())
		l.query += ` AND g.group_id = ANY($3) AND g.ended_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > $4)`
	}
	return l
}

func (a *api) scanGrant(rs pgx.Rows, c access.Caller) (Grant, string, error) {
	var g Grant
	var place, approval string
	err := rs.Scan(&g.ID, &g.Group, &g.Basis, &g.Source, &g.GrantedAt, &g.GrantedBy, &g.Reason, &approval, &g.ExpiresAt,
		&g.EndedAt, &g.EndedBy, &g.EndedReason, &g.EndedCause, &place)
	if err != nil {
		return g, "", err
	}
	if approval != "" {
		if err := json.Unmarshal([]byte(approval), &g.Approval); err != nil {
			return g, "", fmt.Errorf("approval of grant %s: %w", g.ID, err)
		}
	}
	g.GrantedAt, g.ExpiresAt, g.EndedAt = g.GrantedAt.UTC(), inUTC(g.ExpiresAt), inUTC(g.EndedAt)
	if g.EndedAt == nil && g.ExpiresAt != nil && !a.cfg.Now().Before(*g.ExpiresAt) {
		g.EndedAt, g.EndedCause = g.ExpiresAt, "expired" // also before that is recorded
	}
	if !c.SeesAll() {
		g.GrantedBy, g.EndedBy = actorFor(c, g.GrantedBy), actorFor(c, g.EndedBy)
		// Who else works here, and what was said about it, is not the caller's.
		g.Reason, g.EndedReason, g.Approval = "", "", events.Approval{}
	}
	return g, place, nil
}
