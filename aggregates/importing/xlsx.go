package importing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/xuri/excelize/v2"

	"waybill/events/fault"
)

const (
	maxUnzipped = 4 << 30  // of a whole workbook; more is an attack or a mistake
	inMemory    = 16 << 20 // larger parts of a workbook are unpacked to disk
)

// workbookSource reads one sheet of an .xlsx file, row by row. Cells are read as
// they are stored, not as they are displayed.
type workbookSource struct {
	file   *excelize.File
	rows   *excelize.Rows
	dir    string // of what the library unpacks
	name   string
	number int
	tell   func(read, size int64)
	from04 bool
}

func openWorkbook(path string, cfg Config) (src source, err error) {
	name := filepath.Base(path)
	defer mended(name, &err)
	if err := checkSheets(path, name); err != nil {
		return nil, err
	}
	dir, err := scratchDir(cfg.TempDir)
	if err != nil {
		return nil, fmt.Errorf("staging directory for %s: %w", name, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	f, err := excelize.OpenFile(path, excelize.Options{
		RawCellValue: true, UnzipSizeLimit: maxUnzipped, UnzipXMLSizeLimit: inMemory, TmpDir: dir,
	})
	if err != nil {
		return nil, badWorkbook(name, err)
	}
	sheet, err := chooseSheet(f, name, cfg.Sheet)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	rows, err := f.Rows(sheet)
	if err != nil {
		return nil, errors.Join(badWorkbook(name, err), f.Close())
	}
	s := &workbookSource{file: f, rows: rows, dir: dir, name: name, tell: cfg.Progress}
	if props, err := f.GetWorkbookProps(); err == nil && props.Date1904 != nil {
		s.from04 = *props.Date1904
	}
	return s, nil
}

func chooseSheet(f *excelize.File, name, want string) (string, error) {
	sheets := f.GetSheetList()
	if len(sheets) == 0 {
		return "", fault.New(fault.Invalid, "no-sheet", "The workbook %s has no sheet with cells; export it again.", name)
	}
	if want == "" {
		return sheets[0], nil
	}
	for _, s := range sheets {
		if normal(s) == normal(want) {
			return s, nil
		}
	}
	return "", fault.New(fault.Invalid, "no-such-sheet", "The workbook %s has no sheet %q; its sheets are: %s.", name, want, strings.Join(sheets, ", "))
}

func (s *workbookSource) next(ctx context.Context) (r row, err error) {
	defer mended(s.name, &err)
	if err := ctx.Err(); err != nil {
		return row{}, err
	}
	if !s.rows.Next() {
		if err := s.rows.Error(); err != nil {
			return row{}, badWorkbook(s.name, err)
		}
		return row{}, io.EOF
	}
	s.number++
	s.tell(int64(s.number), 0)
	cells, err := s.rows.Columns()
	if err != nil {
		return row{}, badWorkbook(s.name, fmt.Errorf("row %d: %w", s.number, err))
	}
	return row{number: s.number, cells: cells}, nil
}

func (s *workbookSource) serialDates() (possible, from1904 bool) { return true, s.from04 }

func (s *workbookSource) close() error {
	return errors.Join(s.rows.Close(), s.file.Close(), os.RemoveAll(s.dir))
}

func badWorkbook(name string, err error) error {
	return fault.Wrap(err, fault.Invalid, "bad-workbook",
		"%s cannot be read as an .xlsx workbook (it may be damaged, or be another kind of archive); save it again as .xlsx, or as CSV", name)
}

// mended turns a panic of the workbook library over a damaged file into an error
// about the file: the bytes come from outside, and must not end the process.
func mended(name string, err *error) {
	if p := recover(); p != nil {
		*err = badWorkbook(name, fmt.Errorf("%v", p))
	}
}
