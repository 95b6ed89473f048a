package commandapi

import (
	"net/http"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access/route"
	"waybill/aggregates/command"
	"waybill/aggregates/problem"
	"waybill/events/fault"
)

// Widened is the answer to a command that changes who sees what. To a dry run it
// tells who would see more and who less, and revision and position are empty.
type Widened struct {
	Done   `json:",inline"`
	DryRun bool    `json:"dry_run,omitzero" doc:"True when nothing was changed."`
	Gains  []Sight `json:"gains,omitzero" doc:"Of a dry run: who would gain sight of what."`
	Loses  []Sight `json:"loses,omitzero" doc:"Of a dry run: who would lose sight of what."`
}

// Sight is what one user would gain or lose sight of.
type Sight struct {
	User       uuid.UUID   `json:"user"`
	Groups     []uuid.UUID `json:"groups" doc:"Groups whose sight begins or ends."`
	All        bool        `json:"all,omitzero" doc:"The scope ALL begins or ends."`
	Deliveries int64       `json:"deliveries,string" doc:"How many."`
}

// dryRunParam makes a command decide everything and change nothing.
const dryRunParam = "dry_run"

// dryRun reads whether nothing is to be changed. Asking it of a command that
// cannot is refused, lest it be executed.
func dryRun(r *http.Request, can bool) (bool, error) {
	values, asked := r.URL.Query()[dryRunParam]
	bad := ""
	switch {
	case !asked:
		return false, nil
	case !can:
		bad = "is not known here: this command cannot be tried without being executed"
	case len(values) != 1 || values[0] != "true" && values[0] != "false":
		bad = "must be true or false"
	default:
		return values[0] == "true", nil
	}
	return false, &problem.HTTPError{Status: http.StatusBadRequest, Code: "invalid-parameter", Detail: "A parameter is not valid.",
		Fields: []fault.Field{{Name: dryRunParam, Detail: bad}}}
}

func dryRunQuery() route.Param {
	return route.Param{In: "query", Name: dryRunParam, Enum: []string{"true", "false"}, Summary: "Change nothing, and answer who would gain and lose sight of what."}
}

// widened is the outcome of a command that changes who sees what.
func widened(res aggregates.Result, err error) (outcome, error) {
	return outcome{answer: Widened{Done: done(res)}, position: res.Position}, err
}

// preview is the outcome of a dry run.
func preview(w command.Widening, err error) (outcome, error) {
	return outcome{answer: Widened{DryRun: true, Gains: sights(w.Gains), Loses: sights(w.Loses)}}, err
}

func sights(list []command.SightOf) []Sight {
	out := make([]Sight, len(list))
	for i, s := range list {
		groups := s.Groups
		if groups == nil {
			groups = []uuid.UUID{}
		}
		out[i] = Sight{User: s.User, Groups: groups, All: s.All, Deliveries: s.Deliveries}
	}
	return out
}
