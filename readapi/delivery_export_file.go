package readapi

import (
	"archive/zip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/xuri/excelize/v2"

	"waybill/events/sheet"
)

// exportFormat is a kind of file.
type exportFormat struct {
	media     string
	extension string
	most      int64 // rows besides the header; 0 = any number
	begin     func(out io.Writer, tempDir string) (exportFile, error)
}

// exportFile takes an export row by row.
type exportFile interface {
	// row adds a row; cells are the caller's again afterwards.
	row(cells []string) error
	// finish writes what is still to be written.
	finish() error
	// close gives back what the file took on this machine, finished or not.
	close() error
}

// formatOf finds a format by its name; without one it is CSV.
func formatOf(name string) (exportFormat, bool) {
	switch name {
	case "", "csv":
		return exportFormat{media: mediaCSV + "; charset=utf-8; header=present", extension: ".csv", begin: beginCSV}, true
	case "xlsx":
		return exportFormat{media: mediaXLSX, extension: ".xlsx", most: excelize.TotalRows - 1, begin: beginXLSX}, true
	}
	return exportFormat{}, false
}

// Media types of exports.
const (
	mediaCSV  = "text/csv"
	mediaXLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
)

// csvFile is text as RFC 4180 has it, in UTF-8 with a byte order mark, without
// which spreadsheet programs take it for another encoding. What would be a formula
// is guarded.
type csvFile struct {
	w    *csv.Writer
	safe []string
}

func beginCSV(out io.Writer, _ string) (exportFile, error) {
	w := csv.NewWriter(&marked{to: out})
	w.UseCRLF = true
	return &csvFile{w: w}, nil
}

func (f *csvFile) row(cells []string) error {
	f.safe = f.safe[:0]
	for _, c := range cells {
		f.safe = append(f.safe, sheet.Guard(c))
	}
	return f.w.Write(f.safe)
}

func (f *csvFile) finish() error {
	f.w.Flush()
	return f.w.Error()
}

func (f *csvFile) close() error { return nil }

// marked writes a byte order mark before the first bytes.
type marked struct {
	to    io.Writer
	begun bool
}

// Write implements io.Writer.
func (m *marked) Write(p []byte) (int, error) {
	if !m.begun {
		m.begun = true
		if _, err := m.to.Write([]byte("\xEF\xBB\xBF")); err != nil {
			return 0, err
		}
	}
	return m.to.Write(p)
}

// workbookFile is a workbook of one sheet, kept on disk until it is whole. Its
// cells are texts, which are no formulas, and whole numbers.
type workbookFile struct {
	out   io.Writer
	dir   string
	book  *excelize.File
	sheet *excelize.StreamWriter
	rows  int
	cells []any
}

func beginXLSX(out io.Writer, tempDir string) (_ exportFile, err error) {
	f := &workbookFile{out: out}
	if f.dir, err = os.MkdirTemp(tempDir, "waybill-export-"); err != nil {
		return nil, fmt.Errorf("directory of a workbook: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.close())
		}
	}()
	f.book = excelize.NewFile(excelize.Options{TmpDir: f.dir})
	const name = "Deliveries"
	if err := f.book.SetSheetName("Sheet1", name); err != nil {
		return nil, fmt.Errorf("workbook: %w", err)
	}
	if f.sheet, err = f.book.NewStreamWriter(name); err != nil {
		return nil, fmt.Errorf("workbook: %w", err)
	}
	return f, nil
}

// maxExact is up to where spreadsheet programs keep every whole number as it is.
const maxExact = 999_999_999_999_999

func (f *workbookFile) row(cells []string) error {
	f.rows++
	if f.rows > excelize.TotalRows {
		return errTooManyRows(int64(f.rows), excelize.TotalRows-1)
	}
	f.cells = f.cells[:0]
	for i, c := range cells {
		if n, err := strconv.ParseInt(c, 10, 64); err == nil && n <= maxExact && (i == quantityColumn || i == attemptColumn) {
			f.cells = append(f.cells, n)
			continue
		}
		if c == "" {
			f.cells = append(f.cells, nil)
			continue
		}
		f.cells = append(f.cells, c)
	}
	if err := f.sheet.SetRow("A"+strconv.Itoa(f.rows), f.cells); err != nil {
		return fmt.Errorf("workbook: row %d: %w", f.rows, err)
	}
	return nil
}

func (f *workbookFile) finish() error {
	if err := f.sheet.Flush(); err != nil {
		return fmt.Errorf("workbook: %w", err)
	}
	// As it is written, not as a whole from memory.
	f.book.SetZipWriter(func(io.Writer) excelize.ZipWriter { return zip.NewWriter(f.out) })
	if err := f.book.Write(io.Discard); err != nil {
		return fmt.Errorf("workbook: %w", err)
	}
	return nil
}

func (f *workbookFile) close() error {
	var err error
	if f.book != nil {
		err = f.book.Close()
	}
	return errors.Join(err, os.RemoveAll(f.dir))
}
