package commandapi

import (
	"iter"

	"waybill/aggregates/command"
	"waybill/aggregates/importing"
)

// drafts passes deliveries on to the import and remembers their rows until it is
// known what became of them.
func (p *importReport) drafts(in iter.Seq2[importing.Draft, error]) iter.Seq2[importing.Draft, error] {
	return func(yield func(importing.Draft, error) bool) {
		for d, err := range in {
			if err == nil {
				p.mu.Lock()
				p.under[d.Row()] = importing.Draft{Rows: d.Rows}
				p.mu.Unlock()
			}
			if !yield(d, err) {
				return
			}
		}
	}
}

// outcome lists every row of a delivery that was refused.
func (p *importReport) outcome(o command.Outcome) {
	p.mu.Lock()
	d := p.under[o.Row]
	delete(p.under, o.Row)
	p.mu.Unlock()
	if o.Status != command.OutcomeRejected {
		return
	}
	for _, row := range d.Rows {
		p.reject(importing.Rejection{Row: row, Number: o.DONumber, Reason: o.Reason})
	}
}
