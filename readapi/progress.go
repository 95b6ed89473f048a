package readapi

import (
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/aggregates/access"
)

// Progressed is how many deliveries stand where.
type Progressed struct {
	Total    int64            `json:"total"`
	Progress map[string]int64 `json:"progress" doc:"Number of deliveries by tracking status; every status is there."`
}

// progress answers GET /v1/progress: what the delivery progress page shows.
func (a *api) progress(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	p := paramsOf(r, "group")
	group, given := p.group()
	if err := p.err(); err != nil {
		return err
	}
	answer := Progressed{Progress: map[string]int64{}}
	for _, t := range trackingStatuses() {
		answer.Progress[t] = 0
	}
	s := &statement{}
	s.text.WriteString(`
		SELECT p.status, p.vehicle, p.date > ` + s.arg(a.zones.today(a.cfg.Now(), c.Timezone)) + `, sum(p.count)::bigint
		FROM read.progress p WHERE p.org_id = ` + s.arg(c.Org))
	nothing := false
	switch {
	case given && !c.Sees(group):
		nothing = true
	case given: // the zero group stands for none in this table too
		s.text.WriteString(` AND p.group_id = ` + s.arg(group))
	case !c.SeesAll():
		s.text.WriteString(` AND p.group_id = ANY(` + s.arg(groupsOf(c)) + `)`)
	}
	s.text.WriteString(` GROUP BY 1, 2, 3`)
	if !nothing {
		batch := scoped(c)
		batch.Queue(s.text.String(), s.args...)
		err := a.run(r.Context(), batch, func(results pgx.BatchResults) error {
			return rows(results, func(rs pgx.Rows) error { return answer.add(rs) })
		})
		if err != nil {
			return err
		}
	}
	return reply(w, answer)
}

func (p *Progressed) add(rs pgx.Rows) error {
	var status string
	var vehicle, later bool
	var n int64
	if err := rs.Scan(&status, &vehicle, &later, &n); err != nil {
		return fmt.Errorf("progress: %w", err)
	}
	p.Progress[tracking(status, vehicle, later)] += n
	p.Total += n
	return nil
}

// groupsOf is never nil, which SQL would take for null.
func groupsOf(c access.Caller) []uuid.UUID {
	if c.Groups == nil {
		return []uuid.UUID{}
	}
	return c.Groups
}

// reply writes an answer that is no page of deliveries.
func reply(w http.ResponseWriter, answer any) error {
	body, err := json.Marshal(answer, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	send(w, append(body, '\n'))
	return nil
}
