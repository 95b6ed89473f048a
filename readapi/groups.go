package readapi

import (
	"net/http"
	"strconv"
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
	MergedInto    *uuid.UUID `json:"merged_into,omitzero" doc:"Of status merged."`
	CustomerCodes []string   `json:"customer_codes" doc:"The first 100; all of them are at /v1/customer-codes?group=."`
	CreatedAt     time.Time  `json:"created_at"`
	Revision      uint64     `json:"revision,string"`
}

// Groups is a page of groups.
type Groups struct {
	Groups []Group `json:"groups"`
	Next   string  `json:"next,omitzero" doc:"Cursor of the next page."`
}

// maxNested bounds the lists within an answer that have a list of their own
// elsewhere.
const maxNested = 100

// groups answers GET /v1/groups.
func (a *api) groups(w http.ResponseWriter, r *http.Request, c access.Caller) (err error) {
	answer := Groups{Groups: []Group{}}
	answer.Next, err = a.named(w, r, c, groupList(c), func(rs pgx.Rows) (named, error) {
		g, err := scanGroup(rs)
		answer.Groups = append(answer.Groups, g)
		return named{&g.Name, g.ID}, err
	})
	if err != nil {
		return err
	}
	return reply(w, answer)
}

// group answers GET /v1/groups/{id}.
func (a *api) group(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	return a.item(w, r, c, groupList(c), func(rs pgx.Rows) (any, *uint64, error) {
		g, err := scanGroup(rs)
		return g, &g.Revision, err
	})
}

// groupList are the groups that the caller sees. The ALL group is no group to
// look into: it stands in /v1/organisation.
func groupList(c access.Caller) namedList {
	l := namedList{name: `g.name`, id: `g.group_id`, args: []any{c.Org}, query: `
		SELECT g.group_id, g.kind, g.name, g.status, g.client_id, g.merged_into, g.created_at, g.revision,
		       ARRAY(SELECT code FROM read.customer_codes cc WHERE cc.group_id = g.group_id ORDER BY code LIMIT ` + strconv.Itoa(maxNested) + `)
		FROM read.groups g WHERE g.org_id = $1 AND g.kind <> 'all'`}
	if !c.SeesAll() {
		l.args = append(l.args, groupsOf(c))
		l.query += ` AND g.group_id = ANY($2)`
	}
	return l
}

func scanGroup(rs pgx.Rows) (Group, error) {
	var g Group
	err := rs.Scan(&g.ID, &g.Kind, &g.Name, &g.Status, &g.Client, &g.MergedInto, &g.CreatedAt, &g.Revision, &g.CustomerCodes)
	g.CreatedAt = g.CreatedAt.UTC()
	return g, err
}
