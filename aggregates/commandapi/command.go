package commandapi

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"github.com/gorilla/mux"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/access/route"
	"waybill/aggregates/command"
	"waybill/aggregates/problem"
	"waybill/events"
	"waybill/events/fault"
)

// Said is what every command may say besides what it asks for.
type Said struct {
	Reason   string   `json:"reason,omitzero" doc:"Why; kept with the events."`
	Approval Approval `json:"approval,omitzero" doc:"On whose approval."`
}

// Approval is on whose approval something is done.
type Approval struct {
	By          string `json:"by,omitzero"`
	RequestedBy string `json:"requested_by,omitzero"`
	Request     string `json:"request,omitzero"`
	Reference   string `json:"reference,omitzero" doc:"A ticket or letter elsewhere."`
}

func (s Said) said() Said { return s }

// sayer is a body that embeds Said.
type sayer interface{ said() Said }

// Done is the answer to a command.
type Done struct {
	ID       uuid.UUID `json:"id,omitzero" doc:"Of what was made."`
	Revision uint64    `json:"revision,string" doc:"Of the stream."`
	Position string    `json:"position" doc:"In the log; as Waybill-Position of a query it makes the query see this."`
	Changed  bool      `json:"changed" doc:"False when it was so already."`
}

func done(r aggregates.Result) Done {
	return Done{Revision: r.Revision, Position: r.Position.String(), Changed: r.Events > 0}
}

func made(c command.Created) Done {
	d := done(c.Result)
	d.ID = c.ID
	return d
}

// call is one command on its way in.
type call struct {
	caller access.Caller
	env    command.Envelope
	vars   map[string]string
	dryRun bool // nothing is to be changed
}

// id returns an id of the path. One that is no UUID is that of nothing.
func (c call) id(name string) (uuid.UUID, error) {
	id, err := uuid.Parse(c.vars[name])
	if err != nil || id == uuid.Nil {
		return uuid.Nil, fault.New(fault.NotFound, "", "no id in the path")
	}
	return id, nil
}

// text returns a part of the path as it is meant.
func (c call) text(name string) (string, error) {
	s, err := url.PathUnescape(c.vars[name])
	if err != nil {
		return "", fault.New(fault.NotFound, "", "no text in the path")
	}
	return s, nil
}

// outcome is what a command came to.
type outcome struct {
	answer   any             // the body
	position events.Position // of its last event
	location string          // of what was made
}

// spec says how a command is reached and answered.
type spec struct {
	method, path, name, summary string
	created                     bool // 201 instead of 200
	bodyless                    bool // it can be sent without a body
	widens                      bool // it changes who sees what: answer when that is so
	matched                     bool // a blind write would be dangerous: If-Match is required
	dryRun                      bool // it can be tried without being executed; see [Widened]
	answer                      any  // example of the answer's type; nil = Done
}

// on makes the route of a command with a body of type In.
func on[In sayer](a *api, s spec, run func(ctx context.Context, c call, in In) (outcome, error)) route.Route {
	status := http.StatusOK
	if s.created {
		status = http.StatusCreated
	}
	answer := route.Of[Done]()
	if s.answer != nil {
		answer = route.TypeOf(s.answer)
	}
	handle := func(w http.ResponseWriter, r *http.Request) error {
		var in In
		if err := readBody(w, r, &in, s.bodyless); err != nil {
			return err
		}
		c := call{caller: access.CallerOf(r.Context()), vars: mux.Vars(r)}
		id, err := a.commandID(r, c.caller.User)
		if err != nil {
			return err
		}
		said := in.said()
		c.env = command.Envelope{CommandID: id, Reason: said.Reason, Approval: events.Approval(said.Approval)}
		if c.dryRun, err = dryRun(r, s.dryRun); err != nil {
			return err
		}
		if c.env.ExpectedRevision, err = matching(r, s.matched); err != nil {
			return err
		}
		out, err := run(r.Context(), c, in)
		if err != nil {
			return unmatched(err)
		}
		return a.answer(w, r, s, status, out)
	}
	params := []route.Param{{In: "header", Name: keyHeader, Summary: "Makes a repetition of the request harmless: a UUID, or any text of 1 to 255 characters."}}
	if s.matched {
		params = append(params, route.Param{In: "header", Name: matchHeader, Summary: "Required: the ETag of what you saw; 412 when it was changed since."})
	}
	if s.dryRun {
		params = append(params, dryRunQuery())
	}
	return route.Route{
		Method: s.method, Path: s.path, Name: s.name, Summary: s.summary, Handler: a.handler(handle),
		Body: route.Of[In](), Answer: answer, Status: status, Params: params,
	}
}

// Headers of commands and their answers.
const (
	keyHeader      = "Idempotency-Key"
	positionHeader = "Waybill-Position"
	visibleHeader  = "Waybill-Visible"
)

func (a *api) answer(w http.ResponseWriter, r *http.Request, s spec, status int, out outcome) error {
	h := w.Header()
	if s.widens {
		state := "now"
		if !a.visible(r.Context(), out.position) {
			state = "pending"
		}
		h.Set(visibleHeader, state)
	}
	if out.location != "" {
		h.Set("Location", out.location)
	}
	if !out.position.IsZero() {
		h.Set(positionHeader, out.position.String())
	}
	return send(w, status, out.answer)
}

func send(w http.ResponseWriter, status int, answer any) error {
	body, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	body = append(body, '\n')
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the caller may have gone away
	return nil
}

// commandID makes a command's id of the caller's key: the same key of the same
// caller is the same command, whoever else uses it.
func (a *api) commandID(r *http.Request, namespace uuid.UUID) (uuid.UUID, error) {
	keys := r.Header.Values(keyHeader)
	if len(keys) == 0 {
		return a.cfg.NewID(), nil
	}
	key := keys[0]
	if len(keys) > 1 || !printable(key) || len(key) < 1 || len(key) > 255 {
		return uuid.Nil, &problem.HTTPError{Status: http.StatusBadRequest, Code: "invalid-idempotency-key",
			Detail: "The header " + keyHeader + " must be there once, with 1 to 255 printable ASCII characters."}
	}
	if id, err := uuid.Parse(key); err == nil && id != uuid.Nil {
		return id, nil
	}
	return uuid.NewSHA1(namespace, []byte(key)), nil
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
