package readapi

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
	"github.com/gorilla/mux"
	"github.com/jackc/pgx/v5"

	"waybill/aggregates/access"
)

// A delivery's timeline has no end: its ETA may be revised and its outcome
// corrected any number of times. It is told in pieces, bounded in number and,
// since one step may list every item, in size.
const (
	shownSteps = 50        // at most, with the delivery itself
	stepBytes  = 256 << 10 // a piece ends with the step that reaches it
)

// timelineQuery reads backwards from before a revision.
const timelineQuery = `
	SELECT type, at, actor, from_group, to_group, reason, detail::text, revision
	FROM read.delivery_timeline
	WHERE delivery_id = $1 AND revision < $2
	ORDER BY revision DESC
	LIMIT $3`

// Timeline is a piece of a delivery's timeline.
type Timeline struct {
	Timeline []Entry `json:"timeline" doc:"Latest first."`
	Next     string  `json:"next,omitzero" doc:"Cursor of what happened before."`
}

// timelineOf answers GET /v1/deliveries/{id}/timeline: what happened to a delivery,
// latest first.
func (a *api) timelineOf(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	p := paramsOf(r, "limit", "cursor")
	steps := timeline{caller: c, limit: p.limit()}
	if err := p.err(); err != nil {
		return err
	}
	id, err := uuid.Parse(mux.Vars(r)["id"])
	if err != nil {
		return errNotFound()
	}
	before := int64(math.MaxInt64)
	if cursor := p.text("cursor"); cursor != "" {
		raw, err := a.cursors.open(c, timelinePath(id), cursor)
		if err != nil {
			return err
		}
		if len(raw) != 8 {
			return errCursor()
		}
		before = int64(binary.BigEndian.Uint64(raw))
	}
	found := false
	batch := scoped(c)
	batch.Queue(`SELECT FROM read.deliveries WHERE delivery_id = $1 AND org_id = $2`, id, c.Org)
	batch.Queue(timelineQuery, id, before, steps.limit+1)
	err = a.run(r.Context(), batch, func(results pgx.BatchResults) error {
		if err := rows(results, func(pgx.Rows) error { found = true; return nil }); err != nil {
			return err
		}
		return rows(results, steps.row)
	})
	switch {
	case err != nil:
		return err
	case !found:
		return errNotFound()
	}
	body := steps.appendBackward([]byte(`{"timeline":`))
	if steps.more {
		cursor := a.cursors.seal(c, timelinePath(id), steps.place())
		body = appendText(append(body, `,"next":`...), cursor)
		link(w, r, cursor)
	}
	send(w, append(body, '}', '\n'))
	return nil
}

// timelinePath names a delivery's timeline, for cursors.
func timelinePath(id uuid.UUID) string { return "/v1/deliveries/" + id.String() + "/timeline" }

// timeline gathers a piece of a timeline, read backwards.
type timeline struct {
	caller access.Caller
	limit  int
	text   []byte // of all entries, one after the other
	ends   []int  // of each in text
	first  uint64 // revision of the earliest
	more   bool   // something happened before
}

func (t *timeline) row(rs pgx.Rows) error {
	if len(t.ends) == t.limit || len(t.text) >= stepBytes {
		t.more = true
		return nil
	}
	var err error
	t.text, t.first, err = appendEntry(t.text, rs, t.caller)
	t.ends = append(t.ends, len(t.text))
	return err
}

func (t *timeline) entry(i int) []byte {
	if i == 0 {
		return t.text[:t.ends[0]]
	}
	return t.text[t.ends[i-1]:t.ends[i]]
}

// appendBackward appends the entries as a JSON array, latest first.
func (t *timeline) appendBackward(b []byte) []byte {
	b = append(b, '[')
	for i := range t.ends {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, t.entry(i)...)
	}
	return append(b, ']')
}

