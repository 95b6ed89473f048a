package store

import (
	"context"
	"iter"

	"waybill/events"
)

const (
	pageSize = 1000 // events that ReadAll asks for at once
	lookBack = 16   // backwards at first: who reads so mostly looks for one of the last
)

// ReadAll yields every event of the log from a position on, exclusive, to where
// the log ends when the reading gets there; system events are among them. From
// the zero position it yields all, in either direction. It reads page by page,
// so its memory is bounded and a slow consumer costs the server nothing;
// backwards, the first pages are small. What ends the reading early is yielded as
// the last pair's error; outages shorter than Config.Timeout are not seen.
func (s *Store) ReadAll(ctx context.Context, from events.Position, d Direction) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		last, size := from, uint64(pageSize)
		if d == Backwards {
			size = lookBack
		}
		for {
			records, err := s.page(ctx, "read the log from position "+last.String(), allOptions(last, d, size))
			if err != nil {
				yield(events.Record{}, err)
				return
			}
			progress := false
			for _, r := range records {
				if r.Position == last { // forwards, the server repeats where we stand
					continue
				}
				if !yield(r, nil) {
					return
				}
				last, progress = r.Position, true
			}
			if uint64(len(records)) < size || !progress {
				return
			}
			size = min(4*size, pageSize)
		}
	}
}
