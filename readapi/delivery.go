package readapi

import (
	"math"
	"net/http"

	"github.com/google/uuid"
	"github.com/gorilla/mux"
	"github.com/jackc/pgx/v5"

	"waybill/aggregates/access"
	"waybill/events/fault"
)

// delivery answers GET /v1/deliveries/{id} with its items, of which a delivery has
// at most 2,000, and the end of its timeline.
func (a *api) delivery(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	if err := paramsOf(r).err(); err != nil {
		return err
	}
	id, err := uuid.Parse(mux.Vars(r)["id"])
	if err != nil {
		return errNotFound()
	}
	batch := scoped(c)
	batch.Queue(`SELECT `+deliveryColumns(c)+attemptColumns+` FROM read.deliveries d WHERE d.delivery_id = $1 AND d.org_id = $2`, raw(id), raw(c.Org))
	batch.Queue(itemsQuery, raw(id))
	batch.Queue(timelineQuery, raw(id), int64(math.MaxInt64), int64(shownSteps+1))
	buf := a.buffers.Get().(*[]byte)
	defer func() { a.putBack(buf) }()
	body := append((*buf)[:0], '{')
	found := false
	var revision uint64
	steps := timeline{caller: c, limit: shownSteps}
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
		body = append(body, ']')
		return rows(results, steps.row)
	})
	if err != nil {
		return err
	}
	if !found {
		return errNotFound()
	}
	body = steps.appendForward(append(body, `,"timeline":`...))
	if steps.more {
		body = append(body, `,"earlier":`...)
		body = appendText(body, a.cursors.seal(c, timelinePath(id), steps.place()))
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
