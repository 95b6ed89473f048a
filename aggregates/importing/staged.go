package importing

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"waybill/aggregates/delivery"
	"waybill/aggregates/group"
	"waybill/events"
)

// maxValue bounds one value of a row, in bytes.
const maxValue = 8 << 10

// staged is one row on its way through the sorting: the cells that have a
// meaning, by their place in Fields(), and what is wrong with them, if anything.
type staged struct {
	row   int
	cells []string
	bad   Rejection // Reason empty = nothing
}

var errStaged = errors.New("a staged row does not read back")

// encode appends the row to b.
func (s *staged) encode(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(s.row))
	for _, t := range [...]string{s.bad.Reason, s.bad.Column, s.bad.Value} {
		b = appendText(b, t)
	}
	for _, c := range s.cells {
		b = appendText(b, c)
	}
	return b
}

// decode reads what encode wrote. The row shares nothing with b.
func (s *staged) decode(b []byte) error {
	row, n := binary.Uvarint(b)
	if n <= 0 {
		return errStaged
	}
	s.row = int(row)
	b = b[n:]
	s.cells = slices.Grow(s.cells[:0], len(Fields()))[:len(Fields())]
	texts := []*string{&s.bad.Reason, &s.bad.Column, &s.bad.Value}
	for i := range s.cells {
		texts = append(texts, &s.cells[i])
	}
	for _, t := range texts {
		size, n := binary.Uvarint(b)
		if n <= 0 || uint64(len(b)-n) < size {
			return errStaged
		}
		*t = string(b[n : n+int(size)])
		b = b[n+int(size):]
	}
	return nil
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// cell returns the value of a field.
func (s *staged) cell(f Field) string { return s.cells[indexOf(f)] }

func (s *staged) set(f Field, v string) { s.cells[indexOf(f)] = v }

func indexOf(f Field) int { return slices.Index(Fields(), f) }

// sortKey is (customer code, type, D.O. number, date, row), so that rows of one
// delivery are neighbours, and deliveries of one number are too. Codes and numbers
// are compared as the aggregates compare them.
func (s *staged) sortKey(b []byte) []byte {
	for _, part := range [...]string{group.NormalCode(s.cell(Group)), s.cell(Type), delivery.NormalNumber(s.cell(Number)), s.cell(Date)} {
		b = append(append(b, part...), 0)
	}
	return binary.BigEndian.AppendUint64(b, uint64(s.row))
}

// check gives the row's values their meaning: the type is one of two words, the
// date is a date. The first thing wrong is kept in bad.
func (s *staged) check(cols *columns, d *dates) {
	for i, f := range Fields() {
		switch v := s.cells[i]; {
		case strings.ContainsRune(v, 0):
			s.wrong(cols, f, "it holds a zero byte; export the file again as text")
			s.cells[i] = strings.ReplaceAll(v, "\x00", "")
		case strings.ContainsRune(v, undecodable):
			s.cells[i] = readable(v)
			s.wrong(cols, f, "it holds bytes that are no text in the encoding of the file; save the file as \"CSV UTF-8\", or name its encoding (such as windows-1252)")
		case len(v) > maxValue:
			s.wrong(cols, f, fmt.Sprintf("it is longer than %d bytes; shorten it", maxValue))
			s.cells[i] = ""
		}
	}
	switch t := normal(s.cell(Type)); t {
	case "", events.TypeDelivery:
		s.set(Type, events.TypeDelivery)
	case events.TypeCollection:
		s.set(Type, events.TypeCollection)
	default:
		s.wrong(cols, Type, "want delivery or collection")
		s.set(Type, events.TypeDelivery)
	}
	value := s.cell(Date)
	date, err := d.parse(value)
	switch {
	case value == "":
		s.wrong(cols, Date, "the date is missing; want "+d.order.accepted())
	case err != nil:
		s.wrong(cols, Date, err.Error()+"; want "+d.order.accepted())
	}
	s.set(Date, date)
	if _, err := quantity(s.cell(Quantity)); err != nil {
		s.wrong(cols, Quantity, err.Error())
	}
}

func (s *staged) wrong(cols *columns, f Field, reason string) {
	if s.bad.Reason == "" {
		i := indexOf(f)
		s.bad = Rejection{Row: s.row, Column: cols.header[i], Value: shorten(s.cells[i]), Reason: reason}
	}
}

// item returns the row's item, and whether it names one at all.
func (s *staged) item() (events.Item, bool) {
	it := events.Item{ID: s.cell(Item), SKU: s.cell(SKU), Description: s.cell(Description), Unit: s.cell(Unit)}
	if it == (events.Item{}) && s.cell(Quantity) == "" {
		return it, false
	}
	if it.ID == "" {
		it.ID = strconv.Itoa(s.row)
	}
	it.Quantity, _ = quantity(s.cell(Quantity)) // checked when the row was
	return it, true
}

// quantity reads a whole number; a workbook may store it with a fraction of zero.
func quantity(v string) (int64, error) {
	if v == "" {
		return 1, nil
	}
	whole, fraction, _ := strings.Cut(v, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n < 0 || strings.Trim(fraction, "0") != "" {
		return 0, fmt.Errorf("%q is no quantity; want a whole number without separators, such as 1200", shorten(v))
	}
	return n, nil
}
