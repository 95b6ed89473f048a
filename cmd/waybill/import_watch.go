package main

import (
	"iter"
	"sync"

	"waybill/aggregates/command"
	"waybill/aggregates/importing"
)

// watch stands between a file and an import: it counts what goes in, and knows
// all rows of a delivery that comes back rejected. It holds the deliveries under
// way and no others.
type watch struct {
	report *report
	bar    *bar
	total  int                   // rows of the file
	told   func(command.Outcome) // may be nil

	mu                sync.Mutex
	under             map[int]importing.Draft // by first row
	deliveries, items int
	rows              int // of the deliveries that came back
}

// drafts passes the deliveries on.
func (w *watch) drafts(in iter.Seq2[importing.Draft, error]) iter.Seq2[importing.Draft, error] {
	return func(yield func(importing.Draft, error) bool) {
		for d, err := range in {
			if err == nil {
				w.enter(d)
			}
			if !yield(d, err) {
				return
			}
		}
	}
}

func (w *watch) enter(d importing.Draft) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deliveries++
	w.items += len(d.Items)
	w.under[d.Row()] = d
}

// outcome takes what became of a delivery, and reports every row of one that was
// rejected.
func (w *watch) outcome(o command.Outcome) {
	w.mu.Lock()
	d := w.under[o.Row]
	delete(w.under, o.Row)
	w.rows += len(d.Rows)
	w.bar.show("importing rows", int64(w.rows), int64(w.total), false)
	w.mu.Unlock()
	if w.told != nil {
		w.told(o)
	}
	if o.Status != command.OutcomeRejected {
		return
	}
	for _, row := range d.Rows {
		w.report.reject(importing.Rejection{Row: row, Number: o.DONumber, Reason: o.Reason})
	}
}
