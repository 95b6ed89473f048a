package commandapi

import (
	"context"
	"errors"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/access/route"
	"waybill/aggregates/command"
	"waybill/aggregates/importing"
	"waybill/aggregates/problem"
	"waybill/events/fault"
)

// Bounds of imports over HTTP.
const (
	maxListed  = 1000        // rows listed one by one in a report
	importTime = time.Hour   // from the file's last byte on
	answerTime = time.Minute // to send the report
)

// Imported is the report on a delivery file.
type Imported struct {
	Deliveries    int                   `json:"deliveries" doc:"In the file, as far as its rows could be read."`
	Created       int                   `json:"created"`
	AlreadyKnown  int                   `json:"already_known"`
	Rejected      int                   `json:"rejected" doc:"Deliveries that could be read and were refused."`
	GroupsCreated int                   `json:"groups_created"`
	Groups        []string              `json:"groups" doc:"Names of the groups that were made, the first 1000."`
	RowsRejected  int                   `json:"rows_rejected" doc:"All that rejections would list if it had no end."`
	Rejections    []importing.Rejection `json:"rejections" doc:"The first 1000 rows that were not taken, and why."`
	Notes         []importing.Note      `json:"notes" doc:"The first 1000."`
	Position      string                `json:"position,omitzero" doc:"In the log; absent when nothing was written."`
	DryRun        bool                  `json:"dry_run,omitzero" doc:"True when nothing was changed, and all this is what would be."`
}

func (a *api) importRoutes() []route.Route {
	query := func(name, summary string) route.Param {
		return route.Param{In: "query", Name: name, Summary: summary}
	}
	return []route.Route{{
		Method: http.MethodPost, Path: "/v1/imports", Name: "importDeliveries", Verb: "import", Needs: access.SetOf(access.CreateDeliveries),
		Summary: "Import a delivery file (xlsx, csv, tsv). What is known already is left alone, so it can be sent again at any time.",
		Handler: a.handler(a.noting("importDeliveries", a.importDeliveries)), Media: "application/octet-stream", Answer: route.Of[Imported](), Status: http.StatusOK,
		Params: []route.Param{
			query("filename", "Base name of the file, for the record."),
			query("create_groups", "true makes a group for every unknown customer code; otherwise its rows are rejected."),
			{In: "query", Name: dryRunParam, Enum: []string{"true", "false"}, Summary: "true answers as the import would at this moment, row by row, and changes nothing: no deliveries, no groups, no mapped codes. At most 4,000,000 deliveries."},
			query("mapping", `JSON object of field to header, such as {"group": "project code"}.`),
			query("template", "Id of the group whose import template says what mapping and date_order leave open. Absent: the only group that the caller sees, or the organisation."),
			query("date_order", "Such as DD/MM/YYYY, when it cannot be told from the dates."),
			query("encoding", "Of a text file that is not UTF-8."), query("delimiter", "Of a text file."), query("sheet", "Of a workbook."),
			importKeyParam(),
		},
	}}
}

func (a *api) importDeliveries(w http.ResponseWriter, r *http.Request) error {
	c := access.CallerOf(r.Context())
	if !c.May(access.CreateDeliveries) { // before the file is taken in
		return fault.New(fault.Denied, "permission-missing", "This needs the permission %q.", access.CreateDeliveries)
	}
	id, err := a.commandID(r, c)
	if err != nil {
		return err
	}
	cfg, in, err := importParams(r)
	if err != nil {
		return err
	}
	if cfg, err = a.templated(r, c, cfg); err != nil {
		return err
	}
	out, err := a.takeAndImport(w, r, c, command.Envelope{CommandID: id, OnBehalfOf: behalf(c)}, cfg, in)
	if err != nil {
		return err
	}
	if out.Position != "" {
		w.Header().Set(positionHeader, out.Position)
	}
	return send(w, http.StatusOK, out)
}

