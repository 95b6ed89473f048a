package readapi

import (
	"encoding/binary"
	"net/http"

	"github.com/jackc/pgx/v5"

	"waybill/aggregates/access"
)

// deliveries answers GET /v1/deliveries: a page of what the caller sees, latest
// first.
func (a *api) deliveries(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	f, err := a.deliveryFilter(r, c)
	if err != nil {
		return err
	}
	buf := a.buffers.Get().(*[]byte)
	defer func() { a.putBack(buf) }()
	page := deliveryPage{body: append((*buf)[:0], `{"deliveries":[`...), filter: &f}
	switch {
	case f.nothing:
	case len(f.words) > 0:
		err = a.search(r.Context(), c, &f, &page)
	default:
		err = a.walk(r.Context(), c, &f, page.row)
	}
	if err != nil {
		return err
	}
	page.body = append(page.body, ']')
	if page.more {
		place := page.last[:]
		if f.walking {
			place = append(place, walkingMark...)
		}
		cursor := a.cursors.seal(c, list(r), place)
		page.body = append(page.body, `,"next":"`...)
		page.body = append(page.body, cursor...)
		page.body = append(page.body, '"')
		link(w, r, cursor)
	}
	page.body = append(page.body, '}', '\n')
	*buf = page.body
	send(w, page.body)
	return nil
}

// deliveryPage gathers the rows of one page as JSON.
type deliveryPage struct {
	filter *deliveryFilter
	body   []byte
	n      int
	more   bool            // there was a row past the page
	last   [placeSize]byte // where it ended: at the last row taken, unless a search went further
}

// The places of deliveryColumns.
const (
	colID = iota
	colGroup
	colStatus
	colHasVehicle
	colDate
	colDetails
	colRevision
	colUpdated
	colMark
	colEta
	colVehicle
)

func (p *deliveryPage) row(rs pgx.Rows) error {
	if p.n == p.filter.limit {
		p.more = true
		return nil
	}
	if p.n > 0 {
		p.body = append(p.body, ',')
	}
	p.n++
	raw := rs.RawValues()
	p.body = append(appendDelivery(append(p.body, '{'), raw, daysOf(p.filter.today)), '}')
	copy(p.last[:4], raw[colDate])
	copy(p.last[4:], raw[colID])
	return nil
}

// appendDelivery appends the members of one delivery: the stored ones as they
// are, and around them what changes.
func appendDelivery(b []byte, raw [][]byte, today days) []byte {
	b = append(b, `"id":`...)
	b = appendIDOrNull(b, raw[colID])
	b = append(b, ',')
	b = append(b, raw[colDetails]...)
	b = append(b, `,"group":`...)
	b = appendIDOrNull(b, raw[colGroup])
	b = append(b, `,"status":`...)
	b = appendText(b, raw[colStatus])
	b = append(b, `,"tracking_status":"`...)
	vehicle := len(raw[colHasVehicle]) == 1 && raw[colHasVehicle][0] == 1
	b = append(b, tracking(string(raw[colStatus]), vehicle, daysOfRaw(raw[colDate]) > today)...)
	b = append(b, '"')
	if raw[colVehicle] != nil {
		b = append(b, `,"vehicle":`...)
		b = appendIDOrNull(b, raw[colVehicle])
	}
	if len(raw[colMark]) > 0 {
		b = append(b, `,"mark":`...)
		b = appendText(b, raw[colMark])
	}
	if raw[colEta] != nil {
		b = append(b, `,"eta":`...)
		b = appendTime(b, raw[colEta])
	}
	b = append(b, `,"revision":`...)
	b = appendCount(b, raw[colRevision])
	b = append(b, `,"updated_at":`...)
	b = appendTime(b, raw[colUpdated])
	return b
}

// revisionOf is the row's revision, for its ETag.
func revisionOf(raw [][]byte) uint64 {
	if len(raw[colRevision]) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(raw[colRevision])
}
