package importing

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"waybill/events/fault"
)

// Bounds of a workbook, whose parts are compressed: a small file can unpack to
// anything.
const (
	maxUnzipped = 4 << 30 // bytes of all that is read
	maxInMemory = 16 << 20
	maxRatio    = 200      // of a large part to what it takes in the file; more is an attack
	ratioFrom   = 16 << 20 // bytes from which a part is large
	maxRow      = 2 << 20  // bytes of XML of a row, or of anything else that is read as one
	maxDepth    = 100      // of elements in each other
	maxColumns  = 16_384   // of a sheet, as spreadsheet programs have it
)

// workbookSource reads one sheet of an .xlsx file (ECMA-376), row by row, from
// where it stands. Cells are read as they are stored, not as they are displayed:
// a date is a number. Memory stays the same whatever the size of the sheet and of
// the table of texts, which is unpacked to disk.
type workbookSource struct {
	book   *book
	sheet  *partReader
	texts  *sharedTexts // nil when the workbook has none
	name   string
	number int // of the last row
	cells  []string
	tell   func(read, size int64)
}

func openWorkbook(path string, cfg Config) (src source, err error) {
	name := filepath.Base(path)
	book, err := openBook(path, name)
	if err != nil {
		return nil, err
	}
	s := &workbookSource{book: book, name: name, tell: cfg.Progress}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	chosen, err := book.choose(cfg.Sheet)
	if err != nil {
		return nil, err
	}
	if book.texts != "" {
		if s.texts, err = readTexts(book, cfg.TempDir); err != nil {
			return nil, err
		}
	}
	if s.sheet, err = book.open(chosen.part); err != nil {
		return nil, err
	}
	return s, nil
}

// next implements source. Rows that are not there are left out.
func (s *workbookSource) next(ctx context.Context) (row, error) {
	if err := ctx.Err(); err != nil {
		return row{}, err
	}
	for {
		start, err := s.sheet.element()
		switch {
		case errors.Is(err, io.EOF):
			return row{}, io.EOF
		case err != nil:
			return row{}, s.damaged(err)
		case start.Name.Local != "row":
			continue
		}
		number := s.number + 1
		if r := attr(start, "r"); r != "" {
			if number, err = strconv.Atoi(r); err != nil || number <= s.number {
				return row{}, s.damaged(fmt.Errorf("a row behind it has the number %q", shorten(r)))
			}
		}
		s.number = number
		s.tell(int64(number), 0)
		if err := s.row(); err != nil {
			return row{}, s.damaged(err)
		}
		return row{number: number, cells: s.cells}, nil
	}
}

// row reads the cells of a row that has begun.
func (s *workbookSource) row() error {
	s.cells = s.cells[:0]
	for {
		token, err := s.sheet.token()
		if err != nil {
			return unexpected(err)
		}
		switch t := token.(type) {
		case xml.EndElement: // of the row: those of cells are read with them
			s.sheet.next()
			return nil
		case xml.StartElement:
			if t.Name.Local != "c" {
				if err := s.sheet.skip(); err != nil {
					return err
				}
				continue
			}
			column := len(s.cells)
			if ref := attr(t, "r"); ref != "" {
				if column, err = columnOf(ref); err != nil {
					return err
				}
			}
			value, err := s.cell(attr(t, "t"))
			if err != nil {
				return err
			}
			if column < len(s.cells) || column >= maxColumns {
				return fmt.Errorf("a cell stands in column %d, behind column %d", column+1, len(s.cells))
			}
			for len(s.cells) < column {
				s.cells = append(s.cells, "")
			}
			s.cells = append(s.cells, value)
		}
	}
}

// cell reads a cell that has begun, to its end.
func (s *workbookSource) cell(kind string) (string, error) {
	var value string
	for {
		token, err := s.sheet.token()
		if err != nil {
			return "", unexpected(err)
		}
		switch t := token.(type) {
		case xml.EndElement:
			if kind != "s" || value == "" {
				return value, nil
			}
			return s.text(value)
		case xml.StartElement:
			switch t.Name.Local {
			case "v":
				value, err = s.sheet.text()
			case "is":
				value, err = s.sheet.rich()
			default: // a formula, an extension
				err = s.sheet.skip()
			}
			if err != nil {
				return "", err
			}
			if kind == "str" && t.Name.Local == "v" {
				value = unescape(value)
			}
		}
	}
}

// text returns a text of the table that the whole workbook shares.
func (s *workbookSource) text(index string) (string, error) {
	i, err := strconv.ParseInt(strings.TrimSpace(index), 10, 64)
	if err != nil || i < 0 || s.texts == nil {
		return "", fmt.Errorf("a cell names the text %q, and there is no such text", shorten(index))
	}
	return s.texts.at(i)
}

func (s *workbookSource) serialDates() (possible, from1904 bool) { return true, s.book.from1904 }

func (s *workbookSource) close() error {
	err := s.book.close()
	if s.sheet != nil {
		err = errors.Join(err, s.sheet.close())
	}
	if s.texts != nil {
		err = errors.Join(err, s.texts.close())
	}
	return err
}

// damaged is an error in the middle of a sheet: the rows before it are not taken
// either, lest somebody believes that it was all.
func (s *workbookSource) damaged(err error) error {
	where := "at the beginning of the sheet"
	if s.number > 0 {
		where = fmt.Sprintf("in or after row %d of the sheet", s.number)
	}
	return fault.Wrap(err, fault.Invalid, "bad-workbook",
		"%s is damaged %s, so the rows behind it cannot be read; save it again from a spreadsheet program, or export CSV", s.name, where)
}

// columnOf returns the column of a reference such as "C7", from 0.
func columnOf(ref string) (int, error) {
	n := 0
	for i := 0; i < len(ref); i++ {
		c := ref[i] | 0x20
		if c < 'a' || c > 'z' {
			break
		}
		if n = 26*n + int(c-'a') + 1; n > maxColumns {
			break
		}
	}
	if n == 0 || n > maxColumns {
		return 0, fmt.Errorf("a cell stands at %q, which is no place in a sheet", shorten(ref))
	}
	return n - 1, nil
}
