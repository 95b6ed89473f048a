package readapi

import (
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
	"github.com/gorilla/mux"
	"github.com/jackc/pgx/v5"

	"waybill/aggregates/access"
	"waybill/events/fault"
)

// delivery answers GET /v1/deliveries/{id} with items and timeline.
func (a *api) delivery(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	if err := paramsOf(r).err(); err != nil {
		return err
	}
	id, err := uuid.Parse(mux.Vars(r)["id"])
	if err != nil {
		return errNotFound()
	}
	batch := scoped(c)
	batch.Queue(`SELECT `+deliveryColumns(c)+attemptColumns+` FROM read.deliveries d WHERE d.delivery_id = $1 AND d.org_id = $2`, id, c.Org)
	batch.Queue(itemsQuery, id)
	batch.Queue(timelineQuery, id)
	buf := a.buffers.Get().(*[]byte)
	defer func() { a.buffers.Put(buf) }()
	body := append((*buf)[:0], '{')
	found := false
	var revision uint64
	err = a.run(r.Context(), batch, func(results pgx.BatchResults) error {
		err := rows(results, func(rs pgx.Rows) error {
			found = true
			revision = revisionOf(rs.RawValues())
			body = appendDelivery(body, rs.RawValues(), daysOf(a.zones.today(a.cfg.Now(), c.Timezone)))
			body = appendAttempts(body, rs.RawValues()[colVehicle+1:])
			return nil
		})
		if err != nil || !found {
			return err
		}
		body = append(body, `,"items":[`...)
		if err := rows(results, separated(&body, appendItem)); err != nil {
			return err
		}
		body = append(body, `],"timeline":[`...)
		if err := rows(results, separated(&body, entryFor(c))); err != nil {
			return err
		}
		body = append(body, ']')
		return nil
	})
	if err != nil {
		return err
	}
	if !found {
		return errNotFound()
	}
	body = append(body, '}', '\n')
	*buf = body
	tag(w, revision)
	send(w, body)
	return nil
}

// attemptColumns of the row d are the attempts before and after, as far as the
// caller sees them.
const attemptColumns = `,
	(SELECT p.delivery_id FROM read.deliveries p WHERE p.delivery_id = d.previous_id AND p.org_id = d.org_id),
	(SELECT n.delivery_id FROM read.deliveries n WHERE n.delivery_id = d.next_id AND n.org_id = d.org_id)`

func appendAttempts(b []byte, raw [][]byte) []byte {
	for i, name := range [...]string{`,"previous":`, `,"next":`} {
		if raw[i] != nil {
			b = append(b, name...)
			b = appendIDOrNull(b, raw[i])
		}
	}
	return b
}

// errNotFound is the one answer about what does not exist, and about what exists
// for others.
func errNotFound() error { return fault.New(fault.NotFound, "", "not in the caller's scope") }

const itemsQuery = `
	SELECT item_id, sku, description, quantity, unit
	FROM read.delivery_items WHERE delivery_id = $1 ORDER BY line`

const timelineQuery = `
	SELECT type, at, actor, from_group, to_group, reason, detail::text, revision
	FROM read.delivery_timeline WHERE delivery_id = $1 ORDER BY revision`

// separated appends rows with commas between them.
func separated(body *[]byte, each func([]byte, pgx.Rows) ([]byte, error)) func(pgx.Rows) error {
	first := true
	return func(rs pgx.Rows) (err error) {
		if !first {
			*body = append(*body, ',')
		}
		first = false
		*body, err = each(*body, rs)
		return err
	}
}

func appendItem(b []byte, rs pgx.Rows) ([]byte, error) {
	raw := rs.RawValues()
	b = append(b, `{"id":`...)
	b = appendText(b, raw[0])
	for i, name := range [...]string{`,"sku":`, `,"description":`} {
		if len(raw[i+1]) > 0 {
			b = append(b, name...)
			b = appendText(b, raw[i+1])
		}
	}
	b = append(b, `,"quantity":`...)
	b = appendCount(b, raw[3])
	if len(raw[4]) > 0 {
		b = append(b, `,"unit":`...)
		b = appendText(b, raw[4])
	}
	return append(b, '}'), nil
}

// entryFor writes timeline entries for a caller. A delivery's past may lie in
// groups that the caller does not see: of those nothing is told, and neither is
// who else works here nor what was said about them.
func entryFor(c access.Caller) func([]byte, pgx.Rows) ([]byte, error) {
	return func(b []byte, rs pgx.Rows) ([]byte, error) {
		var e Entry
		var detail *string
		if err := rs.Scan(&e.Type, &e.At, &e.Actor, &e.From, &e.To, &e.Reason, &detail, &e.Revision); err != nil {
			return b, fmt.Errorf("timeline: %w", err)
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
			return b, fmt.Errorf("timeline: detail of revision %d: %w", e.Revision, err)
		}
		out, err := json.Marshal(e)
		return append(b, out...), err
	}
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
