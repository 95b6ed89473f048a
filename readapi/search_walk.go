package readapi

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/aggregates/access"
)

// searching is how far a search has walked down a list.
type searching struct {
	f    *deliveryFilter
	hits []deliveryPlace // in the order of the list; one more than a page at most
	at   *deliveryPlace  // the walk came to here; nil = it did not begin
	more bool            // the list goes on behind
}

// full reports whether there is more found than fits on the page.
func (s *searching) full() bool { return len(s.hits) > s.f.limit }

// promising reports whether a walk of so many rows will fill the page, going by what
// the first look found.
func (s *searching) promising(rows int) bool {
	return len(s.hits)*(rows/lookedRows) > s.f.limit
}

// ids are those of the page.
func (s *searching) ids() []uuid.UUID {
	var ids []uuid.UUID
	for _, h := range s.hits[:min(len(s.hits), s.f.limit)] {
		ids = append(ids, h.id)
	}
	return ids
}

// next is where the next page begins, if there is one.
func (s *searching) next() (bool, [placeSize]byte) {
	switch {
	case s.full():
		return true, s.hits[s.f.limit-1].raw()
	case s.more:
		return true, s.at.raw()
	}
	return false, [placeSize]byte{}
}

func (p deliveryPlace) raw() [placeSize]byte {
	var b [placeSize]byte
	binary.BigEndian.PutUint32(b[:4], uint32(daysOf(p.date)))
	copy(b[4:], p.id[:])
	return b
}

// walkOn walks so many rows further, or until the page is full or the list ends.
func (a *api) walkOn(ctx context.Context, c access.Caller, s *searching, most int) error {
	f := *s.f
	f.after = s.at
	s.more = false
	b := scopedPage(c)
	text, args := f.walkSQL(most)
	b.Queue(text, args...)
	return a.run(ctx, b, func(results pgx.BatchResults) error {
		return rows(results, func(rs pgx.Rows) error {
			var date time.Time
			var id uuid.UUID
			var hit, cut bool
			if s.more || s.full() { // behind where one of the walks stopped, not all is known
				return nil
			}
			if err := rs.Scan(&date, &id, &hit, &cut); err != nil {
				return err
			}
			if hit {
				s.hits = append(s.hits, deliveryPlace{date, id})
			}
			s.at, s.more = &deliveryPlace{date, id}, cut
			return nil
		})
	})
}