// appendForward appends the entries as a JSON array, as they happened.
func (t *timeline) appendForward(b []byte) []byte {
	b = append(b, '[')
	for i := len(t.ends) - 1; i >= 0; i-- {
		b = append(b, t.entry(i)...)
		if i > 0 {
			b = append(b, ',')
		}
	}
	return append(b, ']')
}

// place is where the piece before this one begins, going backwards.
func (t *timeline) place() []byte { return binary.BigEndian.AppendUint64(nil, t.first) }

// appendEntry appends a timeline entry for a caller and returns its revision. A
// delivery's past may lie in groups that the caller does not see: of those nothing
// is told, and neither is who else works here nor what was said about them.
func appendEntry(b []byte, rs pgx.Rows, c access.Caller) ([]byte, uint64, error) {
	var e Entry
	var detail *string
	if err := rs.Scan(&e.Type, &e.At, &e.Actor, &e.From, &e.To, &e.Reason, &detail, &e.Revision); err != nil {
		return b, 0, fmt.Errorf("timeline: %w", err)
	}
	e.At = e.At.UTC()
	if detail != nil {
		e.Detail = jsontext.Value(*detail)
	}
	if !c.SeesAll() {
		e.Actor = actorFor(c, e.Actor)
		if foreign(c, e.From) || foreign(c, e.To) {
			e.Reason = ""
		}
		e.From, e.To = seen(c, e.From), seen(c, e.To)
	}
	var err error
	if e.Detail, err = detailFor(c, e.Detail); err != nil {
		return b, 0, fmt.Errorf("timeline: detail of revision %d: %w", e.Revision, err)
	}
	b, err = e.append(b)
	return b, e.Revision, err
}

// append appends the entry as JSON.
func (e *Entry) append(b []byte) ([]byte, error) {
	b = appendText(append(b, `{"type":`...), e.Type)
	b = append(e.At.AppendFormat(append(b, `,"at":"`...), time.RFC3339Nano), '"')
	b = appendText(append(b, `,"actor":`...), e.Actor)
	if e.From != nil {
		b = append(appendUUID(append(b, `,"from_group":"`...), *e.From), '"')
	}
	if e.To != nil {
		b = append(appendUUID(append(b, `,"to_group":"`...), *e.To), '"')
	}
	if e.Reason != "" {
		b = appendText(append(b, `,"reason":`...), e.Reason)
	}
	if e.Detail != nil {
		if err := e.Detail.Compact(); err != nil {
			return b, fmt.Errorf("timeline: detail of revision %d: %w", e.Revision, err)
		}
		b = append(append(b, `,"detail":`...), e.Detail...)
	}
	b = strconv.AppendUint(append(b, `,"revision":"`...), e.Revision, 10)
	return append(b, '"', '}'), nil
}

func foreign(c access.Caller, group *uuid.UUID) bool { return group != nil && !c.Sees(*group) }

func seen(c access.Caller, group *uuid.UUID) *uuid.UUID {
	if foreign(c, group) {
		return nil
	}
	return group
}

// actorFor shows a scoped caller itself by id and everybody else by kind.
func actorFor(c access.Caller, actor string) string {
	if actor == c.Actor.String() {
		return actor
	}
	for i := range actor {
		if actor[i] == ':' {
			return actor[:i]
		}
	}
	return actor
}

// detailFor leaves out vehicles that the caller does not see (for sure), and
// which file of whose an import was.
func detailFor(c access.Caller, detail jsontext.Value) (jsontext.Value, error) {
	if detail == nil || c.SeesAll() && c.May(access.ViewVehicles) {
		return detail, nil
	}
	var members map[string]jsontext.Value
	if err := json.Unmarshal(detail, &members); err != nil {
		return nil, err
	}
	delete(members, "vehicle")
	if !c.SeesAll() {
		delete(members, "import")
	}
	if len(members) == 0 {
		return nil, nil
	}
	return json.Marshal(members, json.Deterministic(true))
}
