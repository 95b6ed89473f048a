package importing

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"waybill/events/fault"
)

// File is a delivery file, read, checked and staged on disk.
type File struct {
	name   string
	cfg    Config
	cols   *columns
	dates  dates
	sorter *sorter
	rows   int
}

// Stage reads the file at path to its end and stages its rows for
// [File.Deliveries]. An error (of kind fault.Invalid unless the disk or the
// context is at fault) means that nothing of the file can be taken; its text
// names what, where and the remedy. The file must be closed.
func Stage(ctx context.Context, path string, cfg Config) (*File, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	sweep(cfg.TempDir)
	f := &File{name: filepath.Base(path), cfg: cfg, sorter: newSorter(cfg.TempDir, cfg.SortMemory)}
	if err := f.stage(ctx, path); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// StageReader is [Stage] for a file that arrives as a stream; name is its base
// name.
func StageReader(ctx context.Context, r io.Reader, name string, cfg Config) (*File, error) {
	kept, err := Keep(r, name, cfg.TempDir)
	if err != nil {
		return nil, err
	}
	f, err := kept.Stage(ctx, cfg)
	return f, errors.Join(err, kept.Close())
}

// Name returns the file's base name.
func (f *File) Name() string { return f.name }

// Rows returns how many rows with anything in them follow the header.
func (f *File) Rows() int { return f.rows }

// Close removes what was staged. It may be called more than once.
func (f *File) Close() error { return f.sorter.close() }

// stage reads all rows onto a spool, so that the order of the dates is settled
// before the first is read, and feeds the sorter from there.
func (f *File) stage(ctx context.Context, path string) (err error) {
	spool, err := scratchFile(f.cfg.TempDir)
	if err != nil {
		return fmt.Errorf("staging %s: %w", f.name, err)
	}
	defer func() { err = errors.Join(err, spool.Close()) }()
	if f.dates.order, err = orderOf(f.cfg.DateOrder); err != nil {
		return err
	}
	if err := f.spool(ctx, path, spool); err != nil {
		return err
	}
	if err := f.dates.settle(f.cols.header[indexOf(Date)]); err != nil {
		return err
	}
	if _, err := spool.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return f.sort(ctx, spool)
}

func (f *File) spool(ctx context.Context, path string, spool io.Writer) (err error) {
	src, err := openSource(path, f.cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.close()) }()
	f.dates.serial, f.dates.from1904 = src.serialDates()
	w := bufio.NewWriterSize(spool, 64<<10)
	var s staged
	var buf []byte
	for {
		r, err := src.next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		switch {
		case blank(r):
		case f.cols == nil && r.broken != "":
			return fault.New(fault.Invalid, "bad-header", "The header of %s (row %d) cannot be read: %s.", f.name, r.number, r.broken)
		case f.cols == nil && slices.ContainsFunc(r.cells, func(c string) bool { return strings.ContainsRune(c, undecodable) }):
			return fault.New(fault.Invalid, "not-utf-8",
				"The header of %s (row %d) holds bytes that are no text in the encoding of the file. Save the file as \"CSV UTF-8\", or name its encoding (such as windows-1252).", f.name, r.number)
		case f.cols == nil:
			if f.cols, err = findColumns(f.cfg, f.name, r.cells); err != nil {
				return err
			}
		case f.take(r, &s):
			buf = s.encode(buf[:0])
			if err := writeRecord(w, nil, buf); err != nil {
				return fmt.Errorf("staging %s: %w", f.name, err)
			}
		}
	}
	if f.rows == 0 {
		return fault.New(fault.Invalid, "no-rows", "%s holds no delivery: there is no row with anything in it after the header. Export it again, or name another sheet.", f.name)
	}
	return w.Flush()
}

// take picks the cells that have a meaning, and reports whether the row can be
// staged: it is divided into columns and has a number.
func (f *File) take(r row, s *staged) bool {
	f.rows++
	s.row, s.bad, s.cells = r.number, Rejection{}, s.cells[:0]
	if r.broken != "" {
		f.cfg.Rejected(Rejection{Row: r.number, Reason: r.broken})
		return false
	}
	for i := f.cols.width; i < len(r.cells); i++ {
		if strings.TrimSpace(r.cells[i]) != "" {
			f.cfg.Rejected(Rejection{Row: r.number, Value: shorten(readable(r.cells[i])),
				Reason: fmt.Sprintf("the row has %d columns, the header %d; a value with the delimiter in it must be quoted", len(r.cells), f.cols.width)})
			return false
		}
	}
	for _, at := range f.cols.at {
		v := ""
		if at >= 0 && at < len(r.cells) {
			v = strings.TrimSpace(r.cells[at])
		}
		s.cells = append(s.cells, v)
	}
	if s.cell(Number) == "" {
		f.cfg.Rejected(Rejection{Row: r.number, Column: f.cols.header[indexOf(Number)], Reason: "the D.O. number is missing; every row of a delivery carries it"})
		return false
	}
	f.dates.observe(r.number, s.cell(Date))
	return true
}

func (f *File) sort(ctx context.Context, spool io.Reader) error {
	in := bufio.NewReaderSize(spool, 64<<10)
	var s staged
	var none, value, key []byte
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		var err error
		none, value, err = readRecord(in, none, value)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = s.decode(value)
		}
		if err != nil {
			return fmt.Errorf("staging %s: %w", f.name, err)
		}
		s.check(f.cols, &f.dates)
		key = s.sortKey(key[:0])
		value = s.encode(value[:0])
		if err := f.sorter.add(key, value); err != nil {
			return fmt.Errorf("sorting %s: %w", f.name, err)
		}
	}
}

func blank(r row) bool {
	for _, c := range r.cells {
		if strings.TrimSpace(c) != "" {
			return false
		}
	}
	return r.broken == ""
}
