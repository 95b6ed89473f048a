package readapi

import (
	"fmt"
	"net/http"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/aggregates/access"
)

// Me is who asks, and what they may.
type Me struct {
	ID           uuid.UUID    `json:"id"`
	Name         *string      `json:"name" doc:"Null when it was erased."`
	Email        *string      `json:"email" doc:"Null when it was erased."`
	Role         string       `json:"role"`
	Portal       string       `json:"portal" enum:"dispatcher,client"`
	Permissions  []string     `json:"permissions" doc:"What the role and the user's switches come to."`
	Access       string       `json:"access" enum:"all,groups"`
	Groups       []GroupName  `json:"groups" doc:"The first 100 groups that are seen; all of them are at /v1/groups. Empty with access all, which sees every group."`
	Organisation Organisation `json:"organisation"`
}

// GroupName is a group by id and name.
type GroupName struct {
	ID   uuid.UUID `json:"id"`
	Name string    `json:"name"`
}

// Organisation is the caller's organisation.
type Organisation struct {
	ID         uuid.UUID `json:"id"`
	Name       string    `json:"name"`
	Kind       string    `json:"kind" enum:"operator,independent_dispatcher"`
	Timezone   string    `json:"timezone" doc:"IANA name."`
	GroupField bool      `json:"group_field" doc:"Whether deliveries can be tagged."`
	AllGroup   uuid.UUID `json:"all_group" doc:"The reserved group that stands for the organisation."`
}

const organisationQuery = `SELECT org_id, name, kind, timezone, group_field, all_group_id FROM read.organisations WHERE org_id = $1`

func (o *Organisation) scan(rs pgx.Rows) error {
	if err := rs.Scan(&o.ID, &o.Name, &o.Kind, &o.Timezone, &o.GroupField, &o.AllGroup); err != nil {
		return fmt.Errorf("organisation: %w", err)
	}
	return nil
}

// organisation answers GET /v1/organisation.
func (a *api) organisation(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	if err := paramsOf(r).err(); err != nil {
		return err
	}
	var o Organisation
	batch := scoped(c)
	batch.Queue(organisationQuery, c.Org)
	err := a.run(r.Context(), batch, func(results pgx.BatchResults) error { return rows(results, o.scan) })
	if err != nil {
		return err
	}
	return reply(w, o)
}

// me answers GET /v1/me.
func (a *api) me(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	if err := paramsOf(r).err(); err != nil {
		return err
	}
	m := Me{ID: c.User, Role: c.Role, Portal: c.Portal, Permissions: c.Permissions.Names(), Access: "groups", Groups: []GroupName{}}
	batch := scoped(c)
	batch.Queue(organisationQuery, c.Org)
	batch.Queue(`SELECT name, email FROM read.users WHERE user_id = $1`, c.User)
	if c.SeesAll() {
		m.Access = "all"
	} else {
		batch.Queue(`SELECT group_id, name FROM read.groups WHERE group_id = ANY($1) ORDER BY name, group_id LIMIT $2`, groupsOf(c), maxNested)
	}
	err := a.run(r.Context(), batch, func(results pgx.BatchResults) error {
		if err := rows(results, m.Organisation.scan); err != nil {
			return err
		}
		if err := rows(results, func(rs pgx.Rows) error { return rs.Scan(&m.Name, &m.Email) }); err != nil {
			return err
		}
		if c.SeesAll() {
			return nil
		}
		return rows(results, func(rs pgx.Rows) error {
			var g GroupName
			err := rs.Scan(&g.ID, &g.Name)
			m.Groups = append(m.Groups, g)
			return err
		})
	})
	if err != nil {
		return err
	}
	return reply(w, m)
}
