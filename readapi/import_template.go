package readapi

import (
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"github.com/gorilla/mux"
	"github.com/jackc/pgx/v5"

	"waybill/aggregates/access"
)

// ImportTemplate says how delivery files are read when nothing is said with them.
type ImportTemplate struct {
	Columns    map[string]string `json:"columns" doc:"Field to header; a field that is not there is found by the usual names."`
	DateFormat string            `json:"date_format,omitzero" doc:"Order of dates in numbers; absent: found from the dates."`
	Own        bool              `json:"own" doc:"False when the group has none and goes by the organisation's."`
}

// importTemplate answers GET /v1/settings/import-template.
func (a *api) importTemplate(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	return a.template(w, r, c, `SELECT import_template::text, true FROM read.organisations WHERE org_id = $1`, c.Org)
}

// groupImportTemplate answers GET /v1/groups/{id}/import-template: with the
// group's own template, else with the organisation's, by which it goes.
func (a *api) groupImportTemplate(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	id, err := uuid.Parse(mux.Vars(r)["id"])
	if err != nil || !c.Sees(id) {
		return errNotFound()
	}
	return a.template(w, r, c, `
		SELECT coalesce(g.import_template, o.import_template)::text, g.import_template IS NOT NULL
		FROM read.groups g
		JOIN read.organisations o ON o.org_id = g.org_id
		WHERE g.org_id = $1 AND g.group_id = $2 AND g.kind <> 'all'`, c.Org, id)
}

func (a *api) template(w http.ResponseWriter, r *http.Request, c access.Caller, query string, args ...any) error {
	if err := paramsOf(r).err(); err != nil {
		return err
	}
	answer, found := ImportTemplate{}, false
	batch := scoped(c)
	batch.Queue(query, args...)
	err := a.run(r.Context(), batch, func(results pgx.BatchResults) error {
		return rows(results, func(rs pgx.Rows) error {
			var text *string
			if err := rs.Scan(&text, &answer.Own); err != nil || text == nil {
				found = err == nil
				return err
			}
			found = true
			return json.Unmarshal([]byte(*text), &answer)
		})
	})
	switch {
	case err != nil:
		return err
	case !found:
		return errNotFound()
	}
	if answer.Columns == nil {
		answer.Columns = map[string]string{}
	}
	return reply(w, answer)
}
