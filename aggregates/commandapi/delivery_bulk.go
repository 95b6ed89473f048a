package commandapi

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/access/route"
	"waybill/aggregates/command"
	"waybill/aggregates/problem"
)

// BulkCommand is one command on many deliveries.
type BulkCommand struct {
	Said       `json:",inline"`
	Do         string      `json:"do" enum:"tag,untag,assign,unassign,receive,dispatch,hold,release,return,cancel,delete"`
	Deliveries []uuid.UUID `json:"deliveries" doc:"1 to 500 ids, each once."`
	Group      uuid.UUID   `json:"group,omitzero" doc:"To tag with."`
	Vehicle    uuid.UUID   `json:"vehicle,omitzero" doc:"To assign."`
	OccurredAt time.Time   `json:"occurred_at,omitzero"`
}

// BulkDone is what a bulk command came to, delivery by delivery.
type BulkDone struct {
	Results  []BulkResult `json:"results" doc:"In the order of the request."`
	Done     int          `json:"done" doc:"How many went well."`
	Refused  int          `json:"refused" doc:"How many did not."`
	Position string       `json:"position,omitzero" doc:"The latest in the log."`
}

// BulkResult is the outcome for one delivery.
type BulkResult struct {
	Delivery uuid.UUID        `json:"delivery"`
	Status   int              `json:"status" doc:"As the command on this delivery alone is answered."`
	Revision uint64           `json:"revision,string,omitzero" doc:"Of the stream."`
	Changed  bool             `json:"changed" doc:"False when it was so already, or was refused."`
	Problem  *problem.Problem `json:"problem,omitzero" doc:"Why it was refused."`
}

const bulkPath = "/v1/deliveries/bulk"

func (a *api) deliveryBulkRoutes() []route.Route {
	return []route.Route{
		on(a, spec{method: http.MethodPost, path: bulkPath, name: "bulkDeliveries", verb: "delivery bulk", args: "do", open: true,
			example: BulkCommand{Do: "dispatch", Deliveries: []uuid.UUID{route.Sample("delivery")}}, widens: true, answer: BulkDone{},
			summary: "Give one command on many deliveries; each is done or refused by itself."},
			func(ctx context.Context, c call, in BulkCommand) (outcome, error) {
				if c.env.ExpectedRevision != nil {
					return outcome{}, &problem.HTTPError{Status: http.StatusBadRequest, Code: "invalid-if-match", Detail: "Many deliveries have no one ETag: leave If-Match out."}
				}
				rows, err := a.cfg.Commands.Bulk(ctx, c.caller, c.env, command.Bulk{Do: in.Do, Deliveries: in.Deliveries, Group: in.Group,
					Vehicle: in.Vehicle, OccurredAt: in.OccurredAt})
				if err != nil {
					return outcome{}, err
				}
				a.refusedRows(c.caller, "bulkDeliveries", in.Do, rows)
				return a.bulkDone(ctx, rows), nil
			}),
	}
}

func (a *api) bulkDone(ctx context.Context, rows []command.BulkRow) outcome {
	answer := BulkDone{Results: make([]BulkResult, len(rows))}
	var out outcome
	for i, row := range rows {
		if row.Err != nil {
			p := a.cfg.Problems.Problem(ctx, http.MethodPost, bulkPath, unmatched(row.Err))
			answer.Results[i] = BulkResult{Delivery: row.Delivery, Status: p.Status, Problem: &p}
			answer.Refused++
			out.unsettled = out.unsettled || p.Status >= http.StatusInternalServerError || p.Status == http.StatusConflict && !final(row.Err)
			continue
		}
		answer.Results[i] = BulkResult{Delivery: row.Delivery, Status: http.StatusOK, Revision: row.Result.Revision, Changed: row.Result.Events > 0}
		answer.Done++
		if row.Result.Position.After(out.position) {
			out.position = row.Result.Position
		}
	}
	if !out.position.IsZero() {
		answer.Position = out.position.String()
	}
	out.answer = answer
	return out
}
