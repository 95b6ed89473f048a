package commandapi

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"github.com/gorilla/mux"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/access/route"
	"waybill/aggregates/command"
	"waybill/events"
	"waybill/events/fault"
)

// Said is what every command may say besides what it asks for.
type Said struct {
	Reason   string   `json:"reason,omitzero" doc:"Why; kept with the events."`
	Approval Approval `json:"approval,omitzero" doc:"What was approved outside waybill."`
}

// Approval is what a caller may say of an approval. Who approved which request of
// whom is proved, and so never said by a caller: waybill records it of requests that
// are approved, and of clients that approve, here.
type Approval struct {
	Reference string `json:"reference,omitzero" doc:"The ticket or letter that approved it, elsewhere. Who approved is recorded by waybill itself, when it is done here."`
}

func (s Said) said() Said { return s }

// Bounds of what a command may say about itself, in bytes: it is kept with every
// event of the command, for ever.
const (
	maxReason    = 2000
	maxReference = 200
)

func (s Said) check() error {
	switch {
	case len(s.Reason) > maxReason:
		return fault.InvalidField("reason", "must have at most %d bytes", maxReason)
	case len(s.Approval.Reference) > maxReference:
		return fault.InvalidField("approval.reference", "must have at most %d bytes", maxReference)
	}
	return nil
}

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

	unsettled bool // a repetition may come to more: the answer is not kept for it
}

// spec says how a command is reached and answered.
type spec struct {
	method, path, name, summary string

	// One of the two is said; see [route.Route]. The permissions that commands
	// need are, with [access.Defaults], the table of role x command; a test tries
	// every cell.
	needs access.Set
	open  bool
	own   bool // for oneself it needs nothing

	verb    string // on the command line, such as "user add"
	args    string // members of the body that are arguments there, divided by spaces
	example any    // of the body; nil = one without members

	created  bool // 201 instead of 200
	bodyless bool // it can be sent without a body
	widens   bool // it changes who sees what: answer when that is so
	matched  bool // a blind write would be dangerous: If-Match is required
	dryRun   bool // it can be tried without being executed; see [Widened]
	answer   any  // example of the answer's type; nil = Done
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
		who, body, err := a.readAs(w, r, &in, s.bodyless)
		if err != nil {
			return err
		}
		c := call{caller: who, vars: mux.Vars(r)}
		id, keyed, err := requestID(r, c.caller)
		if err != nil {
			return err
		}
		said := in.said()
		if err := said.check(); err != nil {
			return err
		}
		c.env = command.Envelope{CommandID: a.cfg.NewID(), OnBehalfOf: behalf(c.caller), Reason: said.Reason, Approval: events.Approval{Reference: said.Approval.Reference}}
		if c.dryRun, err = dryRun(r, s.dryRun); err != nil {
			return err
		}
		if c.env.ExpectedRevision, err = matching(r, s.matched); err != nil {
			return err
		}
		execute := func(w http.ResponseWriter) (settled bool, err error) {
			out, err := run(r.Context(), c, in)
			if err != nil {
				a.refused(c.caller, s.name, c.target(s.path), err)
				return false, unmatched(err)
			}
			return !out.unsettled, a.answer(w, r, s, status, out)
		}
		if !keyed || c.dryRun {
			_, err := execute(w)
			return err
		}
		req := access.Repeatable{ID: id, Hash: requestHash(r, body), Caller: c.caller}
		c.env.CommandID = uuid.NewSHA1(req.ID, req.Hash[:])
		return a.once(w, r, req, execute)
	}
	params := []route.Param{keyParam()}
	if s.matched {
		params = append(params, route.Param{In: "header", Name: matchHeader, Summary: "Required: the ETag of what you saw; 412 when it was changed since."})
	}
	if s.dryRun {
		params = append(params, dryRunQuery())
	}
	return route.Route{
		Method: s.method, Path: s.path, Name: s.name, Summary: s.summary, Handler: a.handler(handle),
		Needs: s.needs, Own: s.own, Open: s.open, Verb: s.verb, Args: strings.Fields(s.args), Example: s.example,
		Body: route.Of[In](), Bodyless: s.bodyless, Answer: answer, Status: status, Params: params,
	}
}

// Headers of commands and their answers.
const (
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
	told(w, out.position)
	return send(w, status, out.answer)
}

// told says in an answer where in the log its command's last event stands.
func told(w http.ResponseWriter, at events.Position) {
	if !at.IsZero() {
		w.Header().Set(positionHeader, at.String())
	}
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
