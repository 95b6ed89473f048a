package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"

	"waybill/aggregates/importing"
)

// shownRejections is how many rows a report shows; the file of --report has all.
const shownRejections = 100

// report collects what an import says about single rows, in bounded memory. It is
// safe for concurrent use.
type report struct {
	mu       sync.Mutex
	rejected []importing.Rejection // the first few
	rows     int                   // rows rejected in all
	notes    []importing.Note      // the first few
	noted    int
	file     *os.File // nil = no file asked for
	out      *csv.Writer
	err      error // the first failure to write
}

// newReport returns a report that also writes every rejected row to the CSV file
// at path, unless that is empty.
func newReport(path string) (*report, error) {
	r := &report{}
	if path == "" {
		return r, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, &usageError{fmt.Errorf("the report cannot be written: %w", err)}
	}
	r.file, r.out = f, csv.NewWriter(f)
	r.write("row", "column", "value", "d.o. number", "reason")
	return r, nil
}

// reject takes one row that was not taken.
func (r *report) reject(x importing.Rejection) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rows++
	if len(r.rejected) < shownRejections {
		r.rejected = append(r.rejected, x)
	}
	r.write(strconv.Itoa(x.Row), x.Column, x.Value, x.Number, x.Reason)
}

// note takes one remark about rows that were taken.
func (r *report) note(n importing.Note) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.noted++
	if len(r.notes) < shownRejections {
		r.notes = append(r.notes, n)
	}
}

func (r *report) write(record ...string) {
	if r.out != nil && r.err == nil {
		r.err = r.out.Write(record)
	}
}

// close finishes the file; the error is the first one met in writing it.
func (r *report) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.out == nil {
		return nil
	}
	r.out.Flush()
	err := errors.Join(r.err, r.out.Error(), r.file.Close())
	r.out = nil
	return err
}

// print writes what was noted and rejected for people.
func (r *report) print(w io.Writer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range r.notes {
		fmt.Fprintf(w, "  note, row %d: %s\n", n.Row, n.Text)
	}
	if more := r.noted - len(r.notes); more > 0 {
		fmt.Fprintf(w, "  … and %d more notes of this kind\n", more)
	}
	for _, x := range r.rejected {
		where := "row " + strconv.Itoa(x.Row)
		if x.Column != "" {
			where += ", column " + strconv.Quote(x.Column)
		}
		if x.Number != "" {
			where += ", delivery " + x.Number
		}
		fmt.Fprintf(w, "  not taken: %s: %s\n", where, x.Reason)
	}
	if more := r.rows - len(r.rejected); more > 0 {
		fmt.Fprintf(w, "  … and %d more rows; --report FILE writes all of them\n", more)
	}
}
