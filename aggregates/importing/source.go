package importing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"waybill/events/fault"
)

// row is one row as the file holds it, before any of it has a meaning.
type row struct {
	number int      // as a spreadsheet or an editor numbers it, from 1
	cells  []string // valid until the next row is read
	broken string   // why the row could not be divided into cells; empty = it could
}

// source hands out the rows of a file in order.
type source interface {
	// next returns io.EOF after the last row. Any other error is about the file
	// as a whole.
	next(ctx context.Context) (row, error)
	// dates1904 reports which of the two calendars the numbers of a workbook
	// count from, and whether dates can be such numbers at all.
	serialDates() (possible, from1904 bool)
	close() error
}

// openSource looks at what the file is, whatever its name says, and opens it.
func openSource(path string, cfg Config) (source, error) {
	name := filepath.Base(path)
	f, err := os.Open(path)
	if err != nil {
		return nil, unreadable(name, err)
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = errors.New("it is a directory; name a file in it")
	}
	if err != nil {
		return nil, errors.Join(unreadable(name, err), f.Close())
	}
	head := make([]byte, 4096)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, errors.Join(unreadable(name, err), f.Close())
	}
	head = head[:n]
	kind, err := sniff(name, head, cfg)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if kind == workbook {
		if err := f.Close(); err != nil {
			return nil, unreadable(name, err)
		}
		return openWorkbook(path, cfg)
	}
	return openText(f, name, info.Size(), head, cfg)
}

type fileKind int

const (
	text fileKind = iota
	workbook
)

// sniff tells by a file's first bytes what it is, and names what it is not.
func sniff(name string, head []byte, cfg Config) (fileKind, error) {
	wrong := func(what, remedy string) error {
		return fault.New(fault.Invalid, "wrong-format", "%s is %s, not a delivery file that can be read; %s.", name, what, remedy)
	}
	trimmed := bytes.TrimLeft(bytes.TrimPrefix(head, []byte{0xEF, 0xBB, 0xBF}), " \t\r\n")
	switch {
	case len(head) == 0:
		return 0, fault.New(fault.Invalid, "empty-file", "%s is empty (0 bytes); export it again.", name)
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return workbook, nil
	case bytes.HasPrefix(head, []byte{0xD0, 0xCF, 0x11, 0xE0}):
		return 0, wrong("an old .xls workbook or one with a password", "save it as .xlsx without a password, or as CSV")
	case bytes.HasPrefix(head, []byte("%PDF")):
		return 0, wrong("a PDF document", "export CSV or .xlsx")
	case bytes.HasPrefix(head, []byte{0x1F, 0x8B}):
		return 0, wrong("compressed (gzip)", "unpack it first")
	case bytes.HasPrefix(trimmed, []byte("<")):
		return 0, wrong("an HTML or XML page, whatever its name", "open it in a spreadsheet program and save it as .xlsx or CSV")
	case cfg.Encoding == "" && !bytes.HasPrefix(head, []byte{0xFF, 0xFE}) && !bytes.HasPrefix(head, []byte{0xFE, 0xFF}) && bytes.IndexByte(head, 0) >= 0:
		return 0, wrong("not text (it holds zero bytes)", "export CSV or .xlsx, or name the encoding if it is UTF-16")
	}
	return text, nil
}

func unreadable(name string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	remedy := "check the name and that you may read it"
	if errors.Is(err, fs.ErrNotExist) {
		remedy = "check the name and the directory"
	}
	return fault.Wrap(fmt.Errorf("%w", err), fault.Invalid, "unreadable-file", "The file %s cannot be read; %s", name, remedy)
}
