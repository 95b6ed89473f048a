package readapi

import (
	"net/http"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/aggregates/access"
)

// CustomerCode is a code that stands for a group in delivery files.
type CustomerCode struct {
	Code  string    `json:"code"`
	Group uuid.UUID `json:"group"`
}

// CustomerCodes is a page of codes.
type CustomerCodes struct {
	CustomerCodes []CustomerCode `json:"customer_codes"`
	Next          string         `json:"next,omitzero" doc:"Cursor of the next page."`
}

// customerCodes answers GET /v1/customer-codes: those of the groups that the caller
// sees.
func (a *api) customerCodes(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	p := paramsOf(r, "limit", "cursor", "group")
	limit := p.limit()
	group, given := p.group()
	if given && group == uuid.Nil && p.text("group") == noGroup {
		p.refuse("group", "must be a group's id")
	}
	if err := p.err(); err != nil {
		return err
	}
	l := namedList{name: `k.code`, id: `k.group_id`, args: []any{c.Org, groupsOf(c), c.SeesAll()},
		query: `SELECT k.code, k.group_id FROM read.customer_codes k WHERE k.org_id = $1 AND (k.group_id = ANY($2) OR $3)`}
	if given {
		l.args = append(l.args, group)
		l.query += ` AND k.group_id = $4`
	}
	answer := CustomerCodes{CustomerCodes: []CustomerCode{}}
	var err error
	answer.Next, err = a.page(r, c, l, limit, p.text("cursor"), func(rs pgx.Rows) (named, error) {
		var k CustomerCode
		err := rs.Scan(&k.Code, &k.Group)
		answer.CustomerCodes = append(answer.CustomerCodes, k)
		return named{&k.Code, k.Group}, err
	})
	if err != nil {
		return err
	}
	link(w, r, answer.Next)
	return reply(w, answer)
}