// importParams reads how the file is to be read.
func importParams(r *http.Request) (importing.Config, command.ImportDeliveries, error) {
	var cfg importing.Config
	in := command.ImportDeliveries{File: "upload"}
	for name, values := range r.URL.Query() {
		value := values[0]
		bad := ""
		switch name {
		case "filename":
			if in.File = path.Base(strings.ReplaceAll(value, `\`, "/")); in.File == "." || in.File == "/" || len(in.File) > 255 {
				bad = "must be the base name of a file, at most 255 bytes"
			}
		case "create_groups":
			if in.CreateGroups = value == "true"; value != "true" && value != "false" {
				bad = "must be true or false"
			}
		case dryRunParam:
			if in.DryRun = value == "true"; value != "true" && value != "false" {
				bad = "must be true or false"
			}
		case "mapping":
			if json.Unmarshal([]byte(value), &cfg.Columns) != nil {
				bad = `must be a JSON object of field to header, such as {"group": "project code"}`
			}
		case "date_order":
			cfg.DateOrder = value
		case "template":
			if _, err := uuid.Parse(value); err != nil {
				bad = "must be the id of a group"
			}
		case "encoding":
			cfg.Encoding = value
		case "sheet":
			cfg.Sheet = value
		case "delimiter":
			delimiter := []rune(value)
			if len(delimiter) != 1 {
				bad = "must be one character"
			} else {
				cfg.Delimiter = delimiter[0]
			}
		default:
			bad = "is not a parameter of imports"
		}
		if bad != "" || len(values) > 1 {
			if bad == "" {
				bad = "is given more than once"
			}
			return cfg, in, &problem.HTTPError{Status: http.StatusBadRequest, Code: "invalid-parameter", Detail: "A parameter is not valid.",
				Fields: []fault.Field{{Name: name, Detail: bad}}}
		}
	}
	return cfg, in, nil
}

// templated completes how the file is to be read by the template that is set for
// such files. An id that importParams let through is one.
func (a *api) templated(r *http.Request, c access.Caller, cfg importing.Config) (importing.Config, error) {
	group, _ := uuid.Parse(r.URL.Query().Get("template"))
	template, err := a.cfg.Commands.ImportTemplate(r.Context(), c, group)
	if err != nil {
		return cfg, err
	}
	return command.ImportConfig(template, cfg)
}

// takeAndImport takes the file in before it asks for a turn: who sends slowly
// holds up nobody.
func (a *api) takeAndImport(w http.ResponseWriter, r *http.Request, c access.Caller, env command.Envelope,
	cfg importing.Config, in command.ImportDeliveries) (out Imported, err error) {
	connection := http.NewResponseController(w)
	// What cannot move its deadlines keeps the server's.
	_ = connection.SetWriteDeadline(time.Time{})
	defer func() { _ = connection.SetWriteDeadline(time.Now().Add(answerTime)) }()
	sent, err := a.uploads.Take(w, r, c.Org, in.File)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, sent.Close()) }()
	ctx, cancel := context.WithTimeout(r.Context(), importTime)
	defer cancel()
	end, err := a.imports.begin(ctx, c.Org)
	if err != nil {
		return out, err
	}
	defer end()
	return a.runImport(ctx, c, env, sent.Kept, cfg, in)
}

func (a *api) runImport(ctx context.Context, c access.Caller, env command.Envelope, sent *importing.Kept,
	cfg importing.Config, in command.ImportDeliveries) (out Imported, err error) {
	report := &importReport{under: map[int]importing.Draft{}, out: Imported{Rejections: []importing.Rejection{}, Notes: []importing.Note{}}}
	cfg.Rejected, cfg.Noted, cfg.TempDir = report.reject, report.note, a.cfg.Uploads.TempDir
	file, err := sent.Stage(ctx, cfg)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	in.Drafts, in.Report = report.drafts(file.Deliveries()), report.outcome
	sum, err := a.cfg.Commands.ImportDeliveries(ctx, c, env, in)
	if err != nil {
		return out, err
	}
	out = report.out
	out.DryRun, out.Groups = in.DryRun, append([]string{}, sum.Groups...)
	out.Deliveries, out.Created, out.AlreadyKnown, out.Rejected, out.GroupsCreated = sum.Read, sum.Created, sum.AlreadyKnown, sum.Rejected, sum.GroupsCreated
	if !sum.Position.IsZero() {
		out.Position = sum.Position.String()
	}
	return out, nil
}

// importReport gathers what is told of an import; it holds the deliveries under
// way, and of the rows that were not taken the first.
type importReport struct {
	mu    sync.Mutex
	under map[int]importing.Draft // by first row
	out   Imported
}

func (p *importReport) reject(r importing.Rejection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.out.RowsRejected++
	if len(p.out.Rejections) < maxListed {
		p.out.Rejections = append(p.out.Rejections, r)
	}
}

func (p *importReport) note(n importing.Note) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.out.Notes) < maxListed {
		p.out.Notes = append(p.out.Notes, n)
	}
}
