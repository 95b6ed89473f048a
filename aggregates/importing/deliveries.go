package importing

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
)

// What one delivery may hold: its first event must fit into one append.
const (
	maxItems = 2000
	maxText  = 512 << 10 // bytes of all values of all its rows
)

// Deliveries hands out the deliveries of the file, in the order of customer code,
// type, number and date. Rows that are not taken go to Config.Rejected on the
// way. A non-nil error ends it: the staged rows could not be read back. It can be
// used once, before [File.Close].
func (f *File) Deliveries() iter.Seq2[Draft, error] {
	return func(yield func(Draft, error) bool) {
		next, err := f.sorter.sorted()
		if err != nil {
			yield(Draft{}, fmt.Errorf("sorting %s: %w", f.name, err))
			return
		}
		g := gathering{file: f}
		for {
			key, value, err := next()
			if errors.Is(err, io.EOF) {
				if d, ok := g.finish(); ok {
					yield(d, nil)
				}
				return
			}
			var s staged
			if err == nil {
				err = s.decode(value)
			}
			if err != nil {
				yield(Draft{}, fmt.Errorf("sorting %s: %w", f.name, err))
				return
			}
			if !g.holds(key) {
				if d, ok := g.finish(); ok && !yield(d, nil) {
					return
				}
				g.begin(key)
			}
			g.add(s)
		}
	}
}

// gathering makes one delivery of the rows that share a key.
type gathering struct {
	file *File
	key  []byte // without the row
	rows []staged
	size int

	spoiled  int // a row that keeps this delivery from being taken; 0 = none
	tooLarge bool

	numberKey []byte // the key without the date
	dateless  int    // a row of this number whose date is wrong; 0 = none
	seen      int    // first row of a delivery of the same number and another date
	seenDate  string
}

// rowSize is the length of a sort key's last part.
const rowSize = 8

func (g *gathering) holds(key []byte) bool { return bytes.Equal(g.key, key[:len(key)-rowSize]) }

func (g *gathering) begin(key []byte) {
	g.key = append(g.key[:0], key[:len(key)-rowSize]...)
	g.rows, g.size, g.spoiled, g.tooLarge = g.rows[:0], 0, 0, false
	number := g.key[:bytes.LastIndexByte(g.key[:len(g.key)-1], 0)]
	if !bytes.Equal(g.numberKey, number) {
		g.numberKey = append(g.numberKey[:0], number...)
		g.dateless, g.seen = 0, 0
	}
}

func (g *gathering) add(s staged) {
	for _, c := range s.cells {
		g.size += len(c)
	}
	switch {
	case s.bad.Reason != "":
		s.bad.Row, s.bad.Number = s.row, s.cell(Number)
		g.file.cfg.Rejected(s.bad)
		g.spoiled = s.row
		if s.cell(Date) == "" {
			g.dateless = s.row
		}
	case g.tooLarge:
		g.reject(s, tooLarge)
	default:
		g.rows = append(g.rows, s)
		g.tooLarge = len(g.rows) > maxItems || g.size > maxText
		if g.tooLarge {
			g.rejectAll(tooLarge)
		}
	}
}

var tooLarge = fmt.Sprintf("its delivery is too large: more than %d rows or %d KiB of text share this number and date", maxItems, maxText>>10)

func (g *gathering) reject(s staged, reason string) {
	g.file.cfg.Rejected(Rejection{Row: s.row, Number: s.cell(Number), Reason: reason})
}

func (g *gathering) rejectAll(reason string) {
	for _, s := range g.rows {
		g.reject(s, reason)
	}
	g.rows = g.rows[:0]
}

// finish returns the delivery, or reports its rows when it cannot be taken.
func (g *gathering) finish() (Draft, bool) {
	switch {
	case len(g.rows) == 0:
	case g.spoiled > 0:
		g.rejectAll(fmt.Sprintf("row %d of the same delivery was not taken", g.spoiled))
	case g.dateless > 0:
		g.rejectAll(fmt.Sprintf("row %d of the same D.O. number has no valid date, so it may belong to this delivery", g.dateless))
	}
	if len(g.rows) == 0 {
		return Draft{}, false
	}
	first := g.rows[0]
	d := Draft{
		Code: first.cell(Group), Type: first.cell(Type), DONumber: first.cell(Number), Date: first.cell(Date),
		Rows: make([]int, 0, len(g.rows)),
	}
	ids := map[string]int{}
	for _, s := range g.rows {
		d.Rows = append(d.Rows, s.row)
		g.fill(&d, s)
		it, ok := s.item()
		if !ok {
			continue
		}
		if row, twice := ids[it.ID]; twice {
			g.rejectAll(fmt.Sprintf("the item id %q stands in rows %d and %d of the same delivery; give each row its own", shorten(it.ID), row, s.row))
			return Draft{}, false
		}
		ids[it.ID] = s.row
		d.Items = append(d.Items, it)
	}
	g.note(d)
	return d, true
}

// fill takes what describes the whole delivery from the first row that says it.
func (g *gathering) fill(d *Draft, s staged) {
	for _, of := range [...]struct {
		field Field
		to    *string
	}{{Address, &d.Address}, {Recipient, &d.Recipient}, {Phone, &d.Phone}, {Email, &d.Email}} {
		v := s.cell(of.field)
		switch {
		case *of.to == "":
			*of.to = v
		case v != "" && v != *of.to:
			g.file.cfg.Noted(Note{Row: s.row, Text: fmt.Sprintf("delivery %s: the %s differs from that of an earlier row, which is kept", shorten(d.DONumber), of.field)})
		}
	}
}

// note says when one number has several dates: these are different deliveries.
func (g *gathering) note(d Draft) {
	if g.seen > 0 {
		rows := []int{g.seen, d.Row()}
		slices.Sort(rows)
		g.file.cfg.Noted(Note{Row: d.Row(), Text: fmt.Sprintf("delivery %s: rows of the same number have the dates %s and %s (rows %d and %d); they are different deliveries", shorten(d.DONumber), g.seenDate, d.Date, rows[0], rows[1])})
	}
	g.seen, g.seenDate = d.Row(), d.Date
}
