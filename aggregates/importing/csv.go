package importing

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/text/transform"

	"waybill/events/fault"
	"waybill/events/sheet"
)

// textSource reads delimited text.
type textSource struct {
	file  *os.File
	name  string
	limit *recordLimit
	r     *csv.Reader
	last  int // number of the last row handed out
}

func openText(f *os.File, name string, size int64, head []byte, cfg Config) (source, error) {
	decoder, err := decoderFor(cfg.Encoding, head)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	raw := &counted{r: f, tell: func(n int64) { cfg.Progress(n, size) }}
	clean := transform.NewReader(transform.NewReader(raw, decoder), cleanText{decoder.lost})
	limit := &recordLimit{r: clean}
	r := csv.NewReader(limit)
	r.Comma = cfg.Delimiter
	if r.Comma == 0 {
		r.Comma = delimiterOf(firstLine(head))
	}
	r.FieldsPerRecord = -1
	r.ReuseRecord = true
	return &textSource{file: f, name: name, limit: limit, r: r}, nil
}

func (s *textSource) next(ctx context.Context) (row, error) {
	if err := ctx.Err(); err != nil {
		return row{}, err
	}
	s.limit.next()
	cells, err := s.r.Read()
	var parse *csv.ParseError
	switch {
	case err == nil:
		s.last, _ = s.r.FieldPos(0)
		for i := range cells {
			cells[i] = sheet.Plain(cells[i])
		}
		return row{number: s.last, cells: cells}, nil
	case errors.Is(err, io.EOF):
		return row{}, io.EOF
	case errors.Is(err, errRecordTooLong):
		return row{}, fault.New(fault.Invalid, "record-too-long",
			"%s: the record after row %d is longer than %d KiB; most likely a quote (\") is opened there and never closed.", s.name, s.last, maxRecord>>10)
	case errors.As(err, &parse) && parse.Line == parse.StartLine:
		return row{number: parse.StartLine, broken: fmt.Sprintf("a quote (\") stands in the wrong place, at character %d of the line; a value with quotes in it must be quoted, and its quotes doubled", parse.Column)}, nil
	case errors.As(err, &parse):
		return row{}, fault.New(fault.Invalid, "open-quote",
			"%s: a quote (\") opened in row %d is not closed properly before row %d; a value with quotes in it must be quoted, and its quotes doubled.", s.name, parse.StartLine, parse.Line)
	case fault.KindOf(err) == fault.Invalid:
		return row{}, err
	default:
		return row{}, unreadable(s.name, err)
	}
}

func (s *textSource) serialDates() (possible, from1904 bool) { return false, false }

func (s *textSource) close() error { return s.file.Close() }

// firstLine returns the header line of a file's beginning as far as delimiters
// matter: in UTF-16 every other byte is zero and is left out.
func firstLine(head []byte) []byte {
	head = bytes.TrimPrefix(head, []byte{0xEF, 0xBB, 0xBF})
	head = bytes.TrimLeft(head, "\r\n\xFF\xFE\x00")
	quoted := false
	for i, b := range head {
		switch {
		case b == '"':
			quoted = !quoted
		case (b == '\n' || b == '\r') && !quoted:
			return head[:i]
		}
	}
	return head
}

// delimiterOf returns the delimiter that divides a header into most columns;
// comma when none does.
func delimiterOf(line []byte) rune {
	var count [128]int
	quoted := false
	for _, b := range line {
		switch {
		case b == '"':
			quoted = !quoted
		case !quoted && b < 128:
			count[b]++
		}
	}
	best := ','
	for _, d := range ";\t|" {
		if count[d] > count[best] {
			best = d
		}
	}
	return best
}
